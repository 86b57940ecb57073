"""Figures of an evaluation, each with its finding; good on light and dark, and told apart without colours.

Labels come from outside: Plotly shows some HTML, so they are escaped wherever it shows them. A click gives them as they
are, as the mark's `customdata`.
"""

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sneaker_core.evaluation.comparison import Comparison
from sneaker_core.evaluation.confusion_matrix import MatrixView
from sneaker_core.evaluation.figure_text import pair, percent
from sneaker_core.evaluation.reliability import Coverage

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LONGEST = 20
_ROW = 26
_HEIGHT = 320
_LARGEST_CELL, _SMALLEST_CELL = 40.0, 5.0
# Counts are written into cells from this size on, in pixels.
_WRITTEN_FROM = 20.0
_LABEL_WIDTH = 7.2  # of a letter, in pixels
# From this share of full colour on, what is written on a cell is light.
_DARK_FROM = 0.9
_FEW = 10  # photos below which a slice is not worth a finding


@dataclass(frozen=True)
class Palette:
    """Colours; the defaults can be read on white and on black.

    Attributes
    ----------
    right, wrong, third : str
        As #rrggbb; told apart by all kinds of colour-blindness (after Okabe and Ito, 2008), and white can be read on
        the first two. Shades are made of them, so a theme's stand-ins will not do.
    muted : str
        Of what matters less.
    text : str or None
        Of what is written; None leaves it to whoever shows the figure.
    """

    right: str = "#0072b2"
    wrong: str = "#c05200"
    third: str = "#cc79a7"
    muted: str = "#8a8f9c"
    text: str | None = None


@dataclass(frozen=True)
class Chart:
    """A figure with its finding.

    Attributes
    ----------
    figure : plotly.graph_objects.Figure
        Without a title: Plotly would cut off one that is wider than a phone.
    title : str
        What it shows, in one line; labels in it are as they were written.
    words : str
        What it says to someone who does not see it.
    """

    figure: "go.Figure"
    title: str
    words: str


DEFAULT = Palette()


def _cut(label: str, longest: int = _LONGEST) -> str:
    return label if len(label) <= longest else f"{label[: longest - 1]}…"


def _faded(colour: str, share: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share:.3f})"


def _figure(height: float, palette: Palette, **layout: Any) -> "go.Figure":
    import plotly.graph_objects as go

    figure = go.Figure()
    axis = {"fixedrange": True, "automargin": True, "zeroline": False, "gridcolor": _faded(palette.muted, 0.25)}
    figure.update_layout(
        height=height,
        dragmode=False,
        hovermode="closest",
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={} if palette.text is None else {"color": palette.text},
        margin={"l": 0, "r": 8, "t": 8, "b": 40},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        xaxis=axis,
        yaxis=axis,
    )
    figure.update_layout(**layout)
    return figure


def matrix_chart(view: MatrixView, palette: Palette = DEFAULT, width: float = 680) -> Chart:
    """The confusion matrix as squares that can be clicked: `customdata` is [label, predicted, count].

    Parameters
    ----------
    view : MatrixView
    palette : Palette
    width : float
        Pixels the figure will be wide, so that squares fill their cells.
    """
    cells = view.cells()
    rows, columns = list(view.drawn.index), list(view.drawn.columns)
    cell = _cell_size(rows, columns, width)
    title = _matrix_finding(cells)
    if cells.empty:
        return Chart(_figure(120, palette, xaxis={"visible": False}, yaxis={"visible": False}), title, f"{title}.")
    figure = _figure(cell * len(rows) + _label_length(columns) + 30, palette)
    depth = np.sqrt(_depth(cells, view.share))  # few errors among many photos must be seen too
    for right, colour in ((True, palette.right), (False, palette.wrong)):
        for dark in (True, False):
            group = (cells["right"] == right) & ((depth >= _DARK_FROM) == dark)
            _add_cells(figure, cells[group], depth[group], rows, columns, cell, colour, view.share)
    figure.update_xaxes(**_ticks(columns, 1), side="bottom", tickangle=-90, range=[-0.6, len(columns) - 0.4])
    figure.update_yaxes(**_ticks(rows, -1), range=[0.4 - len(rows), 0.6])
    figure.update_xaxes(title={"text": "predicted", "standoff": 6})
    figure.update_yaxes(title={"text": "true", "standoff": 6})
    errors = _most_often_first(cells)
    listed = "; ".join(pair(row) for row in errors.head(5).to_dict("records"))
    return Chart(figure, title, f"{title}. {listed}." if listed else f"{title}.")


def _cell_size(rows: list[str], columns: list[str], width: float) -> float:
    room = (width - _label_length(rows) - 40) / max(len(columns), 1)
    return min(max(room, _SMALLEST_CELL), _LARGEST_CELL)


def _label_length(labels: list[str]) -> float:
    return _LABEL_WIDTH * max((len(_cut(label)) for label in labels), default=0)


def _depth(cells: pd.DataFrame, share: bool) -> "pd.Series[float]":
    """How full the colour of a cell is, 0 to 1."""
    if share:
        return cells["share"]
    return cells["count"] / cells.groupby("right")["count"].transform("max")


def _ticks(labels: list[str], step: int) -> dict[str, Any]:
    places = [step * place for place in range(len(labels))]
    text = [html.escape(_cut(label)) for label in labels]
    return {"tickvals": places, "ticktext": text, "showgrid": False, "tickfont": {"size": 11}}


def _add_cells(
    figure: "go.Figure",
    cells: pd.DataFrame,
    depth: "pd.Series[float]",
    rows: list[str],
    columns: list[str],
    cell: float,
    colour: str,
    share: bool,
) -> None:
    if cells.empty:
        return
    text = [f"{100 * value:.0f}" for value in cells["share"]] if share else cells["count"].astype(str).tolist()
    written = cell >= _WRITTEN_FROM
    hover = [html.escape(_cell_words(row)) for row in cells.to_dict("records")]
    dark = bool((depth >= _DARK_FROM).all())
    figure.add_scatter(
        x=[columns.index(name) for name in cells["predicted"]],
        y=[-rows.index(name) for name in cells["label"]],
        mode="markers+text" if written else "markers",
        marker={
            "symbol": "square",
            "size": max(cell - 2, 3),
            "color": [_faded(colour, 0.15 + 0.85 * float(value)) for value in depth],
            "line": {"width": 0},
        },
        text=text,
        textfont={"size": 11, **({"color": "#ffffff"} if dark else {})},
        customdata=cells[["label", "predicted", "count"]].to_numpy(dtype=object).tolist(),
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _cell_words(row: Mapping[Any, Any]) -> str:
    if row["right"]:
        return f"{row['label']} is recognised in {row['count']} of {row['of']}"
    return pair(row)


def _most_often_first(cells: pd.DataFrame) -> pd.DataFrame:
    """The errors, in the order of `metrics.confused_pairs`."""
    errors = cells[~cells["right"].astype(bool)]
    return errors.sort_values(["count", "label", "predicted"], ascending=[False, True, True])


def _matrix_finding(cells: pd.DataFrame) -> str:
    errors = _most_often_first(cells)
    if errors.empty:
        return "No photo was taken for another class"
    worst = errors.iloc[0]
    same = int((errors["count"] == worst["count"]).sum())
    if worst["count"] == 1:
        return f"No mistake was made twice: {len(errors)} photos were each taken for another class"
    more = f", and {same - 1} more {'pairs' if same > 2 else 'pair'} as often" if same > 1 else ""
    return f"Most often, {pair(worst.to_dict())}{more}"


def class_bars(per_class: Mapping[str, Mapping[str, float]], key: str = "recall", palette: Palette = DEFAULT) -> Chart:
    """One figure of each class, the lowest on top.

    Parameters
    ----------
    per_class : mapping
        Of `metrics.summary`.
    key : str
        "precision", "recall" or "f1".
    palette : Palette
    """
    order = sorted(per_class, key=lambda label: (per_class[label][key], label))
    values = [float(per_class[label][key]) for label in order]
    told = {"recall": "is recognised", "precision": "is what is meant when it is said", "f1": "has F1"}[key]
    title = f"{order[0]} does worst: it {told} {'of' if key == 'f1' else 'in'} {percent(values[0])}"
    if values[0] == values[-1]:
        title = f"All classes do equally well: {percent(values[0])}"
    figure = _figure(_ROW * len(order) + 48, palette)
    figure.add_bar(
        y=[-place for place in range(len(order))],
        x=values,
        orientation="h",
        width=0.62,
        marker={"color": palette.right},
        customdata=[[label] for label in order],
        hovertext=[
            html.escape(f"{label}: {percent(value)} ({per_class[label]['n']:.0f} photos)")
            for label, value in zip(order, values, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title={"text": key})
    figure.update_yaxes(**_ticks(order, -1), range=[0.4 - len(order), 0.6])
    listed = "; ".join(f"{label} {percent(value)}" for label, value in list(zip(order, values, strict=True))[:5])
    return Chart(figure, title, f"{title}. The lowest: {listed}.")


def reliability_chart(bins: pd.DataFrame, palette: Palette = DEFAULT) -> Chart:
    """Confidence against accuracy, with the line on which both are the same.

    Parameters
    ----------
    bins : DataFrame
        From `reliability.reliability_bins`.
    palette : Palette
    """
    used = bins[bins["n"] > 0]
    title = _reliability_finding(used)
    figure = _figure(_HEIGHT, palette)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": palette.muted, "dash": "dash"}, hoverinfo="skip"
    )
    share = np.sqrt(used["n"] / used["n"].max())
    figure.add_scatter(
        x=used["confidence"].tolist(),
        y=used["accuracy"].tolist(),
        mode="lines+markers",
        line={"color": palette.right, "width": 2},
        marker={"size": (6 + 14 * share).tolist(), "color": palette.right},
        hovertext=[_bin_words(row) for row in used.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title={"text": "probability that is shown"})
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", title={"text": "answered right"})
    listed = "; ".join(_bin_words(row) for row in used.to_dict("records"))
    return Chart(figure, title, f"{title}. {listed}.")


def _bin_words(row: Mapping[Any, Any]) -> str:
    return f"{row['n']} photos at {percent(row['confidence'])}: right in {percent(row['accuracy'])}"


def _reliability_finding(used: pd.DataFrame) -> str:
    count = used["n"].sum()
    gap = float(((used["confidence"] - used["accuracy"]) * used["n"]).sum() / count)
    if abs(gap) < 0.01:
        return "On the whole, probabilities mean what they say"
    word = "more" if gap > 0 else "less"
    return f"It is {word} sure than it is right, by {100 * abs(gap):.1f} points on average"


def coverage_chart(curve: pd.DataFrame, chosen: Coverage | None = None, palette: Palette = DEFAULT) -> Chart:
    """Share of photos answered against how many of the answers are right, with the chosen threshold marked.

    Parameters
    ----------
    curve : DataFrame
        From `reliability.coverage_curve`.
    chosen : Coverage, optional
        From `reliability.at`.
    palette : Palette
    """
    everything = float(curve["accuracy"].iloc[0])
    title = f"Answering every photo, {percent(everything)} are right"
    if chosen is not None and chosen.answered:
        share, right = percent(chosen.coverage), percent(chosen.accuracy)
        title = f"Answering {share} of the photos, {right} of the answers are right"
    elif chosen is not None:
        title = f"From a probability of {percent(chosen.threshold)}, no photo is answered"
    figure = _figure(_HEIGHT, palette, showlegend=True)
    for name, colour, dash in (("coverage", palette.muted, "dash"), ("accuracy", palette.right, "solid")):
        told = "photos answered" if name == "coverage" else "answers right"
        figure.add_scatter(
            x=curve["threshold"].tolist(),
            y=[None if math.isnan(value) else value for value in curve[name]],
            name=told,
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate=f"from %{{x:.1%}}: %{{y:.1%}} {told}<extra></extra>",
        )
    if chosen is not None:
        figure.add_vline(x=chosen.threshold, line={"color": palette.wrong, "width": 2})
    figure.update_xaxes(range=[0, 1], tickformat=".0%", title={"text": "answered from this probability on"})
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%")
    figure.update_layout(margin={"l": 0, "r": 8, "t": 36, "b": 40})
    return Chart(figure, title, f"{title}. Answering every photo, {percent(everything)} are right.")


def slices_chart(slices: pd.DataFrame, palette: Palette = DEFAULT) -> Chart:
    """Accuracy on groups of photos, with intervals.

    Parameters
    ----------
    slices : DataFrame
        From `slices.slices`, at least one row.
    palette : Palette
    """
    title = _slices_finding(slices)
    names = [f"{row['slice']}: {row['value']}" for row in slices.to_dict("records")]
    places = [-place for place in range(len(slices))]
    figure = _figure(_ROW * len(slices) + 48, palette)
    figure.add_scatter(
        x=slices["top1"].tolist(),
        y=places,
        mode="markers",
        marker={"size": 10, "color": palette.right},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (slices["high"] - slices["top1"]).tolist(),
            "arrayminus": (slices["top1"] - slices["low"]).tolist(),
            "color": palette.muted,
        },
        hovertext=[html.escape(_slice_words(row)) for row in slices.to_dict("records")],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    ticks = _ticks(names, -1) | {"ticktext": [html.escape(_cut(name, 40)) for name in names]}
    figure.update_yaxes(**ticks, range=[0.4 - len(names), 0.6])
    figure.update_xaxes(tickformat=".0%", title={"text": "answered right, with its 95 % interval"})
    listed = "; ".join(_slice_words(row) for row in slices.to_dict("records"))
    return Chart(figure, title, f"{title}. {listed}.")


def _slice_words(row: Mapping[Any, Any]) -> str:
    return f"{row['slice']}: {row['value']}, {row['n']} photos: {percent(row['top1'])} right"


def _slices_finding(slices: pd.DataFrame) -> str:
    large = slices[slices["n"] >= _FEW]
    if large.empty:
        return "The groups are too small to tell anything of them"
    worst = large.iloc[int(large["top1"].argmin())]
    beside = large[(large["slice"] == worst["slice"]) & (large["low"] > worst["high"])]
    words = f"{worst['slice']}: {worst['value']}"
    if beside.empty:
        return f"No group stands out; the lowest is {words}, with {percent(worst['top1'])} right"
    return f"It does worst on {words}, with {percent(worst['top1'])} right"


def difference_chart(comparison: Comparison, palette: Palette = DEFAULT, width: float = 680) -> Chart:
    """What the second model does otherwise, cell by cell: `customdata` is [label, predicted, change].

    Circles stand for more photos in a cell, crosses for fewer; the colour says whether that is to the better.
    """
    rows, columns = list(comparison.difference.index), list(comparison.difference.columns)
    changes = comparison.difference.to_numpy(dtype=int)
    long = pd.DataFrame(
        [(rows[row], columns[column], int(changes[row, column])) for row, column in np.argwhere(changes)],
        columns=["label", "predicted", "change"],
    )
    fixed, broken = len(comparison.fixed), len(comparison.broken)
    title = f"The second fixes {fixed} photos and breaks {broken}"
    cell = _cell_size(rows, columns, width)
    figure = _figure(cell * len(rows) + _label_length(columns) + 30, palette)
    better = (long["change"] > 0) == (long["label"] == long["predicted"])
    largest = max(int(long["change"].abs().max()), 1) if len(long) else 1
    figure.add_scatter(
        x=[columns.index(name) for name in long["predicted"]],
        y=[-rows.index(name) for name in long["label"]],
        mode="markers",
        marker={
            "symbol": ["circle" if change > 0 else "x" for change in long["change"]],
            "size": [max(cell - 4, 4) * (0.4 + 0.6 * math.sqrt(abs(change) / largest)) for change in long["change"]],
            "color": [palette.right if good else palette.wrong for good in better],
        },
        customdata=long[["label", "predicted", "change"]].to_numpy(dtype=object).tolist(),
        hovertext=[
            html.escape(f"{row['label']} taken for {row['predicted']}: {row['change']:+d} photos")
            for row in long.to_dict("records")
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_xaxes(
        **_ticks(columns, 1), tickangle=-90, range=[-0.6, len(columns) - 0.4], title={"text": "predicted"}
    )
    figure.update_yaxes(**_ticks(rows, -1), range=[0.4 - len(rows), 0.6], title={"text": "true"})
    return Chart(figure, title, f"{title}, of {comparison.n} that both judged.")
