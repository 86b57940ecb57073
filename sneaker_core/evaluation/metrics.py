"""Figures from a prediction table. Every function is pure: table in, numbers out."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.evaluation.table_columns import chances_of, check_known, class_columns, class_numbers, judged, ranks
from sneaker_core.networks.decision import Status

CALIBRATION_BINS = 15
# The figures that come with an interval, in the order of a page.
WITH_INTERVAL = ("top1", "top3", "balanced_accuracy", "macro_f1", "ece")
RESAMPLES = 1000
_OUTSIDE = 0.05  # share of resamples that lie outside of an interval
_SEED = 0
_AT_ONCE = 100  # resamples in memory


def top_k_accuracy(chances: NDArray[np.float32], truth: NDArray[np.int64], k: int) -> float:
    """Share of rows whose true class is among the k most probable, 0 to 1.

    Parameters
    ----------
    chances : float array (N, C)
    truth : int array (N,)
    k : int
        1 to C. Of equal probabilities the first class counts as the more probable.
    """
    return float((ranks(chances, truth.astype(np.float64)) <= k).mean())


def calibration_bins(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> pd.DataFrame:
    """Photos sorted into equal-width bins of confidence over 0 to 1.

    Returns
    -------
    DataFrame
        A row a bin: low, high, n, confidence and accuracy (means of the bin; nan where it is empty).
    """
    bin_of = _bin_of(confidence, bins)
    n = np.bincount(bin_of, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(bin_of, weights=values, minlength=bins) / n for values in (confidence, right)]
    edges = np.arange(bins + 1) / bins
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": n, "confidence": means[0], "accuracy": means[1]})


def _bin_of(confidence: NDArray[np.float32], bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


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
    table = calibration_bins(confidence, right, bins)
    return float(((table["confidence"] - table["accuracy"]).abs() * table["n"]).sum() / len(confidence))


def confused_pairs(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Which class is taken for which, most often first: [{"label", "predicted", "count", "of"}, ...]."""
    wrong = table[table["label"] != table["predicted"]]
    counts = wrong.groupby(["label", "predicted"]).size().reset_index(name="count")
    counts = counts.sort_values("count", ascending=False, kind="stable")
    counts["of"] = counts["label"].map(table["label"].value_counts())
    return [{str(key): value for key, value in row.items()} for row in counts.to_dict("records")]


def per_class(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of photos of each class that occurs as a label."""
    # Not at the top: it takes a second, and pages read this module at their start.
    from sklearn.metrics import precision_recall_fscore_support

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
        n, top1, top3, ece, macro_f1 and balanced_accuracy (means over the classes that occur), majority (accuracy of
        always saying the commonest class), refused (share answered "not a sneaker I know"), intervals (as
        `intervals`), per_class, confusions, and left_out: label -> photos of classes that the model does not know.

    Raises
    ------
    DatasetError
        The model knows none of the labels.
    """
    classes = list(class_columns(table))
    check_known(table["label"], classes)
    rows = judged(table)
    right = (rows["label"] == rows["predicted"]).to_numpy()
    classwise = per_class(rows)
    return {
        "n": len(rows),
        "top1": float(right.mean()),
        "top3": float(_in_top3(rows).mean()),
        "ece": calibration_error(rows["probability"].to_numpy(dtype=np.float32), right),
        "macro_f1": float(np.mean([row["f1"] for row in classwise.values()])),
        "balanced_accuracy": float(np.mean([row["recall"] for row in classwise.values()])),
        "majority": float(rows["label"].value_counts().iloc[0] / len(rows)),
        "refused": float((rows["status"] == Status.UNKNOWN).mean()),
        "intervals": intervals(table),
        "per_class": classwise,
        "confusions": confused_pairs(rows),
        "left_out": table.loc[~table["label"].isin(classes), "label"].value_counts().to_dict(),
    }


def _in_top3(rows: pd.DataFrame) -> NDArray[np.bool_]:
    # A table that travels with a model has rounded probabilities, but the ranks from before.
    if "rank" in rows:
        return rows["rank"].to_numpy(dtype=float) <= 3
    return ranks(chances_of(rows), class_numbers(rows["label"], list(class_columns(rows)))) <= 3


def intervals(table: pd.DataFrame, resamples: int = RESAMPLES, seed: int = _SEED) -> dict[str, list[float]]:
    """How far figures may be off by the luck of which photos were taken: 95 % percentile bootstrap over photos.

    Parameters
    ----------
    table : DataFrame
        With at least one photo whose label the model knows.
    resamples : int
    seed : int

    Returns
    -------
    dict
        [low, high] for each of `WITH_INTERVAL`. A figure that chance can only worsen, as the calibration error, may
        lie at the edge of its interval or below it.

    References
    ----------
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    parts = countable(judged(table)).astype(np.float32)
    count, rng = len(parts), np.random.default_rng(seed)
    told = []
    for start in range(0, resamples, _AT_ONCE):
        size = min(_AT_ONCE, resamples - start)
        drawn = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        told.append(weighted_figures(weights.astype(np.float32) @ parts))
    shares = (_OUTSIDE / 2, 1 - _OUTSIDE / 2)
    return {
        name: [float(value) for value in np.quantile(np.concatenate([part[name] for part in told]), shares)]
        for name in WITH_INTERVAL
    }


def countable(rows: pd.DataFrame) -> NDArray[np.float64]:
    """What every figure with an interval can be made of, once it is summed over photos.

    Parameters
    ----------
    rows : DataFrame
        Photos whose labels the model knows.

    Returns
    -------
    float64 array (N, 2 + bins + 3 L)
        Whether each photo is right, and right among three; confidence less right, in its bin; then for each of L
        labels whether the photo is of it, is taken for it, and both.
    """
    labels = np.array(sorted(rows["label"].unique()), dtype=object)
    right = (rows["label"] == rows["predicted"]).to_numpy()
    confidence = rows["probability"].to_numpy(dtype=np.float32)
    gap = np.zeros((len(rows), CALIBRATION_BINS))
    gap[np.arange(len(rows)), _bin_of(confidence, CALIBRATION_BINS)] = confidence - right
    is_of = rows["label"].to_numpy(dtype=object)[:, None] == labels[None]
    is_taken = rows["predicted"].to_numpy(dtype=object)[:, None] == labels[None]
    return np.hstack([right[:, None], _in_top3(rows)[:, None], gap, is_of, is_taken, is_of & is_taken]).astype(float)


def weighted_figures(sums: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """The figures `WITH_INTERVAL` of each row of sums over the columns of `countable`: name -> (rows,)."""
    right, in_top3 = sums[:, 0], sums[:, 1]
    gaps, classes = sums[:, 2 : 2 + CALIBRATION_BINS], sums[:, 2 + CALIBRATION_BINS :]
    support, taken, hits = np.split(classes.astype(np.float64), 3, axis=1)
    count, there = support.sum(axis=1), support > 0
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + taken, 1)
    occurring = there.sum(axis=1)
    return {
        "top1": right / count,
        "top3": in_top3 / count,
        "balanced_accuracy": recall.sum(axis=1) / occurring,
        # A class that does not occur has no part in the mean, even where something is taken for it.
        "macro_f1": (f1 * there).sum(axis=1) / occurring,
        "ece": np.abs(gaps).sum(axis=1) / count,
    }
