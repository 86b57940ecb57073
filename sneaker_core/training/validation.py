"""Validation during training: metrics after each epoch, and predictions for a few watched photos."""

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
from sneaker_core.training.prepared_photos import BATCH, PreparedPhotos, resize_batch

TOP_CONFUSIONS = 5
WATCHED = 8


class Validation:
    """The validation photos of a run.

    Parameters
    ----------
    photos : PreparedPhotos
    seed : int
        Chooses the watched photos, from as many classes as possible.
    """

    def __init__(self, photos: PreparedPhotos, seed: int) -> None:
        self.classes = photos.classes
        self.samples = photos.labeled(Split.VAL)
        self.pixels = photos.pixels
        self.rows = self.samples.index.to_numpy(dtype=np.int64)
        number = {name: index for index, name in enumerate(self.classes)}
        self.targets = self.samples["label"].map(number).to_numpy(dtype=np.int64)
        shuffled = self.samples.reset_index(drop=True).sample(frac=1, random_state=seed)
        turn = shuffled.groupby("label").cumcount().sort_values(kind="stable")
        self.watched = turn.index[:WATCHED].to_numpy(dtype=np.int64)

    @torch.inference_mode()
    def logits(self, network: SneakerNetwork, preprocessing: Preprocessing) -> NDArray[np.float32]:
        """Logits (V, classes), averaged over each photo and its mirror image."""
        device = training_device()
        parts = {}
        for start in range(process_group.rank() * BATCH, len(self.rows), process_group.count() * BATCH):
            small = resize_batch(self.pixels[self.rows[start : start + BATCH]], preprocessing).to(device)
            images = preprocessing.standardize(small).contiguous(memory_format=torch.channels_last)
            with mixed_precision(device.type):
                both = network(torch.cat([images, images.flip(3)])).float()
            parts[start] = both.view(2, len(images), -1).mean(0).cpu().numpy()[:, : len(self.classes)]
        every = {start: part for own in process_group.gather(parts) for start, part in own.items()}
        return np.concatenate([every[start] for start in sorted(every)])

    def metrics(self, logits: NDArray[np.float32]) -> dict[str, Any]:
        """Validation metrics of an epoch, as written to metrics.jsonl.

        Returns
        -------
        dict
            val_loss, val_top1, val_top3, confusions (the most frequent ones), favourite (the class predicted most
            often) and watched (the prediction for each watched photo).
        """
        probabilities = functional.softmax(torch.from_numpy(logits), 1).numpy()
        predicted = probabilities.argmax(1)
        true_probability = np.take_along_axis(probabilities, self.targets[:, None], 1)[:, 0]
        rank = (probabilities > true_probability[:, None]).sum(1)
        counts = np.zeros((len(self.classes), len(self.classes)), np.int64)
        np.add.at(counts, (self.targets, predicted), 1)
        favourite = int(counts.sum(0).argmax())
        return {
            "val_loss": float(-np.log(np.maximum(true_probability, 1e-12)).mean()),
            "val_top1": float((predicted == self.targets).mean()),
            "val_top3": float((rank < 3).mean()),
            "confusions": self._top_confusions(counts),
            "favourite": {
                "label": self.classes[favourite],
                "share": float(counts[:, favourite].sum() / len(self.targets)),
            },
            "watched": [
                {"label": self.classes[predicted[place]], "probability": float(probabilities[place].max())}
                for place in self.watched
            ],
        }

    def _top_confusions(self, counts: NDArray[np.int64]) -> list[dict[str, Any]]:
        wrong = counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:TOP_CONFUSIONS]
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
