"""The confusion matrix: counted once, then ordered and filtered, each cell with the photos it counts."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from sneaker_core.datasets.safe_names import natural_order
from sneaker_core.evaluation.table_columns import judged


class Order(StrEnum):
    """In which order classes stand."""

    NAME = "name"
    SUPPORT = "support"
    ALIKE = "alike"


@dataclass(frozen=True)
class MatrixView:
    """A confusion matrix as it is drawn.

    Attributes
    ----------
    counts : DataFrame
        Photos, true class x predicted class, in the order of drawing.
    drawn : DataFrame
        The same cells: counts, or shares of the true class (0 to 1); nan in cells that are not drawn.
    support : Series of int
        Photos of each true class.
    share : bool
        Whether `drawn` holds shares.
    """

    counts: pd.DataFrame
    drawn: pd.DataFrame
    support: "pd.Series[int]"
    share: bool

    def cells(self) -> pd.DataFrame:
        """The drawn cells that count photos: label, predicted, count, of (photos of the label), share, right."""
        shown = ~np.isnan(self.drawn.to_numpy(dtype=float))
        rows, columns = np.nonzero(shown & (self.counts.to_numpy(dtype=int) > 0))
        label = self.counts.index.to_numpy(dtype=object)[rows]
        predicted = self.counts.columns.to_numpy(dtype=object)[columns]
        count, of = self.counts.to_numpy(dtype=int)[rows, columns], self.support.to_numpy(dtype=int)[rows]
        told = {"label": label, "predicted": predicted, "count": count, "of": of, "share": count / of}
        return pd.DataFrame({**told, "right": label == predicted})


def confusion_matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Photos by true and by predicted class.

    Parameters
    ----------
    table : DataFrame
        A prediction table.

    Returns
    -------
    DataFrame
        Counts; a row for each label that occurs and that the model knows, a column for each of these and for every
        class that one of their photos was taken for; both sorted by name.
    """
    rows = judged(table)
    labels = sorted(rows["label"].unique(), key=natural_order)
    columns = sorted({*labels, *rows["predicted"]}, key=natural_order)
    counts = pd.crosstab(rows["label"], rows["predicted"])
    return counts.reindex(index=labels, columns=columns, fill_value=0).rename_axis(index="label", columns="predicted")


def view(
    table: pd.DataFrame,
    order: Order | str = Order.NAME,
    *,
    share: bool = False,
    only_errors: bool = False,
    worst: int | None = None,
) -> MatrixView:
    """What of the confusion matrix is drawn, and in which order.

    Parameters
    ----------
    table : DataFrame
        A prediction table.
    order : Order
        By name; by number of photos, most first; or so that classes which are confused stand together.
    share : bool
        Shares of the true class rather than counts.
    only_errors : bool
        Leaves out the cells of what is right, and classes without any error.
    worst : int, optional
        Only so many true classes: those with the most errors, or, with `share`, with the largest share of them; and of
        the predicted classes only these and what they are taken for.
    """
    counts = confusion_matrix(table)
    support, errors = counts.sum(axis=1), _errors(counts)
    names = _ordered(counts, Order(order))
    labels = [name for name in names if name in counts.index]
    if worst is not None:
        lost = errors.sum(axis=1) / (support if share else 1)
        worst_first = lost.sort_values(ascending=False, kind="stable").index[: max(worst, 0)]
        labels = [name for name in labels if name in set(worst_first)]
    if only_errors:
        labels = [name for name in labels if errors.loc[name].any()]
    taken = errors.loc[labels].any()
    kept = set(taken.index[taken]) | (set() if only_errors else set(labels))
    if worst is None and not only_errors:
        kept = set(counts.columns)
    shown = counts.loc[labels, [name for name in names if name in kept]]
    drawn = shown.astype(float)
    if share:
        drawn = drawn.div(support.loc[labels], axis=0)
    if only_errors:
        drawn = drawn.mask(_is_right(shown))
    return MatrixView(shown, drawn, support.loc[labels], share)


def _is_right(counts: pd.DataFrame) -> pd.DataFrame:
    same = counts.index.to_numpy(dtype=object)[:, None] == counts.columns.to_numpy(dtype=object)[None]
    return pd.DataFrame(same, index=counts.index, columns=counts.columns)


def _errors(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.mask(_is_right(counts), 0)


def _ordered(counts: pd.DataFrame, order: Order) -> list[str]:
    """All classes of a matrix in the order of drawing."""
    names = [str(name) for name in counts.columns]
    if order is Order.NAME:
        return names
    if order is Order.SUPPORT:
        support = counts.sum(axis=1)
        return sorted(names, key=lambda name: (-int(support.get(name, 0)), name))
    return _alike_together(counts, names)


def _alike_together(counts: pd.DataFrame, names: list[str]) -> list[str]:
    """Classes in an order in which those that are confused with each other are neighbours.

    References
    ----------
    Bar-Joseph, Gifford and Jaakkola, "Fast optimal leaf ordering for hierarchical clustering", 2001.
    """
    if len(names) < 3:
        return names
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    shares = _errors(counts).div(counts.sum(axis=1), axis=0).reindex(index=names, fill_value=0).to_numpy()
    confused = (shares + shares.T) / 2
    apart = 1 - confused
    np.fill_diagonal(apart, 0)
    return [names[place] for place in leaves_list(linkage(squareform(apart), "average", optimal_ordering=True))]


def photos_of(table: pd.DataFrame, label: str | None = None, predicted: str | None = None) -> pd.DataFrame:
    """The judged photos that a cell counts, most confident first; a row or a column where only one class is given."""
    rows = judged(table)
    if label is not None:
        rows = rows[rows["label"] == label]
    if predicted is not None:
        rows = rows[rows["predicted"] == predicted]
    return rows.sort_values("probability", ascending=False, kind="stable")
