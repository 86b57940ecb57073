"""The confusion matrix: counts, class order, filters, and the photos of each cell."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from sneaker_core.evaluation.table_columns import evaluated_rows
from sneaker_core.workspace.safe_names import natural_order


class ClassOrder(StrEnum):
    """Order of the classes in a confusion matrix."""

    NAME = "name"
    SUPPORT = "support"
    CONFUSION = "confusion"


@dataclass(frozen=True)
class MatrixView:
    """A confusion matrix, ordered and filtered for display.

    Attributes
    ----------
    counts : DataFrame
        Number of photos, true class x predicted class, in display order.
    values : DataFrame
        What the cells show: counts, or shares of the true class (0 to 1); nan for hidden cells.
    support : Series of int
        Number of photos of each true class.
    normalized : bool
        Whether `values` holds shares.
    """

    counts: pd.DataFrame
    values: pd.DataFrame
    support: "pd.Series[int]"
    normalized: bool

    def cells(self) -> pd.DataFrame:
        """Visible cells with at least one photo: label, predicted, count, of (photos of the label), share, correct."""
        visible = ~np.isnan(self.values.to_numpy(dtype=float))
        rows, columns = np.nonzero(visible & (self.counts.to_numpy(dtype=int) > 0))
        label = self.counts.index.to_numpy(dtype=object)[rows]
        predicted = self.counts.columns.to_numpy(dtype=object)[columns]
        count, of = self.counts.to_numpy(dtype=int)[rows, columns], self.support.to_numpy(dtype=int)[rows]
        found = {"label": label, "predicted": predicted, "count": count, "of": of, "share": count / of}
        return pd.DataFrame({**found, "correct": label == predicted})


def confusion_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Number of photos by true and predicted class.

    Parameters
    ----------
    table : DataFrame
        A prediction table.

    Returns
    -------
    DataFrame
        One row per label that occurs and that the model knows; one column per label and per class that one of their
        photos was predicted as; both sorted by name.
    """
    rows = evaluated_rows(table)
    labels = sorted(rows["label"].unique(), key=natural_order)
    columns = sorted({*labels, *rows["predicted"]}, key=natural_order)
    counts = pd.crosstab(rows["label"], rows["predicted"])
    return counts.reindex(index=labels, columns=columns, fill_value=0).rename_axis(index="label", columns="predicted")


def matrix_view(
    table: pd.DataFrame,
    order: ClassOrder | str = ClassOrder.NAME,
    *,
    normalized: bool = False,
    only_errors: bool = False,
    worst: int | None = None,
) -> MatrixView:
    """Order and filter the confusion matrix of a prediction table.

    Parameters
    ----------
    table : DataFrame
        A prediction table.
    order : ClassOrder
        By name, by number of photos (largest first), or with classes that are confused next to each other.
    normalized : bool
        Show shares of the true class instead of counts.
    only_errors : bool
        Hide the diagonal and classes without errors.
    worst : int, optional
        Show only this many true classes: those with the most errors or, if `normalized`, with the highest error rate;
        and only the predicted classes they are confused with.
    """
    counts = confusion_matrix(table)
    support, errors = counts.sum(axis=1), _errors(counts)
    names = _ordered(counts, ClassOrder(order))
    labels = [name for name in names if name in counts.index]
    if worst is not None:
        lost = errors.sum(axis=1) / (support if normalized else 1)
        worst_first = lost.sort_values(ascending=False, kind="stable").index[: max(worst, 0)]
        labels = [name for name in labels if name in set(worst_first)]
    if only_errors:
        labels = [name for name in labels if errors.loc[name].any()]
    confused = errors.loc[labels].any()
    kept = set(confused.index[confused]) | (set() if only_errors else set(labels))
    if worst is None and not only_errors:
        kept = set(counts.columns)
    shown = counts.loc[labels, [name for name in names if name in kept]]
    values = shown.astype(float)
    if normalized:
        values = values.div(support.loc[labels], axis=0)
    if only_errors:
        values = values.mask(_is_correct(shown))
    return MatrixView(shown, values, support.loc[labels], normalized)


def _is_correct(counts: pd.DataFrame) -> pd.DataFrame:
    same = counts.index.to_numpy(dtype=object)[:, None] == counts.columns.to_numpy(dtype=object)[None]
    return pd.DataFrame(same, index=counts.index, columns=counts.columns)


def _errors(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.mask(_is_correct(counts), 0)


def _ordered(counts: pd.DataFrame, order: ClassOrder) -> list[str]:
    """All classes of a matrix in display order."""
    names = [str(name) for name in counts.columns]
    if order is ClassOrder.NAME:
        return names
    if order is ClassOrder.SUPPORT:
        support = counts.sum(axis=1)
        return sorted(names, key=lambda name: (-int(support.get(name, 0)), name))
    return _by_confusion(counts, names)


def _by_confusion(counts: pd.DataFrame, names: list[str]) -> list[str]:
    """Order classes so that those that are confused with each other are neighbors.

    References
    ----------
    Bar-Joseph, Gifford and Jaakkola, "Fast optimal leaf ordering for hierarchical clustering", 2001.
    """
    if len(names) < 3:
        return names
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = _errors(counts).div(counts.sum(axis=1), axis=0).reindex(index=names, fill_value=0).to_numpy()
    distance = 1 - (shares + shares.T) / 2
    np.fill_diagonal(distance, 0)
    return [names[place] for place in leaves_list(linkage(squareform(distance), "average", optimal_ordering=True))]


def photos_in_cell(table: pd.DataFrame, label: str | None = None, predicted: str | None = None) -> pd.DataFrame:
    """The photos that a cell counts, most confident first; of a whole row or column if only one class is given."""
    rows = evaluated_rows(table)
    if label is not None:
        rows = rows[rows["label"] == label]
    if predicted is not None:
        rows = rows[rows["predicted"] == predicted]
    return rows.sort_values("probability", ascending=False, kind="stable")
