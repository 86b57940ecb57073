"""Measure how fast a decision's worth is known: ``python -m benchmarks.live_head`` in the project folder.

Creates a dataset of 10,000 made embeddings of 1,280 values in 70 classes, with planted wrong labels, and repairs some
of them one by one. Measures the first time, which trains the head without decisions, and the time from each later
decision to the new figure. With ``--logistic``, trains scikit-learn's logistic regression on the same photos, too. With
``--dataset FOLDER``, compares the accuracy of both on the validation photos of a dataset that was checked.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.stored_measures import read_embeddings
from sneaker_core.datasets.review_log import undo
from sneaker_core.datasets.split import Split
from sneaker_core.training.decisions_worth import Baseline, dataset_worth
from sneaker_core.training.linear_head import ClassSums, fit_head
from tests.planted import plant

PHOTOS, SIZE, CLASSES, WRONG = 10_000, 1_280, 70, 800
DECISIONS = 9
Answers = NDArray[np.object_]


class Taken(NamedTuple):
    """Seconds that something took, and those in which it computed: fewer on a busy machine."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} s ({self.processor:.2f} s of processor time)"


def taken(work: Callable[[], object]) -> Taken:
    """How long a call takes."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - wall, time.process_time() - processor)


def measure_speed(folder: Path) -> Dataset:
    """Create the dataset in a folder and print the times; returns the dataset."""
    planted = plant(folder / "live", PHOTOS, CLASSES, SIZE, WRONG, noise=5.0)
    planted.repair(planted.wrong[:1])
    baseline: Baseline | None = None

    def measure() -> None:
        nonlocal baseline
        _, baseline = dataset_worth(planted.dataset, baseline)

    print(f"first measurement: {taken(measure)}", flush=True)
    times = []
    for sample in planted.wrong[1 : 1 + DECISIONS]:
        planted.repair([sample])
        times.append(taken(measure))
    print(f"after a decision, median: {sorted(times)[DECISIONS // 2]}; slowest: {max(times)}")
    planted.repair(planted.wrong[20:400])
    print(f"after a batch of 380: {taken(measure)}")
    undo(planted.dataset)
    print(f"after Undo: {taken(measure)}", flush=True)
    return planted.dataset


def compare(dataset: Dataset) -> None:
    """Print accuracy and training time of both heads on at most 10,000 training photos."""
    samples = read_samples(dataset)
    samples = samples[~samples["excluded"]].sample(frac=1, random_state=0)
    train, validation = (samples[samples["split"] == split] for split in (Split.TRAIN, Split.VAL))
    train = train.head(PHOTOS)
    vectors, held_out = (_vectors(dataset, rows["sample"]) for rows in (train, validation))
    labels = list(train["label"])
    for name, answer in (("linear discriminant", _discriminant), ("logistic regression", _logistic)):
        started = time.perf_counter()
        right = (answer(vectors, labels, held_out) == validation["label"].to_numpy(dtype=object)).mean()
        print(f"{name}: accuracy {right:.3f}, {time.perf_counter() - started:.1f} s", flush=True)


def _vectors(dataset: Dataset, samples: pd.Series) -> NDArray[np.float32]:
    return np.stack(list(read_embeddings(dataset, samples).loc[list(samples), "vector"]))


def _discriminant(vectors: NDArray[np.float32], labels: list[str], held_out: NDArray[np.float32]) -> Answers:
    sums = ClassSums.of([(vectors, labels)])
    assert sums is not None
    return fit_head(sums).predict(held_out)


def _logistic(vectors: NDArray[np.float32], labels: list[str], held_out: NDArray[np.float32]) -> Answers:
    from sklearn.linear_model import LogisticRegression

    # The best of C = 1, 10 and 100 on the photos of street72.
    return np.asarray(LogisticRegression(C=100, max_iter=60).fit(vectors, labels).predict(held_out), dtype=object)


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logistic", action="store_true")
    parser.add_argument("--dataset", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = measure_speed(Path(folder))
        if given.logistic:
            compare(dataset)
    if given.dataset:
        compare(Dataset(given.dataset))


if __name__ == "__main__":
    main()
