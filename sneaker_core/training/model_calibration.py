"""Calibration and evaluation of a trained network: what turns it into a finished model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.calibration import fit_decision, fit_references, world_numbers
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.pooling_fit import fit_pooling_exponent
from sneaker_core.evaluation.prediction_table import evaluate_photos, prediction_table, read_outputs
from sneaker_core.evaluation.worlds import has_worlds, world_metrics
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Status


@dataclass(frozen=True)
class CalibratedModel:
    """A finished model and its predictions for the test photos.

    Attributes
    ----------
    model : SneakerModel
        With references, decision and metrics: "test", "val" and, as far as there are photos of them, "worlds" (of the
        test photos), "negatives" and "other_footwear".
    test_table : DataFrame
        Prediction table of the test photos.
    """

    model: SneakerModel
    test_table: pd.DataFrame


def calibrate_and_evaluate(
    model: SneakerModel,
    split: Mapping[Split, pd.DataFrame],
    negatives: Mapping[Split, pd.DataFrame],
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CalibratedModel:
    """Fit references, temperatures and thresholds of a model, and compute its metrics.

    With several processes (torchrun), all must call this with the same arguments.

    Parameters
    ----------
    model : SneakerModel
        With its weights as stored.
    split : mapping
        Split -> DataFrame with columns sample, path, label and, if known, world. References are fitted to training
        photos, temperature and thresholds to validation photos; test photos are used for metrics only.
    negatives : mapping
        Split -> DataFrame as in `split` of photos that show none of the classes, label None, and, if known, footwear
        (the type, of photos of other footwear); may be empty. The OOD score is fitted to those of validation.
    seed : int
        Seed of the references, and of the groups that the temperature for several photos is fitted to.
    progress : callable
        Called with the number of photos done and their total.
    """
    rejected_val, rejected_test = (negatives.get(part, pd.DataFrame()) for part in (Split.VAL, Split.TEST))
    total = sum(map(len, split.values())) + len(rejected_val) + len(rejected_test)

    def from_offset(offset: int) -> Callable[[int], None]:
        return lambda done: progress(offset + done, total)

    classes, done = model.spec.classes, len(split[Split.TRAIN])
    train_outputs, unreadable = read_outputs(model, list(split[Split.TRAIN]["path"]), from_offset(0))
    train_targets = class_numbers(_without(split[Split.TRAIN], unreadable), classes)
    references = fit_references(train_outputs.embeddings, train_targets, seed)
    outputs, unreadable = read_outputs(model, list(split[Split.VAL]["path"]), from_offset(done))
    validation = _without(split[Split.VAL], unreadable)
    done += len(split[Split.VAL])
    rejected = None
    if len(rejected_val):
        rejected, _ = read_outputs(model, list(rejected_val["path"]), from_offset(done))
    done += len(rejected_val)
    worlds = validation_worlds(validation)
    targets = class_numbers(validation, classes)
    decision = fit_decision(outputs, targets, references, rejected, worlds)
    exponent = fit_pooling_exponent(outputs.logits, targets, worlds, decision.temperature, seed)
    decision = replace(decision, pooling_exponent=exponent)
    model = SneakerModel(replace(model.spec, decision=decision), model.network, references)
    test_table, _ = evaluate_photos(model, split[Split.TEST], from_offset(done))
    metrics: dict[str, Any] = {
        "test": summary(test_table),
        "val": _scalars(summary(prediction_table(model, validation, outputs))),
    }
    if has_worlds(test_table):
        metrics["worlds"] = [one.to_dict() for one in world_metrics(test_table)]
    if len(rejected_test):
        table, _ = evaluate_photos(model, rejected_test, from_offset(done + len(test_table)))
        metrics |= _refusals(table, rejected_test)
    return CalibratedModel(replace(model, spec=replace(model.spec, metrics=metrics)), test_table)


def validation_worlds(photos: pd.DataFrame) -> NDArray[np.int64]:
    """The number of each photo's world; one for all if the worlds aren't known."""
    return world_numbers(list(photos[WORLD])) if WORLD in photos else np.zeros(len(photos), np.int64)


def _refusals(table: pd.DataFrame, negatives: pd.DataFrame) -> dict[str, Any]:
    """How many of the photos without footwear, and of those of other footwear, are unknown to the model."""
    refused = table["status"] == Status.UNKNOWN
    footwear = set(negatives.loc[negatives["footwear"].notna(), "sample"]) if "footwear" in negatives else set()
    is_footwear = table["sample"].isin(footwear)
    kinds = {"negatives": ~is_footwear, "other_footwear": is_footwear}
    return {
        kind: {"n": int(rows.sum()), "found": float(refused[rows].mean())} for kind, rows in kinds.items() if rows.any()
    }


def _without(samples: pd.DataFrame, unreadable: Mapping[str, str]) -> pd.DataFrame:
    """The samples without photos that can no longer be read: files may disappear during training."""
    return samples[~samples["path"].isin(unreadable)]


def _scalars(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metrics.items() if isinstance(value, (int, float))}


def class_numbers(samples: pd.DataFrame, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """The number of each photo's class."""
    number = {name: index for index, name in enumerate(classes)}
    return samples["label"].map(number).to_numpy(dtype=float).astype(np.int64)
