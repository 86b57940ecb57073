"""Charts of runs and studies; each title states the finding."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from sneaker_core.evaluation.chart_style import plotly_text
from sneaker_core.number_text import percent
from ui.kit.charts import ACCENT, CATEGORIES, DASHES, MUTED, TEXT, Chart
from ui.kit.text import truncate
from ui.runs import run_labels

# Distinguished by color, dashes and symbols.
_MARKS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
_HEIGHT, _MARKS_UP_TO = 300, 60
# Settings on a logarithmic axis.
_LOGARITHMIC = ("learning_rate", "weight_decay")
_DISTINCT = 5


def accuracy_curves(metrics: Mapping[str, pd.DataFrame]) -> Chart | None:
    """Validation accuracy by epoch, one line per run.

    Parameters
    ----------
    metrics : mapping
        Run name -> its metrics, from `read_metrics`.

    Returns
    -------
    Chart or None
        None if no run has any.
    """
    lines = _lines(metrics, "val_top1")
    if not lines:
        return None
    best = {name: float(line.max()) for name, line in lines.items()}
    title = _first(best, lambda value: f"{percent(value)} validation accuracy", highest=True)
    figure = _drawn(lines, list(metrics), "%{y:.1%}")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    listed = "; ".join(
        f"{truncate(name, 60)}: best {run_labels.share(value)} after epoch {_epoch(lines[name].idxmax())}"
        for name, value in best.items()
    )
    return Chart(figure, title, f"{title}. {listed}.")


def loss_curves(metrics: Mapping[str, pd.DataFrame]) -> Chart | None:
    """Validation loss by epoch; training loss if no run has any.

    Parameters
    ----------
    metrics : mapping
        As for `accuracy_curves`.
    """
    on_validation = _lines(metrics, "val_loss")
    lines = on_validation or _lines(metrics, "loss")
    if not lines:
        return None
    kind = "validation loss" if on_validation else "training loss"
    lowest = {name: float(line.min()) for name, line in lines.items()}
    title = _first(lowest, lambda value: f"{kind} {value:.2f}", highest=False)
    if len(metrics) == 1 and on_validation:
        title += _since_lowest(next(iter(lines.values())))
    figure = _drawn(lines, list(metrics), "loss %{y:.3f}")
    if 1 == len(lines) < len(metrics):
        only, value = next(iter(lowest.items()))
        title = f"Only {truncate(only, 40)} has recorded its {kind}; the lowest is {value:.2f}"
    listed = "; ".join(
        f"{truncate(name, 60)}: lowest {value:.3f} after epoch {_epoch(lines[name].idxmin())}"
        for name, value in lowest.items()
    )
    return Chart(figure, title, f"{title}. {listed}.")


def _since_lowest(line: "pd.Series[float]") -> str:
    lowest, last = _epoch(line.idxmin()), _epoch(line.index[-1])
    return f", after epoch {lowest}; it has risen since" if last - lowest > 2 else f", after epoch {lowest}"


def _epoch(place: Any) -> int:
    return int(place)


def _lines(metrics: Mapping[str, pd.DataFrame], column: str) -> dict[str, "pd.Series[float]"]:
    """Values by epoch of the runs that have any."""
    found = {}
    for name, table in metrics.items():
        values = pd.to_numeric(table[column], errors="coerce").astype(float)
        values.index = pd.Index(table["epoch"])
        values = values[values.abs() < math.inf].dropna()
        if len(values):
            found[name] = values
    return found


def _first(values: Mapping[str, float], told: Any, highest: bool) -> str:
    """The best run, or that two are equally good."""
    order = sorted(values, key=lambda name: -values[name] if highest else values[name])
    best = order[0]
    said = told(values[best])
    if len(order) == 1:
        return f"{truncate(best, 40)} reached {said}" if highest else f"Lowest {said}"
    if said == told(values[order[1]]):
        return f"{truncate(best, 40)} and {truncate(order[1], 40)} are equally good: {said}"
    return f"{truncate(best, 40)} is best: {said}" if highest else f"{truncate(best, 40)} has the lowest {said}"


def _drawn(lines: Mapping[str, "pd.Series[float]"], names: Sequence[str], hover: str) -> go.Figure:
    figure = go.Figure()
    for name, line in lines.items():
        place = names.index(name) % len(CATEGORIES)
        figure.add_scatter(
            x=list(line.index),
            y=line.tolist(),
            name=plotly_text(truncate(name, 30)),
            mode="lines+markers" if len(line) <= _MARKS_UP_TO else "lines",
            line={"color": CATEGORIES[place], "dash": DASHES[place], "width": 2.5},
            marker={"symbol": _MARKS[place], "size": 6},
            # As `meta`: in the template itself, a name with %{} would be filled in.
            meta=plotly_text(truncate(name, 60)),
            hovertemplate=f"%{{meta}}<br>epoch %{{x}}: {hover}<extra></extra>",
        )
    longest = max(int(line.index[-1]) for line in lines.values())
    ticks = {"tickfont": {"color": TEXT, "size": 12}, "fixedrange": True}
    figure.update_layout(
        dragmode=False,
        hovermode="closest",
        showlegend=len(names) > 1,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12, "color": TEXT}},
        height=_HEIGHT,
        margin={"l": 0, "r": 8, "t": 40 if len(names) > 1 else 8, "b": 40},
        xaxis={**ticks, "title": {"text": "epoch", "font": {"size": 12, "color": TEXT}}, "showgrid": False},
        yaxis={**ticks, "automargin": True},
    )
    if longest <= 12:
        figure.update_xaxes(dtick=1)
    return figure


def trials_plot(trials: pd.DataFrame, searched: Sequence[str]) -> Chart | None:
    """Parallel coordinates of complete trials: their settings and validation accuracy.

    Parameters
    ----------
    trials : DataFrame
        From a `Study`.
    searched : sequence of str
        Columns of the searched settings.

    Returns
    -------
    Chart or None
        None if fewer than two trials are complete.
    """
    complete = trials[trials["state"] == "complete"].dropna(subset=["val_top1"])
    if len(complete) < 2:
        return None
    title = best_finding(complete)
    right = complete["val_top1"].astype(float)
    dimensions = [_dimension(key, complete[key]) for key in searched if complete[key].notna().all()]
    low, high = float(right.min()), float(right.max())
    if low == high:
        low, high = low - 0.01, high + 0.01
    dimensions.append({"label": "Accuracy", "values": right.tolist(), "range": [low, high], "tickformat": ".0%"})
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": right.tolist(), "colorscale": [[0, MUTED], [1, ACCENT]], "cmin": low, "cmax": high},
            labelfont={"color": TEXT, "size": 12},
            tickfont={"color": TEXT, "size": 11},
            rangefont={"color": "rgba(0,0,0,0)", "size": 1},
            labelangle=-30,
            labelside="top",
        )
    )
    figure.update_layout(height=360, margin={"l": 56, "r": 40, "t": 88, "b": 16})
    return Chart(figure, title, f"{title}. The table below lists the same trials.")


def best_finding(complete: pd.DataFrame) -> str:
    """The best trial compared with the first one, which uses the unchanged recipe.

    Parameters
    ----------
    complete : DataFrame
        Complete trials, at least one.
    """
    right = dict(zip(complete["number"].astype(int), complete["val_top1"].astype(float), strict=True))
    best = max(right, key=lambda number: right[number])
    said = f"Trial {best + 1} is best: {percent(right[best])} validation accuracy"
    if 0 not in right or best == 0:
        return f"{said}, with the unchanged recipe" if best == 0 else said
    gain = 100 * (right[best] - right[0])
    if gain < 0.05:
        return f"{said}, the same as the unchanged recipe"
    return f"{said}, {gain:.1f} points more than the unchanged recipe"


def _dimension(key: str, values: "pd.Series[Any]") -> dict[str, Any]:
    """An axis: linear or logarithmic for numbers, categories for text."""
    label = run_labels.setting_name(key)
    if not pd.api.types.is_numeric_dtype(values):
        names = sorted(values.astype(str).unique())
        told = [truncate(run_labels.setting_value(key, name), 22) for name in names]
        axis = {"tickvals": list(range(len(names))), "ticktext": told, "range": [-0.3, len(names) - 0.7]}
        return {"label": label, "values": [names.index(str(value)) for value in values], **axis}
    numbers = values.astype(float)
    low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        low, high = low * 0.9 - 0.01, high * 1.1 + 0.01
    if key not in _LOGARITHMIC or low <= 0:
        return {"label": label, "values": numbers.tolist(), "range": [low, high]}
    ends = math.log10(low), math.log10(high)
    ticks = [ends[0] + step * (ends[1] - ends[0]) / (_DISTINCT - 1) for step in range(_DISTINCT)]
    return {
        "label": label,
        "values": [math.log10(number) for number in numbers],
        "range": list(ends),
        "tickvals": ticks,
        "ticktext": [f"{10**tick:.1g}" for tick in ticks],
    }
