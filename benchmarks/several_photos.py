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

from benchmarks.street72 import NAME, photos_of
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
from sneaker_core.inference.predictor import PhotoReading
from sneaker_core.inference.same_sneaker import same_sneaker_answer
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_pooling_exponent, with_spec
from sneaker_core.networks.decision import Decision, Floats, Outputs, probabilities
from sneaker_core.networks.model_registry import find_model
from sneaker_core.networks.pooling import LEAST_SAME_RATIO, pooled_temperature, same_ratio
from sneaker_core.training.model_calibration import class_numbers, validation_worlds

SIZES = (1, 2, 3, 5)
SEED = 0
_ALL = "all"
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
    agree = _agree(photos, groups, decision)
    named_share, right, errors = [], [], []
    before = probabilities(means, decision.temperature)
    after = probabilities(means, pooled_temperature(decision, groups.shape[1]))
    for chances in (before, np.where(_warned(photos, groups, decision)[:, None], before, after)):
        confidence, correct = chances.max(1), chances.argmax(1) == truth
        named = ~refused & agree & (confidence >= decision.confidence_threshold)
        named_share.append(f"{named.mean():.3f}")
        right.append(f"{correct[named].mean():.3f}")
        errors.append(f"{calibration_error(confidence, correct):.3f}")
    pairs = [" → ".join(dict.fromkeys(pair)) for pair in (named_share, right, errors)]
    return [f"{correct.mean():.3f}", f"{refused.mean():.3f}", *pairs]


def _agree(photos: TestPhotos, groups: NDArray[np.int64], decision: Decision) -> NDArray[np.bool_]:
    """Whether a group's photos don't disagree, or more than half of them say the same."""
    own = photos.logits[groups].argmax(2)
    own[photos.scores[groups] > decision.ood_threshold] = -1
    agreeing = (own == photos.logits[groups].mean(1).argmax(1)[:, None]).sum(1)
    return np.asarray(~_warned(photos, groups, decision) | (2 * agreeing > groups.shape[1]))


def _warned(photos: TestPhotos, groups: NDArray[np.int64], decision: Decision) -> NDArray[np.bool_]:
    chances = probabilities(photos.logits, decision.temperature)
    return np.asarray(same_ratio(chances[groups]) < LEAST_SAME_RATIO)


def warned_shares(photos: TestPhotos, decision: Decision, size: int) -> tuple[float, float]:
    """How often photos are said to disagree: groups of one class, and groups with one photo of another class."""
    rng = np.random.default_rng(SEED)
    _, numbers = np.unique(photos.worlds, return_inverse=True)
    groups = photo_groups(photos.truth, numbers.astype(np.int64), size, SEED)
    mixed = groups.copy()
    mixed[:, -1] = rng.integers(0, len(photos.truth), len(mixed))
    mixed = mixed[photos.truth[mixed[:, -1]] != photos.truth[mixed[:, 0]]]
    same, other = (_warned(photos, some, decision).mean() for some in (groups, mixed))
    return float(same), float(other)


def refused_shares(model: SneakerModel, negatives: pd.DataFrame, outputs: Outputs, size: int) -> dict[str, float]:
    """The share of groups of negatives that are refused: of things, and of other footwear of one type."""
    types = negatives["footwear"].fillna("")
    numbers = pd.factorize(types)[0].astype(np.int64)
    groups = photo_groups(numbers, np.zeros(len(numbers), np.int64), size, SEED)
    readings = [PhotoReading(str(row), outputs.take(np.array([row])), None, 0.0) for row in range(len(numbers))]
    refused = np.array(
        [
            same_sneaker_answer(model, [readings[row] for row in rows], list(map(str, rows))).answer.refused
            for rows in groups
        ]
    )
    is_footwear = types.to_numpy()[groups[:, 0]] != ""
    kinds = {"things": ~is_footwear, "other footwear": is_footwear}
    return {kind: float(refused[own].mean()) for kind, own in kinds.items()}


def report(photos: TestPhotos, decision: Decision) -> None:
    """Print the table and the shares of warnings."""
    for row in (_HEAD, ["---"] * len(_HEAD), *rows_of(photos, decision)):
        print(f"| {' | '.join(row)} |")
    for size in SIZES[1:]:
        same, other = warned_shares(photos, decision, size)
        print(f"{size} photos: warned of {same:.3f} of groups of one class, {other:.3f} with one of another class")


def report_refused(model: SneakerModel, negatives: pd.DataFrame, outputs: Outputs) -> None:
    """Print the shares of groups of negatives that are refused."""
    for size in SIZES:
        shares = refused_shares(model, negatives, outputs, size)
        print(f"{size} photos: refused " + ", ".join(f"{share:.3f} of {kind}" for kind, share in shares.items()))


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
    model = with_spec(model, decision=replace(model.spec.decision, pooling_exponent=exponent))
    report(test_photos(asked.home, model), model.spec.decision)
    if model.spec.name != SYNTHETIC_MODEL:
        negatives = photos_of(asked.home, folder)[1][Split.TEST]
        outputs, unreadable = read_outputs(model, list(negatives["path"]))
        report_refused(model, negatives[~negatives["path"].isin(unreadable)], outputs)


if __name__ == "__main__":
    main()
