"""Charts of the sanity check, each with its finding as the title."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from sneaker_core.inference.explanation.deletion_insertion import DeletionInsertion
from sneaker_core.inference.explanation.weight_randomization import RandomizationTest
from sneaker_core.number_text import percent
from ui.kit.charts import ACCENT, MUTED, TEXT, Chart

_HEIGHT = 250
_SHUFFLED = {0.0: "last layer", 1.0: "all layers"}


def randomization_chart(test: RandomizationTest) -> Chart:
    """Similarity of the map to those of networks with more and more shuffled layers."""
    last = test.steps[-1].correlation
    if test.empty:
        title = "The map is the same everywhere, so there is nothing to check"
    elif test.passed:
        title = f"With all weights shuffled, the map changes (similarity {last:.2f})"
    else:
        title = f"With all weights shuffled, the map hardly changes (similarity {last:.2f})"
    names = [_SHUFFLED.get(step.share, f"{percent(step.share)} of layers") for step in test.steps]
    values = [step.correlation for step in test.steps]
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=values,
        text=[f"{value:.2f}" for value in values],
        textposition="outside",
        textfont={"color": TEXT, "size": 12},
        cliponaxis=False,
        width=0.5,
        marker={"color": [MUTED] * (len(values) - 1) + [ACCENT]},
        hovertemplate="%{x} shuffled: %{y:.2f}<extra></extra>",
    )
    _lay_out(figure, "shuffled", "similarity to the map")
    figure.update_yaxes(range=[min(-0.1, *values) - 0.1, 1.1])
    listed = ", ".join(f"{name} {value:.2f}" for name, value in zip(names, values, strict=True))
    return Chart(figure, title, f"{title}. Similarity by shuffled layers: {listed}.")


def deletion_chart(curves: DeletionInsertion) -> Chart:
    """Probability as the photo is covered, strongest areas of the map first."""
    title = (
        "Covering the marked areas weakens the answer more than covering random areas"
        if curves.better[0]
        else "Covering the marked areas weakens the answer no more than covering random areas"
    )
    return _curves(curves, curves.deletion, curves.random_deletion, title, "of the photo covered")


def insertion_chart(curves: DeletionInsertion) -> Chart:
    """Probability as a blurred photo comes into focus, strongest areas of the map first."""
    title = (
        "Showing the marked areas strengthens the answer more than showing random areas"
        if curves.better[1]
        else "Showing the marked areas strengthens the answer no more than showing random areas"
    )
    return _curves(curves, curves.insertion, curves.random_insertion, title, "of the photo in focus")


def _curves(
    curves: DeletionInsertion, mapped: NDArray[np.float64], random: NDArray[np.float64], title: str, x_title: str
) -> Chart:
    figure = go.Figure()
    # Dashes and markers differ too, for readers who can't tell the colors apart.
    for values, name, color, dash, symbol in (
        (mapped, "map order", ACCENT, "solid", "circle"),
        (random, "random order", MUTED, "dash", "diamond-open"),
    ):
        figure.add_scatter(
            x=curves.shares,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": color, "dash": dash, "width": 2.5},
            marker={"color": color, "symbol": symbol, "size": 6},
            hovertemplate=f"%{{x:.0%}} {x_title}: %{{y:.0%}}<extra>{name}</extra>",
        )
    y_title = "probability" if curves.versus is None else "share of both classes"
    _lay_out(figure, f"share {x_title}", y_title, legend=True)
    figure.update_yaxes(tickformat=".0%", range=[-0.03, 1.03])
    figure.update_xaxes(tickformat=".0%", range=[-0.02, 1.02])
    middle = len(curves.shares) // 2
    words = (
        f"{title}. The {y_title} starts at {percent(mapped[0])}. With {percent(curves.shares[middle])} {x_title}, it "
        f"is {percent(mapped[middle])} in map order and {percent(random[middle])} in random order."
    )
    return Chart(figure, title, words)


def _lay_out(figure: go.Figure, x_title: str, y_title: str, legend: bool = False) -> None:
    axis = {"fixedrange": True, "tickfont": {"color": TEXT, "size": 12}, "zeroline": False}
    figure.update_layout(
        dragmode=False,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12, "color": TEXT}},
        height=_HEIGHT + (24 if legend else 0),
        margin={"l": 0, "r": 8, "t": 30 if legend else 14, "b": 8},
        xaxis={**axis, "title": {"text": x_title, "font": {"size": 12, "color": TEXT}}, "automargin": True},
        yaxis={**axis, "title": {"text": y_title, "font": {"size": 12, "color": TEXT}}, "automargin": True},
    )
