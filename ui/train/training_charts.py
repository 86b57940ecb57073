"""Charts of a training; each title states the finding."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sneaker_core.number_text import percent
from sneaker_core.training.training_notes import finite
from ui.kit.charts import ACCENT, CATEGORIES, TEXT, Chart

_HEIGHT = 270
# Smaller changes are not worth mentioning.
_CLEAR = 0.005


@dataclass(frozen=True)
class _Line:
    """Style of a curve; dashes and symbols distinguish it without color."""

    column: str
    name: str
    color: str
    dash: str
    symbol: str


_TOP1 = _Line("val_top1", "validation", ACCENT, "solid", "circle")
_TOP3 = _Line("val_top3", "validation, top-3", CATEGORIES[2], "dot", "diamond")
_TRAINING = _Line("accuracy", "training", CATEGORIES[1], "dash", "square")
_LOSS = _Line("val_loss", "validation", ACCENT, "solid", "circle")
_TRAINING_LOSS = _Line("loss", "training", CATEGORIES[1], "dash", "square")


def numbers(metrics: pd.DataFrame, column: str) -> list[float]:
    """A column of the metrics; nan for anything that is no number."""
    return [finite(value) for value in metrics[column]]


def _points(metrics: pd.DataFrame, column: str) -> list[tuple[int, float]]:
    pairs = zip(metrics["epoch"], numbers(metrics, column), strict=True)
    return [(int(epoch), value) for epoch, value in pairs if not math.isnan(value)]


def accuracy_curve(metrics: pd.DataFrame, epochs: int) -> Chart:
    """Accuracy by epoch.

    Parameters
    ----------
    metrics : DataFrame
        From `read_metrics`; at least one row.
    epochs : int
        Total number of epochs.
    """
    title = _accuracy_finding(_points(metrics, "val_top1"))
    axis = {"range": [0, 1.04], "tickformat": ".0%"}
    figure = _curves(metrics, epochs, [_TOP1, _TOP3, _TRAINING], axis, "%{y:.1%}")
    return Chart(figure, title, f"{title}. {_in_words(metrics, [_TOP1, _TOP3, _TRAINING], percent)}")


def _accuracy_finding(points: Sequence[tuple[int, float]]) -> str:
    if not points:
        return "No validation results yet"
    (_, first), (epoch, last) = points[0], points[-1]
    start = f"Validation accuracy is {percent(last)} after epoch {epoch}"
    if len(points) == 1:
        return start
    if abs(last - first) < _CLEAR:
        return f"{start}, unchanged"
    return f"{start}, {'up' if last > first else 'down'} from {percent(first)}"


def loss_curve(metrics: pd.DataFrame, epochs: int) -> Chart:
    """Loss by epoch.

    Parameters
    ----------
    metrics : DataFrame
        From `read_metrics`; at least one row.
    epochs : int
        Total number of epochs.
    """
    title = _loss_finding(_points(metrics, "val_loss"), _points(metrics, "loss"))
    figure = _curves(metrics, epochs, [_LOSS, _TRAINING_LOSS], {"rangemode": "tozero"}, "%{y:.3f}")
    return Chart(figure, title, f"{title}. {_in_words(metrics, [_LOSS, _TRAINING_LOSS], '{:.2f}'.format)}")


def _loss_finding(validation: Sequence[tuple[int, float]], training: Sequence[tuple[int, float]]) -> str:
    points, which = (validation, "Validation loss") if validation else (training, "Training loss")
    if not points:
        return "No loss to show yet"
    (_, first), (epoch, last) = points[0], points[-1]
    if len(points) == 1:
        return f"{which} is {last:.2f} after epoch {epoch}"
    lowest_at, lowest = min(points, key=lambda point: point[1])
    if last > lowest * 1.05 and lowest_at != points[0][0]:
        return f"{which} was lowest after epoch {lowest_at} ({lowest:.2f}) and is now {last:.2f}"
    if abs(last - first) < _CLEAR:
        return f"{which} is unchanged at {last:.2f}"
    return f"{which} {'fell' if last < first else 'rose'} from {first:.2f} to {last:.2f}"


def _in_words(metrics: pd.DataFrame, lines: Sequence[_Line], written: Any) -> str:
    """The latest value of each curve."""
    latest = [(line.name, _points(metrics, line.column)) for line in lines]
    return "Latest values: " + ", ".join(f"{name} {written(points[-1][1])}" for name, points in latest if points) + "."


def _curves(
    metrics: pd.DataFrame, epochs: int, lines: Sequence[_Line], axis: dict[str, Any], written: str
) -> go.Figure:
    figure = go.Figure()
    many = len(metrics) > 25
    for line in lines:
        points = _points(metrics, line.column)
        if not points:
            continue
        figure.add_scatter(
            x=[epoch for epoch, _ in points],
            y=[value for _, value in points],
            name=line.name,
            mode="lines" if many else "lines+markers",
            line={"color": line.color, "dash": line.dash, "width": 2.5},
            marker={"symbol": line.symbol, "size": 7},
            hovertemplate=f"epoch %{{x}}, {line.name}: {written}<extra></extra>",
        )
    last = max(epochs, int(metrics["epoch"].max()))
    _lay_out(figure, "epoch", axis)
    figure.update_xaxes(range=[0.5, last + 0.5], dtick=max(1, math.ceil(last / 8)), tick0=max(1, math.ceil(last / 8)))
    return figure


def _lay_out(figure: go.Figure, below: str, axis: dict[str, Any]) -> None:
    font = {"color": TEXT, "size": 12}
    figure.update_layout(
        dragmode=False,
        height=_HEIGHT,
        margin={"l": 0, "r": 8, "t": 44, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": font},
        showlegend=len(figure.data) > 1,
        xaxis={
            "fixedrange": True,
            "automargin": True,
            "showgrid": False,
            "tickfont": font,
            "title": {"text": below, "font": font, "standoff": 6},
        },
        yaxis={"fixedrange": True, "automargin": True, "tickfont": font, **axis},
    )


def rate_curve(rates: Sequence[float], losses: Sequence[float], suggestion: float | None) -> Chart:
    """Loss at each learning rate, with the suggestion marked.

    Parameters
    ----------
    rates, losses : sequence of float
        Of one length, at least one.
    suggestion : float or None
    """
    figure = go.Figure()
    figure.add_scatter(
        x=rates,
        y=losses,
        name="loss",
        mode="lines",
        line={"color": ACCENT, "width": 2.5},
        hovertemplate="rate %{x:.2g}: loss %{y:.3f}<extra></extra>",
    )
    if suggestion is not None:
        nearest = min(range(len(rates)), key=lambda place: abs(math.log(rates[place] / suggestion)))
        figure.add_scatter(
            x=[rates[nearest]],
            y=[losses[nearest]],
            name="suggestion",
            mode="markers+text",
            text=[f"  {suggestion:.1g}"],
            textposition="middle right",
            textfont={"color": TEXT, "size": 13},
            marker={"symbol": "diamond", "size": 13, "color": CATEGORIES[1]},
            hoverinfo="skip",
            cliponaxis=False,
        )
        title = f"The loss falls fastest at a learning rate of about {suggestion:.1g}"
    else:
        title = "The loss did not fall at any learning rate: check the photos, or train more layers"
    # Diverged losses would flatten the rest of the curve.
    start, lowest = losses[0], min(losses)
    top = max(start + 0.35 * max(start - lowest, 0.1 * abs(start)), lowest + 0.1)
    _lay_out(figure, "learning rate (logarithmic)", {"range": [lowest - 0.08 * top, top]})
    figure.update_layout(showlegend=False, margin={"t": 12})
    figure.update_xaxes(type="log", dtick=1, exponentformat="power")
    words = f"{title}. Tried from {rates[0]:.1g} to {rates[-1]:.1g}; the initial loss was {start:.2f}."
    return Chart(figure, title, words)
