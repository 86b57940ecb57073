"""Charts of confusion matrices: one matrix, and the difference between two."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sneaker_core.evaluation.chart_style import (
    DEFAULT_PALETTE,
    Chart,
    Palette,
    label_ticks,
    new_figure,
    plotly_text,
    truncate,
    with_opacity,
)
from sneaker_core.evaluation.comparison import Comparison
from sneaker_core.evaluation.confusion_matrix import MatrixView
from sneaker_core.evaluation.metric_text import pair_text
from sneaker_core.number_text import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LARGEST_CELL, _SMALLEST_CELL = 40.0, 5.0
# Cells of at least this size, in pixels, show their count.
_TEXT_FROM = 20.0
_LETTER_WIDTH = 7.2  # pixels
# From this depth of color on, the text on a cell is white.
_DARK_FROM = 0.9


def matrix_chart(view: MatrixView, palette: Palette = DEFAULT_PALETTE, width: float = 680) -> Chart:
    """The confusion matrix as clickable squares; `customdata` is [label, predicted, count].

    Parameters
    ----------
    view : MatrixView
    palette : Palette
    width : float
        Width at which the figure will be shown, in pixels, so that squares fill their cells.
    """
    cells = view.cells()
    rows, columns = list(view.values.index), list(view.values.columns)
    cell = _cell_size(rows, columns, width)
    title = _matrix_title(cells)
    if cells.empty:
        return Chart(new_figure(120, palette, xaxis={"visible": False}, yaxis={"visible": False}), title, f"{title}.")
    figure = new_figure(cell * len(rows) + _label_width(columns) + 30, palette)
    depth = np.sqrt(_depth(cells, view.normalized))  # keeps a few errors visible among many photos
    for correct, color in ((True, palette.correct), (False, palette.incorrect)):
        for dark in (True, False):
            group = (cells["correct"] == correct) & ((depth >= _DARK_FROM) == dark)
            _add_cells(figure, cells[group], depth[group], rows, columns, cell, color, view.normalized)
    _set_axes(figure, rows, columns)
    errors = _most_frequent_first(cells)
    examples = "; ".join(pair_text(row) for row in errors.head(5).to_dict("records"))
    return Chart(figure, title, f"{title}. {examples}." if examples else f"{title}.")


def _set_axes(figure: "go.Figure", rows: list[str], columns: list[str]) -> None:
    figure.update_xaxes(**label_ticks(columns, 1), side="bottom", tickangle=-90, range=[-0.6, len(columns) - 0.4])
    figure.update_yaxes(**label_ticks(rows, -1), range=[0.4 - len(rows), 0.6])
    figure.update_xaxes(title={"text": "Predicted class", "standoff": 6})
    figure.update_yaxes(title={"text": "True class", "standoff": 6})


def _cell_size(rows: list[str], columns: list[str], width: float) -> float:
    room = (width - _label_width(rows) - 40) / max(len(columns), 1)
    return min(max(room, _SMALLEST_CELL), _LARGEST_CELL)


def _label_width(labels: list[str]) -> float:
    return _LETTER_WIDTH * max((len(truncate(label)) for label in labels), default=0)


def _depth(cells: pd.DataFrame, normalized: bool) -> "pd.Series[float]":
    """Depth of color of each cell, 0 to 1."""
    if normalized:
        return cells["share"]
    return cells["count"] / cells.groupby("correct")["count"].transform("max")


def _add_cells(
    figure: "go.Figure",
    cells: pd.DataFrame,
    depth: "pd.Series[float]",
    rows: list[str],
    columns: list[str],
    cell: float,
    color: str,
    normalized: bool,
) -> None:
    if cells.empty:
        return
    text = [f"{100 * value:.0f}" for value in cells["share"]] if normalized else cells["count"].astype(str).tolist()
    dark = bool((depth >= _DARK_FROM).all())
    figure.add_scatter(
        x=[columns.index(name) for name in cells["predicted"]],
        y=[-rows.index(name) for name in cells["label"]],
        mode="markers+text" if cell >= _TEXT_FROM else "markers",
        marker={
            "symbol": "square",
            "size": max(cell - 2, 3),
            "color": [with_opacity(color, 0.15 + 0.85 * float(value)) for value in depth],
            "line": {"width": 0},
        },
        text=text,
        textfont={"size": 11, **({"color": "#ffffff"} if dark else {})},
        customdata=cells[["label", "predicted", "count"]].to_numpy(dtype=object).tolist(),
        hovertext=[plotly_text(_cell_text(row)) for row in cells.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _cell_text(row: Mapping[Any, Any]) -> str:
    if row["correct"]:
        return f"{row['label']} predicted correctly ({row['count']:,} of {row['of']:,})"
    return pair_text(row)


def _most_frequent_first(cells: pd.DataFrame) -> pd.DataFrame:
    """The errors, in the order of `metrics.confused_pairs`."""
    errors = cells[~cells["correct"].astype(bool)]
    return errors.sort_values(["count", "label", "predicted"], ascending=[False, True, True])


def _matrix_title(cells: pd.DataFrame) -> str:
    errors = _most_frequent_first(cells)
    if errors.empty:
        return "No photo was misclassified"
    worst = errors.iloc[0]
    if worst["count"] == 1:
        return f"{counted(len(errors), 'error')}, no two between the same classes" if len(errors) > 1 else "1 error"
    others = int((errors["count"] == worst["count"]).sum()) - 1
    more = f", and {counted(others, 'other pair')} just as often" if others else ""
    return f"Most common error: {pair_text(worst.to_dict())}{more}"


def difference_chart(comparison: Comparison, palette: Palette = DEFAULT_PALETTE, width: float = 680) -> Chart:
    """The difference between two confusion matrices; `customdata` is [label, predicted, change].

    Circles are cells with more photos in the second evaluation, crosses cells with fewer; the color shows whether the
    change is an improvement.

    Parameters
    ----------
    comparison : Comparison
    palette : Palette
    width : float
        Width at which the figure will be shown, in pixels.
    """
    rows, columns = list(comparison.difference.index), list(comparison.difference.columns)
    changes = comparison.difference.to_numpy(dtype=int)
    long = pd.DataFrame(
        [(rows[row], columns[column], int(changes[row, column])) for row, column in np.argwhere(changes)],
        columns=["label", "predicted", "change"],
    )
    fixed, broken = len(comparison.fixed), len(comparison.broken)
    title = f"The second evaluation fixes {counted(fixed, 'photo')} and breaks {broken:,}"
    if not fixed and not broken:
        title = "Both are right on the same photos; only wrong answers differ"
    cell = _cell_size(rows, columns, width)
    figure = new_figure(cell * len(rows) + _label_width(columns) + 30, palette)
    better = (long["change"] > 0) == (long["label"] == long["predicted"])
    largest = max(int(long["change"].abs().max()), 1) if len(long) else 1
    figure.add_scatter(
        x=[columns.index(name) for name in long["predicted"]],
        y=[-rows.index(name) for name in long["label"]],
        mode="markers",
        marker={
            "symbol": ["circle" if change > 0 else "x" for change in long["change"]],
            "size": [max(cell - 4, 4) * (0.4 + 0.6 * math.sqrt(abs(change) / largest)) for change in long["change"]],
            "color": [palette.correct if good else palette.incorrect for good in better],
        },
        customdata=long[["label", "predicted", "change"]].to_numpy(dtype=object).tolist(),
        hovertext=[
            plotly_text(f"{row['label']} predicted as {row['predicted']}: {row['change']:+d}")
            for row in long.to_dict("records")
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    _set_axes(figure, rows, columns)
    return Chart(figure, title, f"{title}, of {counted(comparison.n, 'shared photo')}.")
