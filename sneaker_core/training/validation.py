"""What a network in training says of the validation photos: figures for each epoch, and a few photos to watch."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from sneaker_core import process_group
from sneaker_core.datasets.split import Split
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.precision import mixed_precision, training_device
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.prepared_data import BATCH, Materials, shrunk

WORST_PAIRS = 5
WATCHED = 8


class Validation:
    """The validation photos of a run.

    Parameters
    ----------
    materials : Materials
    seed : int
        Chooses the photos to watch: of as many classes as there can be.
    """

    def __init__(self, materials: Materials, seed: int) -> None:
        self.classes = materials.classes
        self.samples = materials.sneakers(Split.VAL)
        self.pixels = materials.pixels
        self.rows = self.samples.index.to_numpy(dtype=np.int64)
        number = {name: index for index, name in enumerate(self.classes)}
        self.targets = self.samples["label"].map(number).to_numpy(dtype=np.int64)
        shuffled = self.samples.reset_index(drop=True).sample(frac=1, random_state=seed)
        turn = shuffled.groupby("label").cumcount().sort_values(kind="stable")
        self.watched = turn.index[:WATCHED].to_numpy(dtype=np.int64)

    @torch.inference_mode()
    def logits(self, network: SneakerNetwork, preprocessing: Preprocessing) -> NDArray[np.float32]:
        """Logits (V, classes) of the photos, averaged over each and its mirror image."""
        device = training_device()
        parts = {}
        for start in range(process_group.rank() * BATCH, len(self.rows), process_group.count() * BATCH):
            small = shrunk(self.pixels[self.rows[start : start + BATCH]], preprocessing).to(device)
            images = preprocessing.standardise(small).contiguous(memory_format=torch.channels_last)
            with mixed_precision(device.type):
                both = network(torch.cat([images, images.flip(3)])).float()
            parts[start] = both.view(2, len(images), -1).mean(0).cpu().numpy()[:, : len(self.classes)]
        every = {start: part for own in process_group.of_all(parts) for start, part in own.items()}
        return np.concatenate([every[start] for start in sorted(every)])

    def figures(self, logits: NDArray[np.float32]) -> dict[str, Any]:
        """What an epoch came to on these photos, as it stands in metrics.jsonl.

        Returns
        -------
        dict
            val_loss, val_top1, val_top3, confusions (the worst pairs), favourite (the class that most photos are
            taken for) and watched (the answer for each photo to watch).
        """
        chances = functional.softmax(torch.from_numpy(logits), 1).numpy()
        answers = chances.argmax(1)
        of_truth = np.take_along_axis(chances, self.targets[:, None], 1)[:, 0]
        rank = (chances > of_truth[:, None]).sum(1)
        counts = np.zeros((len(self.classes), len(self.classes)), np.int64)
        np.add.at(counts, (self.targets, answers), 1)
        favourite = int(counts.sum(0).argmax())
        return {
            "val_loss": float(-np.log(np.maximum(of_truth, 1e-12)).mean()),
            "val_top1": float((answers == self.targets).mean()),
            "val_top3": float((rank < 3).mean()),
            "confusions": self._worst_pairs(counts),
            "favourite": {
                "label": self.classes[favourite],
                "share": float(counts[:, favourite].sum() / len(self.targets)),
            },
            "watched": [
                {"label": self.classes[answers[place]], "probability": float(chances[place].max())}
                for place in self.watched
            ],
        }

    def _worst_pairs(self, counts: NDArray[np.int64]) -> list[dict[str, Any]]:
        wrong = counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:WORST_PAIRS]
        pairs = [divmod(int(place), len(self.classes)) for place in order]
        return [
            {
                "label": self.classes[truth],
                "predicted": self.classes[answer],
                "count": int(wrong[truth, answer]),
                "of": int(counts[truth].sum()),
            }
            for truth, answer in pairs
            if wrong[truth, answer]
        ]
