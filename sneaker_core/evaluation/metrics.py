"""Metrics of a prediction table. Every function is pure: table in, numbers out."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.evaluation.photo_uses import counted_use, use_counts
from sneaker_core.evaluation.table_columns import (
    check_known_labels,
    class_columns,
    class_indices,
    class_probabilities,
    evaluated_rows,
    ranks,
)
from sneaker_core.networks.decision import Status

CALIBRATION_BINS = 15
# The metrics that have a bootstrap interval, in display order.
KEY_METRICS = ("top1", "top3", "balanced_accuracy", "macro_f1", "ece")
RESAMPLES = 1000
_OUTSIDE = 0.05  # share of resamples outside the interval
_SEED = 0
_BATCH = 100  # resamples held in memory at a time


def top_k_accuracy(probabilities: NDArray[np.float32], truth: NDArray[np.int64], k: int) -> float:
    """Share of rows whose true class is among the k most probable classes, 0 to 1.

    Parameters
    ----------
    probabilities : float array (N, C)
    truth : int array (N,)
    k : int
        1 to C. Ties go to the class with the lower index.
    """
    return float((ranks(probabilities, truth.astype(np.float64)) <= k).mean())


def calibration_bins(
    confidence: NDArray[np.float32], correct: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> pd.DataFrame:
    """Sort predictions into bins of equal width by confidence.

    Parameters
    ----------
    confidence : float array (N,)
        Probability of the predicted class, 0 to 1.
    correct : bool array (N,)
    bins : int

    Returns
    -------
    DataFrame
        One row per bin: low, high, n, confidence and accuracy (means of the bin; nan if it is empty).
    """
    bin_of = _bin_of(confidence, bins)
    n = np.bincount(bin_of, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(bin_of, weights=values, minlength=bins) / n for values in (confidence, correct)]
    edges = np.arange(bins + 1) / bins
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": n, "confidence": means[0], "accuracy": means[1]})


def _bin_of(confidence: NDArray[np.float32], bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def calibration_error(
    confidence: NDArray[np.float32], correct: NDArray[np.bool_], bins: int = CALIBRATION_BINS
) -> float:
    """Expected calibration error: mean absolute difference between confidence and accuracy, 0 to 1.

    Parameters
    ----------
    confidence : float array (N,)
        Probability of the predicted class.
    correct : bool array (N,)
    bins : int
        Bins of equal width from 0 to 1.

    References
    ----------
    Naeini, Cooper and Hauskrecht (2015); Guo et al. (2017), On calibration of modern neural networks.
    """
    table = calibration_bins(confidence, correct, bins)
    return float(((table["confidence"] - table["accuracy"]).abs() * table["n"]).sum() / len(confidence))


def confused_pairs(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Pairs of classes that were confused, most frequent first: [{"label", "predicted", "count", "of"}, ...]."""
    wrong = table[table["label"] != table["predicted"]]
    counts = wrong.groupby(["label", "predicted"]).size().reset_index(name="count")
    counts = counts.sort_values("count", ascending=False, kind="stable")
    counts["of"] = counts["label"].map(table["label"].value_counts())
    return [{str(key): value for key, value in row.items()} for row in counts.to_dict("records")]


def per_class(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and number of photos of each class that occurs as a label."""
    # Imported here because it takes a second, and pages load this module early.
    from sklearn.metrics import precision_recall_fscore_support

    labels = sorted(table["label"].unique())
    columns = precision_recall_fscore_support(table["label"], table["predicted"], labels=labels, zero_division=0)
    return {
        label: {"precision": float(p), "recall": float(r), "f1": float(f), "n": int(n)}
        for label, p, r, f, n in zip(labels, *columns, strict=True)
    }


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """All metrics of an evaluation.

    Parameters
    ----------
    table : DataFrame
        From `prediction_table`.

    Returns
    -------
    dict
        n (evaluated photos), top1, top3, ece, macro_f1 and balanced_accuracy (means over the classes that occur),
        majority (accuracy of always guessing the most common class), refused (share of photos with the status
        "unknown"), intervals (from `bootstrap_intervals`), per_class, confusions; left_out: label -> number of photos,
        for classes that the model doesn't know; used: use -> number of photos that don't count because the model used
        them; and use: "" unless the model used all the photos that count, see `photo_uses.counted_use`.

    Raises
    ------
    DatasetError
        The model knows none of the labels.
    """
    classes = list(class_columns(table))
    check_known_labels(table["label"], classes)
    rows = evaluated_rows(table)
    correct = (rows["label"] == rows["predicted"]).to_numpy()
    by_class = per_class(rows)
    return {
        "n": len(rows),
        "top1": float(correct.mean()),
        "top3": float(_in_top3(rows).mean()),
        "ece": calibration_error(rows["probability"].to_numpy(dtype=np.float32), correct),
        "macro_f1": float(np.mean([row["f1"] for row in by_class.values()])),
        "balanced_accuracy": float(np.mean([row["recall"] for row in by_class.values()])),
        "majority": float(rows["label"].value_counts().iloc[0] / len(rows)),
        "refused": float((rows["status"] == Status.UNKNOWN).mean()),
        "intervals": bootstrap_intervals(table),
        "per_class": by_class,
        "confusions": confused_pairs(rows),
        "use": counted_use(rows),
        "used": use_counts(table[table["label"].isin(classes)]),
        "left_out": table.loc[~table["label"].isin(classes), "label"].value_counts().to_dict(),
    }


def _in_top3(rows: pd.DataFrame) -> NDArray[np.bool_]:
    # A compact table has rounded probabilities, but ranks from before the rounding.
    if "rank" in rows:
        return rows["rank"].to_numpy(dtype=float) <= 3
    return ranks(class_probabilities(rows), class_indices(rows["label"], list(class_columns(rows)))) <= 3


def bootstrap_intervals(table: pd.DataFrame, resamples: int = RESAMPLES, seed: int = _SEED) -> dict[str, list[float]]:
    """95% percentile bootstrap intervals over photos.

    Parameters
    ----------
    table : DataFrame
        With at least one photo whose label the model knows.
    resamples : int
    seed : int

    Returns
    -------
    dict
        [low, high] for each of `KEY_METRICS`. Resampling noise inflates the calibration error, so its value may lie at
        or below the lower end of its interval.

    References
    ----------
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    terms = photo_terms(evaluated_rows(table)).astype(np.float32)
    count, rng = len(terms), np.random.default_rng(seed)
    batches = []
    for start in range(0, resamples, _BATCH):
        size = min(_BATCH, resamples - start)
        chosen = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        weights = np.bincount(chosen.ravel(), minlength=size * count).reshape(size, count)
        batches.append(metrics_of_sums(weights.astype(np.float32) @ terms))
    quantiles = (_OUTSIDE / 2, 1 - _OUTSIDE / 2)
    return {
        name: [float(value) for value in np.quantile(np.concatenate([batch[name] for batch in batches]), quantiles)]
        for name in KEY_METRICS
    }


def photo_terms(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Per-photo terms whose sums over any set of photos determine its `KEY_METRICS`.

    Parameters
    ----------
    rows : DataFrame
        Photos whose labels the model knows.

    Returns
    -------
    float64 array (N, 2 + bins + 3 L)
        Whether each photo is correct, and correct within the top three; confidence minus correctness, in the column of
        its calibration bin; then for each of L labels whether the photo has the label, is predicted as it, and both.
    """
    labels = np.array(sorted(rows["label"].unique()), dtype=object)
    correct = (rows["label"] == rows["predicted"]).to_numpy()
    confidence = rows["probability"].to_numpy(dtype=np.float32)
    gap = np.zeros((len(rows), CALIBRATION_BINS))
    gap[np.arange(len(rows)), _bin_of(confidence, CALIBRATION_BINS)] = confidence - correct
    has_label = rows["label"].to_numpy(dtype=object)[:, None] == labels[None]
    predicted = rows["predicted"].to_numpy(dtype=object)[:, None] == labels[None]
    columns = [correct[:, None], _in_top3(rows)[:, None], gap, has_label, predicted, has_label & predicted]
    return np.hstack(columns).astype(float)


def metrics_of_sums(sums: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """The `KEY_METRICS` of each row of summed `photo_terms`: name -> float64 array (rows,)."""
    correct, in_top3 = sums[:, 0], sums[:, 1]
    gaps, classes = sums[:, 2 : 2 + CALIBRATION_BINS], sums[:, 2 + CALIBRATION_BINS :]
    support, predicted, hits = np.split(classes.astype(np.float64), 3, axis=1)
    count, occurs = support.sum(axis=1), support > 0
    recall = hits / np.maximum(support, 1)
    f1 = 2 * hits / np.maximum(support + predicted, 1)
    occurring = occurs.sum(axis=1)
    return {
        "top1": correct / count,
        "top3": in_top3 / count,
        "balanced_accuracy": recall.sum(axis=1) / occurring,
        # Classes that don't occur are left out of the mean, even if photos are predicted as them.
        "macro_f1": (f1 * occurs).sum(axis=1) / occurring,
        "ece": np.abs(gaps).sum(axis=1) / count,
    }
