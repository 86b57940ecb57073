"""Two models on the same photos: what one gets right and the other does not, and whether that is more than luck."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.confusion_matrix import confusion_matrix
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.table_columns import class_columns, judged

_EXACT_BELOW = 25
EXACT, CHI_SQUARE = "exact binomial", "chi-square with continuity correction"
_ROW = ["sample", "path", "label"]
_SAID = ["predicted", "probability", "rank"]


@dataclass(frozen=True)
class Comparison:
    """What two evaluations say of the photos that both judged.

    Attributes
    ----------
    n : int
        Photos that both judged, under the same label.
    only_a, only_b : int
        Photos that only one of them judged, or under another label.
    figures_a, figures_b : dict
        As `metrics.summary`, on the shared photos.
    p_value : float
        Of McNemar's test: how likely so uneven a result would be, were both equally good.
    test : str
        Which form of it: `EXACT` or `CHI_SQUARE`.
    difference : DataFrame
        Confusion matrix of the second less that of the first; true x predicted.
    fixed, broken : DataFrame
        Photos that the first has wrong and the second right, and the other way round: sample, path, label,
        predicted_a, predicted_b, probability_a, probability_b, rank_a, rank_b; the most confident error first.
    """

    n: int
    only_a: int
    only_b: int
    figures_a: dict[str, Any]
    figures_b: dict[str, Any]
    p_value: float
    test: str
    difference: pd.DataFrame
    fixed: pd.DataFrame
    broken: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; photos by their samples."""
        return {
            **{key: getattr(self, key) for key in ("n", "only_a", "only_b", "figures_a", "figures_b")},
            **{"p_value": self.p_value, "test": self.test},
            "fixed": list(self.fixed["sample"]),
            "broken": list(self.broken["sample"]),
        }


def compare(table_a: pd.DataFrame, table_b: pd.DataFrame) -> Comparison:
    """Compare two prediction tables on the photos that both judged.

    Parameters
    ----------
    table_a, table_b : DataFrame
        Prediction tables, of two models or of one before and after. A photo is shared when sample and label are the
        same in both and both models know the label.

    Raises
    ------
    DatasetError
        They share no photo.
    """
    a, b = _judged(table_a), _judged(table_b)
    shared = a.index.intersection(b.index)
    if shared.empty:
        raise DatasetError(
            "The two evaluations share no photo with the same label; evaluate both models on the same photos."
        )
    only_a, only_b = len(a) - len(shared), len(b) - len(shared)
    a, b = a.loc[shared].reset_index(drop=True), b.loc[shared].reset_index(drop=True)
    both = _side_by_side(a, b)
    right_a, right_b = (both[f"predicted_{side}"] == both["label"] for side in "ab")
    fixed = both[~right_a & right_b].sort_values("probability_a", ascending=False, kind="stable")
    broken = both[right_a & ~right_b].sort_values("probability_b", ascending=False, kind="stable")
    p_value, test = mcnemar(len(fixed), len(broken))
    difference = confusion_matrix(b).sub(confusion_matrix(a), fill_value=0).fillna(0).astype(int)
    return Comparison(len(both), only_a, only_b, summary(a), summary(b), p_value, test, difference, fixed, broken)


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    """The judged rows, found by sample and label."""
    rows = judged(table).drop_duplicates(["sample", "label"])
    return rows.set_index(["sample", "label"], drop=False).rename_axis(["", " "])


def _side_by_side(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    both = a[_ROW].copy()
    both["path"] = a["path"].where(a["path"].notna(), b["path"])  # one of them may have come without its photos
    for side, table in (("a", a), ("b", b)):
        for column in _SAID:
            both[f"{column}_{side}"] = table[column]
    return both


def mcnemar(fixed: int, broken: int) -> tuple[float, str]:
    """Whether two models differ by more than luck, from the photos that only one of them has right.

    Parameters
    ----------
    fixed, broken : int
        Photos that only the second, and only the first, has right.

    Returns
    -------
    p_value : float
        0 to 1; two-sided.
    test : str
        `EXACT` below 25 such photos, else `CHI_SQUARE`.

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


def same_classes(table_a: pd.DataFrame, table_b: pd.DataFrame) -> bool:
    """Whether both models know the same classes, so that none has the harder choice."""
    return set(class_columns(table_a)) == set(class_columns(table_b))
