"""Datasets of made embeddings with planted wrong labels, as after a check; there are no photo files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sneaker_core.datasets.index import Dataset, create_index, set_fact
from sneaker_core.datasets.index_schema import ensure_class
from sneaker_core.datasets.review_log import Action, decide


@dataclass(frozen=True)
class Planted:
    """A dataset whose true labels are known.

    Attributes
    ----------
    dataset : Dataset
    truth : Series
        True classes, indexed by sample.
    split : Series
        "train" or "val", indexed by sample.
    wrong : list of str
        Training photos with a wrong label.
    """

    dataset: Dataset
    truth: pd.Series
    split: pd.Series
    wrong: list[str]

    @property
    def classes(self) -> list[str]:
        """The classes in order."""
        return sorted(set(self.truth))

    @property
    def validation(self) -> list[str]:
        """The validation photos."""
        return list(self.split.index[self.split == "val"])

    def repair(self, samples: list[str]) -> list[str]:
        """Give photos their true classes, one batch per class; returns the batches."""
        by_class = self.truth[samples].groupby(self.truth[samples]).groups
        return [decide(self.dataset, list(found), Action.RELABEL, str(label)) for label, found in by_class.items()]


def plant(
    folder: Path, photos: int = 600, classes: int = 6, size: int = 40, wrong: int = 120, noise: float = 1.9
) -> Planted:
    """Create a dataset in a folder; each class is a normal distribution of embeddings.

    Wrong labels are systematic, as when a shop mixes up two models: random errors average out.
    """
    rng = np.random.default_rng(3)
    truth = np.arange(photos) % classes
    vectors = rng.normal(size=(classes, size))[truth] + rng.normal(scale=noise, size=(photos, size))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    split = np.where(rng.random(photos) < 0.4, "val", "train")
    moved = rng.choice(np.flatnonzero(split == "train"), wrong, replace=False)
    labels = truth.copy()
    labels[moved] = (truth[moved] + 1) % classes
    names = [f"shoe {number:02}" for number in range(classes)]
    samples = [f"{number:05}" for number in range(photos)]
    dataset = create_index(folder, folder.name)
    with dataset.changing() as db:
        numbers = [ensure_class(db, name)[0] for name in names]
        db.executemany(
            "INSERT INTO samples(sample, file, name, original_label, label, split, width, height, bytes, added) "
            "VALUES (?, ?, ?, ?, ?, ?, 60, 40, 900, 1)",
            [
                (sample, f"shoe/{sample}.jpg", sample, numbers[label], numbers[label], part)
                for sample, label, part in zip(samples, labels, split.tolist(), strict=True)
            ],
        )
        db.executemany(
            "INSERT INTO embeddings(sample, vector, ood_score) VALUES (?, ?, 0.0)",
            zip(samples, [vector.astype(np.float16).tobytes() for vector in vectors], strict=True),
        )
        set_fact(db, "scan", {"time": 1.0, "photos": photos, "model": "tiny", "seconds": 1.0})
    true_class = pd.Series([names[number] for number in truth], index=samples)
    return Planted(dataset, true_class, pd.Series(split, index=samples), [samples[row] for row in moved])
