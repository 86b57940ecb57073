"""Figures from a prediction table. Every function is pure: table in, numbers out."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.predictions import PROBABILITY_PREFIX, class_columns
from sneaker_core.networks.decision import Status

CALIBRATION_BINS = 15


def top_k_accuracy(chances: NDArray[np.float32], truth: NDArray[np.int64], k: int) -> float:
    """Share of rows whose true class is among the k most probable, 0 to 1.

    Parameters
    ----------
    chances : float array (N, C)
    truth : int array (N,)
    k : int
        1 to C. Of equal probabilities the first class counts as the more probable.
    """
    order = np.argsort(-chances, axis=1, kind="stable")[:, :k]
    return float((order == truth[:, None]).any(axis=1).mean())


def calibration_error(confidence: NDArray[np.float32], right: NDArray[np.bool_], bins: int = CALIBRATION_BINS) -> float:
    """Expected calibration error: how far confidence and accuracy lie apart, 0 to 1.

    Parameters
    ----------
    confidence : float array (N,)
        Probability of the predicted class.
    right : bool array (N,)
    bins : int
        Equal-width bins over 0 to 1.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015); Guo et al. (2017), On calibration of modern neural networks.
    """
    bin_of = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[bin_of == index].mean() - right[bin_of == index].mean()) * (bin_of == index).sum()
        for index in range(bins)
        if (bin_of == index).any()
    ]
    return float(sum(gaps) / len(confidence))


def confused_pairs(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Which class is taken for which, most often first: [{"label", "predicted", "count", "of"}, ...]."""
    wrong = table[table["label"] != table["predicted"]]
    counts = wrong.groupby(["label", "predicted"]).size().reset_index(name="count")
    counts = counts.sort_values("count", ascending=False, kind="stable")
    counts["of"] = counts["label"].map(table["label"].value_counts())
    return [{str(key): value for key, value in row.items()} for row in counts.to_dict("records")]


def per_class(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of photos of each class that occurs as a label."""
    labels = sorted(table["label"].unique())
    columns = precision_recall_fscore_support(table["label"], table["predicted"], labels=labels, zero_division=0)
    return {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "n": int(n)}
        for label, p, r, f, n in zip(labels, *columns, strict=True)
    }


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """The figures of an evaluation.

    Parameters
    ----------
    table : DataFrame
        From `prediction_table`.

    Returns
    -------
    dict
        n, top1, top3, ece, macro_f1 (mean over the classes that occur), refused (share answered "not a sneaker I
        know"), per_class, confusions, and left_out: label -> photos of classes that the model does not know.

    Raises
    ------
    DatasetError
        The model knows none of the labels.
    """
    classes = list(class_columns(table))
    known = table["label"].isin(classes)
    left_out = table.loc[~known, "label"].value_counts().to_dict()
    if not known.any():
        raise DatasetError("The model knows none of the classes of these photos, so there is nothing to compare.")
    rows = table[known]
    chances = rows[[PROBABILITY_PREFIX + name for name in classes]].to_numpy(dtype=np.float32)
    truth = rows["label"].map({name: index for index, name in enumerate(classes)}).to_numpy(dtype=int).astype(np.int64)
    right = (rows["label"] == rows["predicted"]).to_numpy()
    classwise = per_class(rows)
    return {
        "n": len(rows),
        "top1": float(right.mean()),
        "top3": top_k_accuracy(chances, truth, min(3, len(classes))),
        "ece": calibration_error(rows["probability"].to_numpy(dtype=np.float32), right),
        "macro_f1": float(np.mean([row["f1"] for row in classwise.values()])),
        "refused": float((rows["status"] == Status.UNKNOWN).mean()),
        "per_class": classwise,
        "confusions": confused_pairs(rows),
        "left_out": left_out,
    }
