"""What turns trained weights into a model: references, temperature and thresholds fitted, and every figure measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.calibration import fit_decision, fit_references
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import evaluate_photos, prediction_table, read_outputs
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Status


@dataclass(frozen=True)
class Finished:
    """A model that is ready to answer.

    Attributes
    ----------
    model : SneakerModel
        With references, decision and metrics: "test", "val" and, where there are photos of other things, "others".
    test_table : DataFrame
        Its prediction table of the test photos.
    """

    model: SneakerModel
    test_table: pd.DataFrame


def fit_and_measure(
    model: SneakerModel,
    split: Mapping[Split, pd.DataFrame],
    others: pd.DataFrame,
    seed: int,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> Finished:
    """Fit what a model needs beside its weights, and measure it.

    Of several processes (torchrun) all must call this with the same arguments.

    Parameters
    ----------
    model : SneakerModel
        With its weights as they are stored.
    split : mapping
        Split -> DataFrame with columns sample, path, label. References are fitted to training photos, temperature and
        thresholds to validation photos; test photos only tell how good it is.
    others : DataFrame
        Photos of other things to measure with, label None; may be empty.
    seed : int
        Of the references.
    told : callable
        Called with photos done and photos in all.
    """
    total = sum(map(len, split.values())) + len(others)

    def after(before: int) -> Callable[[int], None]:
        return lambda done: told(before + done, total)

    classes, seen = model.spec.classes, len(split[Split.TRAIN])
    learned, lost = read_outputs(model, list(split[Split.TRAIN]["path"]), after(0))
    references = fit_references(learned.embeddings, _numbers(_without(split[Split.TRAIN], lost), classes), seed)
    outputs, lost = read_outputs(model, list(split[Split.VAL]["path"]), after(seen))
    judged = _without(split[Split.VAL], lost)
    decision = fit_decision(outputs, _numbers(judged, classes), references)
    model = SneakerModel(replace(model.spec, decision=decision), model.network, references)
    seen += len(split[Split.VAL])
    test_table, _ = evaluate_photos(model, split[Split.TEST], after(seen))
    metrics: dict[str, Any] = {"test": summary(test_table), "val": _headline(prediction_table(model, judged, outputs))}
    if len(others):
        table, _ = evaluate_photos(model, others, after(seen + len(test_table)))
        metrics["others"] = {"n": len(table), "found": float((table["status"] == Status.UNKNOWN).mean())}
    return Finished(replace(model, spec=replace(model.spec, metrics=metrics)), test_table)


def _without(samples: pd.DataFrame, lost: Mapping[str, str]) -> pd.DataFrame:
    """The photos that can still be read: files may go while a training lasts."""
    return samples[~samples["path"].isin(lost)]


def _headline(table: pd.DataFrame) -> dict[str, Any]:
    return {key: value for key, value in summary(table).items() if isinstance(value, (int, float))}


def _numbers(samples: pd.DataFrame, classes: tuple[str, ...]) -> NDArray[np.int64]:
    number = {name: index for index, name in enumerate(classes)}
    return samples["label"].map(number).to_numpy(dtype=float).astype(np.int64)
