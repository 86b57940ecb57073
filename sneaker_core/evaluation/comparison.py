"""Compare two evaluations of the same photos, with a test of significance."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.confusion_matrix import confusion_matrix
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.table_columns import class_columns, evaluated_rows
from sneaker_core.evaluation.worlds import Share

_EXACT_BELOW = 25
EXACT, CHI_SQUARE = "exact binomial", "chi-square with continuity correction"
_PHOTO_COLUMNS = ["sample", "path", "label"]
_ANSWER_COLUMNS = ["predicted", "probability", "rank"]


@dataclass(frozen=True)
class Comparison:
    """Two evaluations on the photos they share.

    Attributes
    ----------
    n : int
        Photos in both evaluations with the same label.
    only_a, only_b : int
        Photos in only one of them, or under another label in the other.
    metrics_a, metrics_b : dict
        From `metrics.summary`, on the shared photos.
    p_value : float
        Of McNemar's test: the probability of a difference at least this large if both models were equally good.
    test : str
        Which form of the test: `EXACT` or `CHI_SQUARE`.
    difference : DataFrame
        Confusion matrix of the second minus that of the first; true x predicted.
    fixed, broken : DataFrame
        Photos that only the second predicts correctly, and that only the first does: sample, path, label, predicted_a,
        predicted_b, probability_a, probability_b, rank_a, rank_b; the most confident error first.
    unknown_training : tuple of str
        Models of which it isn't known which photos they were trained on; one for each such evaluation.
    """

    n: int
    only_a: int
    only_b: int
    metrics_a: dict[str, Any]
    metrics_b: dict[str, Any]
    p_value: float
    test: str
    difference: pd.DataFrame
    fixed: pd.DataFrame
    broken: pd.DataFrame
    unknown_training: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; photos as lists of samples."""
        return {
            **{key: getattr(self, key) for key in ("n", "only_a", "only_b")},
            # The names are part of the command line's contract.
            **{"figures_a": self.metrics_a, "figures_b": self.metrics_b},
            **{"p_value": self.p_value, "test": self.test},
            "fixed": list(self.fixed["sample"]),
            "broken": list(self.broken["sample"]),
        }


def compare(table_a: pd.DataFrame, table_b: pd.DataFrame) -> Comparison:
    """Compare two prediction tables on the photos they share.

    Parameters
    ----------
    table_a, table_b : DataFrame
        Prediction tables, of two models or of one before and after a change. A photo is shared if sample and label are
        the same in both and both models know the label.

    Raises
    ------
    DatasetError
        They share no photo.
    """
    a, b = _by_photo(table_a), _by_photo(table_b)
    shared = a.index.intersection(b.index)
    if shared.empty:
        raise DatasetError(
            "The two evaluations have no photo with the same label in common. Evaluate both models on the same photos."
        )
    only_a, only_b = len(a) - len(shared), len(b) - len(shared)
    a, b = a.loc[shared].reset_index(drop=True), b.loc[shared].reset_index(drop=True)
    both = _side_by_side(a, b)
    correct_a, correct_b = (both[f"predicted_{side}"] == both["label"] for side in "ab")
    fixed = both[~correct_a & correct_b].sort_values("probability_a", ascending=False, kind="stable")
    broken = both[correct_a & ~correct_b].sort_values("probability_b", ascending=False, kind="stable")
    p_value, test = mcnemar(len(fixed), len(broken))
    difference = confusion_matrix(b).sub(confusion_matrix(a), fill_value=0).fillna(0).astype(int)
    return Comparison(len(both), only_a, only_b, summary(a), summary(b), p_value, test, difference, fixed, broken)


def _by_photo(table: pd.DataFrame) -> pd.DataFrame:
    """The evaluated rows, indexed by sample and label."""
    rows = evaluated_rows(table).drop_duplicates(["sample", "label"])
    return rows.set_index(["sample", "label"], drop=False).rename_axis(["", " "])


def _side_by_side(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    both = a[_PHOTO_COLUMNS].copy()
    both["path"] = a["path"].where(a["path"].notna(), b["path"])  # one of the evaluations may come without photos
    for side, table in (("a", a), ("b", b)):
        for column in _ANSWER_COLUMNS:
            both[f"{column}_{side}"] = table[column]
    return both


def mcnemar(fixed: int, broken: int) -> tuple[float, str]:
    """McNemar's test of whether two models have the same accuracy.

    Parameters
    ----------
    fixed, broken : int
        Photos that only the second model, and only the first, predicts correctly.

    Returns
    -------
    p_value : float
        0 to 1; two-sided.
    test : str
        `EXACT` below 25 such photos, `CHI_SQUARE` from 25 on.

    References
    ----------
    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", 1947; with
    the continuity correction of Edwards, 1948.
    """
    from scipy.stats import binomtest, chi2

    count = fixed + broken
    if count < _EXACT_BELOW:
        return (float(binomtest(fixed, count, 0.5).pvalue) if count else 1.0), EXACT
    statistic = max(abs(fixed - broken) - 1, 0) ** 2 / count
    return float(chi2.sf(statistic, 1)), CHI_SQUARE


def paired_interval(fixed: int, broken: int, right: int, n: int) -> tuple[float, float]:
    """95% interval of the difference between two accuracies on the same photos.

    Parameters
    ----------
    fixed, broken : int
        Photos that only the second model, and only the first, predicts correctly.
    right : int
        Photos that both predict correctly.
    n : int
        All photos; at least 1.

    Returns
    -------
    low, high : float
        -1 to 1, of the second accuracy minus the first.

    References
    ----------
    Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired data",
    Statistics in Medicine 17, 1998; method 10, from Wilson's intervals of both accuracies. Unlike a bootstrap, it stays
    wide where only a few photos differ (compared with others by Fagerland, Lydersen and Laake, same journal 33, 2014).
    """
    a, b = (Share.counted(right + only, n) for only in (broken, fixed))
    wrong = n - right - fixed - broken
    product = float(right * wrong - fixed * broken)
    product = max(product - n / 2, 0.0) if product > 0 else product  # correction for continuity
    margins = (right + fixed) * (wrong + broken) * (right + broken) * (wrong + fixed)
    correlation = product / math.sqrt(margins) if margins else 0.0

    def distance(first: float, second: float) -> float:
        return math.sqrt(max(first**2 - 2 * correlation * first * second + second**2, 0.0))

    difference = b.value - a.value
    low = difference - distance(b.value - b.low, a.high - a.value)
    return low, difference + distance(b.high - b.value, a.value - a.low)


def same_classes(table_a: pd.DataFrame, table_b: pd.DataFrame) -> bool:
    """Whether both models know the same classes, so that neither has more to choose from."""
    return set(class_columns(table_a)) == set(class_columns(table_b))
