"""Answers to several photos of one sneaker: ``python -m benchmarks.several_photos MODEL --home FOLDER [--write]``.

Fits the exponent of `networks.pooling` to groups of the model's validation photos, as a training does at its end, and
with ``--write`` stores it in the model's ``model.json``. Then prints a Markdown table of groups of 1, 2, 3 and 5 test
photos of the same class and world, from the evaluation that ships with the model: averaged logits at the temperature
for one photo (before) and at the fitted one (after). The table holds no log-odds of photos without a shoe, so none is
left out of its group here. The last line says how often a warning is given: for groups of one class, and for groups in
which one photo is of another class.

FOLDER is the workspace that ``benchmarks.street72 prepare`` has made. For synthetic12 it may be empty: its photos are
drawn again.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.street72 import NAME
from benchmarks.synthetic12 import DATASET, PLAN
from sneaker_core.datasets.dataset_collection import find_or_create, open_samples
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import Split, read_split
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.evaluation.metrics import calibration_error
from sneaker_core.evaluation.pooling_fit import fit_pooling_exponent, photo_groups
from sneaker_core.evaluation.prediction_table import read_outputs
from sneaker_core.evaluation.table_columns import class_indices, class_probabilities
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_pooling_exponent
from sneaker_core.networks.decision import Decision, Floats, probabilities
from sneaker_core.networks.model_registry import find_model
from sneaker_core.networks.pooling import LEAST_SAME_RATIO, pooled_temperature, same_ratio
from sneaker_core.training.model_calibration import class_numbers, validation_worlds

SIZES = (1, 2, 3, 5)
SEED = 0
_ALL = "all"
_CHECKED = 2000  # groups for the warning
_HEAD = ("photos of", "photos per group", "groups", "top-1", "refused", "named", "right when named", "ECE")


@dataclass(frozen=True)
class TestPhotos:
    """The test photos of a model's own evaluation.

    Attributes
    ----------
    logits : float32 array (N, C)
        Up to a constant for each photo.
    scores : float32 array (N,)
        OOD scores.
    truth : int64 array (N,)
    worlds : array of str (N,)
    """

    logits: Floats
    scores: Floats
    truth: NDArray[np.int64]
    worlds: NDArray[np.str_]


def validation_photos(home: Path, model: SneakerModel, folder: Path) -> pd.DataFrame:
    """The validation photos of a model: columns sample, path, label and, if known, world."""
    name = NAME
    if model.spec.name == SYNTHETIC_MODEL:
        name = DATASET
        dataset = find_or_create(home, name)
        if not len(read_samples(dataset)):
            make_synthetic(dataset, PLAN.per_class, PLAN.seed)
    split = read_split(folder)[["sample", "split"]].drop_duplicates("sample")
    photos = open_samples(home, name).drop(columns="split").merge(split, on="sample")
    return photos[photos["split"] == Split.VAL].reset_index(drop=True)


def fitted_exponent(model: SneakerModel, photos: pd.DataFrame, logits: Floats) -> float:
    """The exponent that a training of the model would have fitted."""
    seed = int(model.spec.recipe.get("seed", 0))
    truth = class_numbers(photos, model.spec.classes)
    return fit_pooling_exponent(logits, truth, validation_worlds(photos), model.spec.decision.temperature, seed)


def test_photos(home: Path, model: SneakerModel) -> TestPhotos:
    """The test photos in the evaluation that ships with a model."""
    table = read_table(find_evaluation(home, model.spec.name, Kind.BUNDLED))
    temperature = np.float32(model.spec.decision.temperature)
    # Probabilities are stored in half precision; those below its smallest number are 0.
    logits = temperature * np.log(np.maximum(class_probabilities(table), np.finfo(np.float16).smallest_subnormal))
    worlds = table[WORLD] if WORLD in table else pd.Series([_ALL] * len(table))
    truth = class_indices(table["label"], list(model.spec.classes)).astype(np.int64)
    return TestPhotos(
        logits.astype(np.float32),
        table["ood_score"].to_numpy(dtype=np.float32),
        truth,
        worlds.to_numpy(dtype=str),
    )


def rows_of(photos: TestPhotos, decision: Decision) -> list[list[str]]:
    """Rows of the table: each world, with groups of each size."""
    _, numbers = np.unique(photos.worlds, return_inverse=True)
    rows = []
    for size in SIZES:
        groups = photo_groups(photos.truth, numbers.astype(np.int64), size, SEED, rounds=1 if size == 1 else 10)
        worlds = photos.worlds[groups[:, 0]]
        for world in dict.fromkeys((*np.unique(photos.worlds), _ALL)):
            own = groups if world == _ALL else groups[worlds == world]
            if len(own):
                rows.append([str(world), str(size), f"{len(own):,}", *_figures(photos, own, decision)])
    return sorted(rows, key=lambda row: (row[0] == _ALL, row[0]))


def _figures(photos: TestPhotos, groups: NDArray[np.int64], decision: Decision) -> list[str]:
    means, truth = photos.logits[groups].mean(1), photos.truth[groups[:, 0]]
    refused = photos.scores[groups].mean(1) > decision.ood_threshold
    named_share, right, errors = [], [], []
    for temperature in (decision.temperature, pooled_temperature(decision, groups.shape[1])):
        chances = probabilities(means, temperature)
        confidence, correct = chances.max(1), chances.argmax(1) == truth
        named = ~refused & (confidence >= decision.confidence_threshold)
        named_share.append(f"{named.mean():.3f}")
        right.append(f"{correct[named].mean():.3f}")
        errors.append(f"{calibration_error(confidence, correct):.3f}")
    pairs = [" → ".join(dict.fromkeys(pair)) for pair in (named_share, right, errors)]
    return [f"{correct.mean():.3f}", f"{refused.mean():.3f}", *pairs]


def warned_shares(photos: TestPhotos, decision: Decision, size: int) -> tuple[float, float]:
    """How often photos are said to disagree: groups of one class, and groups with one photo of another class."""
    rng = np.random.default_rng(SEED)
    _, numbers = np.unique(photos.worlds, return_inverse=True)
    groups = rng.permutation(photo_groups(photos.truth, numbers.astype(np.int64), size, SEED))[:_CHECKED]
    mixed = groups.copy()
    mixed[:, -1] = rng.integers(0, len(photos.truth), len(mixed))
    mixed = mixed[photos.truth[mixed[:, -1]] != photos.truth[mixed[:, 0]]]
    chances = probabilities(photos.logits, decision.temperature)
    same, other = (np.array([same_ratio(chances[rows]) for rows in some]) for some in (groups, mixed))
    return float((same < LEAST_SAME_RATIO).mean()), float((other < LEAST_SAME_RATIO).mean())


def report(photos: TestPhotos, decision: Decision) -> None:
    """Print the table and the shares of warnings."""
    for row in (_HEAD, ["---"] * len(_HEAD), *rows_of(photos, decision)):
        print(f"| {' | '.join(row)} |")
    for size in SIZES[1:]:
        same, other = warned_shares(photos, decision, size)
        print(f"{size} photos: warned of {same:.3f} of groups of one class, {other:.3f} with one of another class")


def main() -> None:
    """Fit, write if asked to, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--home", type=Path, required=True, help="workspace with the photos")
    parser.add_argument("--write", action="store_true", help="store the exponent in the model")
    asked = parser.parse_args()
    folder = find_model(asked.home, asked.model)
    model = load_model(folder)
    photos = validation_photos(asked.home, model, folder)
    outputs, unreadable = read_outputs(model, list(photos["path"]))
    exponent = fitted_exponent(model, photos[~photos["path"].isin(unreadable)], outputs.logits)
    print(f"{model.spec.name}: exponent {exponent:.3f}, fitted to {len(outputs.logits):,} validation photos")
    if asked.write:
        save_pooling_exponent(folder, exponent)
    report(test_photos(asked.home, model), replace(model.spec.decision, pooling_exponent=exponent))


if __name__ == "__main__":
    main()
