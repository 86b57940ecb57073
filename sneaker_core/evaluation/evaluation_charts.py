"""Charts of an evaluation: metrics by class, calibration, coverage, and accuracy by slice."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sneaker_core.evaluation.chart_style import (
    CHART_HEIGHT,
    DEFAULT_PALETTE,
    ROW_HEIGHT,
    Chart,
    Palette,
    label_ticks,
    new_figure,
    plotly_text,
)
from sneaker_core.evaluation.reliability import Coverage
from sneaker_core.evaluation.robustness import ChangeMetrics, robustness_sentence
from sneaker_core.evaluation.worlds import WorldMetrics
from sneaker_core.number_text import counted, percent, percent_setting

if TYPE_CHECKING:
    import plotly.graph_objects as go

METRIC_TITLES = {"recall": "Recall", "precision": "Precision", "f1": "F1 score"}
_SMALL_SLICE = 10  # slices with fewer photos are not mentioned in the title
_LONGEST_SLICE = 40


def class_bars(
    per_class: Mapping[str, Mapping[str, float]], key: str = "recall", palette: Palette = DEFAULT_PALETTE
) -> Chart:
    """One metric of each class as bars, lowest first.

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
    name = METRIC_TITLES[key]
    title = f"Lowest {name if key == 'f1' else name.lower()}: {order[0]} ({percent(values[0])})"
    if values[0] == values[-1]:
        title = f"{name} is the same for all classes: {percent(values[0])}"
    figure = new_figure(ROW_HEIGHT * len(order) + 48, palette)
    figure.add_bar(
        y=[-place for place in range(len(order))],
        x=values,
        orientation="h",
        width=0.62,
        marker={"color": palette.correct},
        customdata=[[label] for label in order],
        hovertext=[
            plotly_text(f"{label}: {percent(value)} ({counted(int(per_class[label]['n']), 'photo')})")
            for label, value in zip(order, values, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title={"text": name})
    figure.update_yaxes(**label_ticks(order, -1), range=[0.4 - len(order), 0.6])
    lowest = "; ".join(f"{label} {percent(value)}" for label, value in list(zip(order, values, strict=True))[:5])
    return Chart(figure, title, f"{title}. Lowest: {lowest}.")


def reliability_chart(bins: pd.DataFrame, palette: Palette = DEFAULT_PALETTE) -> Chart:
    """Reliability diagram: accuracy against confidence, with the diagonal of perfect calibration.

    Parameters
    ----------
    bins : DataFrame
        From `reliability.reliability_bins`.
    palette : Palette
    """
    used = bins[bins["n"] > 0]
    title = _calibration_title(used)
    figure = new_figure(CHART_HEIGHT, palette)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": palette.muted, "dash": "dash"}, hoverinfo="skip"
    )
    size = np.sqrt(used["n"] / used["n"].max())
    texts = [_bin_text(row) for row in used.to_dict("records")]
    figure.add_scatter(
        x=used["confidence"].tolist(),
        y=used["accuracy"].tolist(),
        mode="lines+markers",
        line={"color": palette.correct, "width": 2},
        marker={"size": (6 + 14 * size).tolist(), "color": palette.correct},
        cliponaxis=False,
        hovertext=texts,
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title={"text": "Confidence"})
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", title={"text": "Accuracy"})
    return Chart(figure, title, f"{title}. {'; '.join(texts)}.")


def _bin_text(row: Mapping[Any, Any]) -> str:
    photos = counted(row["n"], "photo")
    return f"{photos} at {percent(row['confidence'])} confidence: {percent(row['accuracy'])} correct"


def _calibration_title(used: pd.DataFrame) -> str:
    gap = float(((used["confidence"] - used["accuracy"]) * used["n"]).sum() / used["n"].sum())
    if abs(gap) < 0.01:
        return "On average, confidence matches accuracy"
    word = "Overconfident" if gap > 0 else "Underconfident"
    return f"{word} by {100 * abs(gap):.1f} percentage points on average"


def coverage_chart(curve: pd.DataFrame, chosen: Coverage | None = None, palette: Palette = DEFAULT_PALETTE) -> Chart:
    """Coverage and accuracy for each confidence threshold, with the chosen threshold marked.

    Parameters
    ----------
    curve : DataFrame
        From `reliability.coverage_curve`.
    chosen : Coverage, optional
        From `reliability.coverage_at`.
    palette : Palette
    """
    every = f"With every photo answered, {percent(float(curve['accuracy'].iloc[0]))} of the answers are correct"
    title = every if chosen is None else coverage_text(chosen)
    figure = new_figure(CHART_HEIGHT, palette, showlegend=True)
    for column, name, color, dash in (
        ("coverage", "Photos answered", palette.muted, "dash"),
        ("accuracy", "Answers correct", palette.correct, "solid"),
    ):
        figure.add_scatter(
            x=curve["threshold"].tolist(),
            y=[None if math.isnan(value) else value for value in curve[column]],
            name=name,
            mode="lines",
            line={"color": color, "dash": dash, "width": 2.5},
            hovertemplate=f"Threshold %{{x:.0%}}: %{{y:.0%}} {name.lower()}<extra></extra>",
        )
    if chosen is not None:
        figure.add_vline(x=chosen.threshold, line={"color": palette.incorrect, "width": 2})
    figure.update_xaxes(range=[0, 1], tickformat=".0%", title={"text": "Confidence threshold"})
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%")
    figure.update_layout(margin={"l": 0, "r": 18, "t": 36, "b": 40})
    return Chart(figure, title, f"{title}." if chosen is None else f"{title}. {every}.")


def coverage_text(chosen: Coverage) -> str:
    """The effect of a threshold in one sentence, without a full stop."""
    threshold = percent_setting(chosen.threshold)
    if not chosen.answered:
        return f"At a threshold of {threshold}, no photo is answered"
    return (
        f"At a threshold of {threshold}, {chosen.answered:,} of {counted(chosen.n, 'photo')} are answered "
        f"({percent(chosen.coverage)}), and {percent(chosen.accuracy)} of the answers are correct"
    )


def slices_chart(slices: pd.DataFrame, palette: Palette = DEFAULT_PALETTE) -> Chart:
    """Accuracy on groups of photos, with intervals.

    Parameters
    ----------
    slices : DataFrame
        From `slices.slices`, at least one row.
    palette : Palette
    """
    title = _slices_title(slices)
    names = [f"{row['slice']}: {row['value']}" for row in slices.to_dict("records")]
    texts = [_slice_text(row) for row in slices.to_dict("records")]
    figure = _interval_figure(names, slices["top1"], slices["low"], slices["high"], texts, palette)
    return Chart(figure, title, f"{title}. {'; '.join(texts)}.")


def worlds_chart(worlds: Sequence[WorldMetrics], palette: Palette = DEFAULT_PALETTE) -> Chart:
    """Accuracy in each world, with intervals.

    Parameters
    ----------
    worlds : sequence of WorldMetrics
        From `worlds.world_metrics`; those without known photos are left out, and at least one has some.
    palette : Palette
    """
    known = [one for one in worlds if one.known]
    worst, best = known[0], known[-1]
    title = f"Right on {percent(worst.top1.value)} of {worst.world} photos"
    if len(known) > 1:
        title = f"{title}, {percent(best.top1.value)} of {best.world} photos"
    texts = [f"{one.world}: {one.top1.text} of {counted(one.known, 'photo')}" for one in known]
    shares = pd.DataFrame([vars(one.top1) for one in known])
    names = [one.world for one in known]
    figure = _interval_figure(names, shares["value"], shares["low"], shares["high"], texts, palette)
    return Chart(figure, title, f"{title}. {'; '.join(texts)}.")


def _interval_figure(
    names: list[str],
    values: "pd.Series[float]",
    low: "pd.Series[float]",
    high: "pd.Series[float]",
    texts: list[str],
    palette: Palette,
) -> "go.Figure":
    """Accuracies as points with their intervals, one row for each name."""
    figure = new_figure(ROW_HEIGHT * len(names) + 48, palette)
    figure.add_scatter(
        x=values.tolist(),
        y=[-place for place in range(len(names))],
        mode="markers",
        marker={"size": 10, "color": palette.correct},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (high - values).tolist(),
            "arrayminus": (values - low).tolist(),
            "color": palette.muted,
        },
        hovertext=[plotly_text(text) for text in texts],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    figure.update_yaxes(**label_ticks(names, -1, _LONGEST_SLICE), range=[0.4 - len(names), 0.6])
    figure.update_xaxes(tickformat=".0%", title={"text": "Accuracy with 95% interval"})
    return figure


def robustness_chart(metrics: Sequence[ChangeMetrics], palette: Palette = DEFAULT_PALETTE) -> Chart:
    """Accuracy after each change of the photos as bars, largest loss first, with a mark for the original photos.

    Parameters
    ----------
    metrics : sequence of ChangeMetrics
        From `robustness.robustness_metrics`, at least one.
    palette : Palette
    """
    title = robustness_sentence(list(metrics))
    places = [-place for place in range(len(metrics))]
    texts = [
        f"{one.change.title}: {one.after.text}, {one.before.text} before ({counted(one.n, 'photo')})" for one in metrics
    ]
    hover = {"hovertext": [plotly_text(text) for text in texts], "hovertemplate": "%{hovertext}<extra></extra>"}
    figure = new_figure(ROW_HEIGHT * len(metrics) + 64, palette)
    figure.add_bar(
        y=places,
        x=[one.after.value for one in metrics],
        orientation="h",
        width=0.62,
        name="Changed",
        marker={"color": palette.correct},
        **hover,
    )
    figure.add_scatter(
        y=places,
        x=[one.before.value for one in metrics],
        mode="markers",
        name="Original",
        marker={"symbol": "line-ns-open", "size": 18, "color": palette.muted, "line": {"width": 3}},
        **hover,
    )
    figure.update_layout(showlegend=True, legend={"orientation": "h", "yanchor": "bottom", "y": 1})
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title={"text": "Top-1 accuracy"})
    figure.update_yaxes(
        **label_ticks([one.change.title for one in metrics], -1, _LONGEST_SLICE), range=[0.4 - len(metrics), 0.6]
    )
    return Chart(figure, title, f"{title}. {'; '.join(texts)}.")


def _slice_text(row: Mapping[Any, Any]) -> str:
    return f"{row['slice']}: {row['value']}, {counted(row['n'], 'photo')}, {percent(row['top1'])} correct"


def _slices_title(slices: pd.DataFrame) -> str:
    large = slices[slices["n"] >= _SMALL_SLICE]
    if large.empty:
        return "The groups are too small to compare"
    worst = large.iloc[int(large["top1"].argmin())]
    lowest = f"{percent(worst['top1'])}, for {worst['slice']}: {worst['value']}"
    clearly_better = large[(large["slice"] == worst["slice"]) & (large["low"] > worst["high"])]
    if clearly_better.empty:
        return f"No group stands out; the lowest accuracy is {lowest}"
    return f"The lowest accuracy is {lowest}"
