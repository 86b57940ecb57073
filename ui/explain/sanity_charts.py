"""Figures that tell how much a map is worth, each with its finding in its title."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from sneaker_core.inference.explanation.sanity_checks import Curves, SanityCheck
from ui.kit.charts import ACCENT, MUTED, TEXT, Chart

_HEIGHT = 250
_SHUFFLED = {0.0: "the last", 1.0: "all"}


def sanity_chart(check: SanityCheck) -> Chart:
    """How alike the map is to those of networks that were made to forget, more and more."""
    last = check.steps[-1].correlation
    if check.empty:
        title = "The map is the same everywhere, so there is nothing to check"
    elif check.passed:
        title = f"A network that forgot everything gives another map (agreement {last:.2f})"
    else:
        title = f"A network that forgot everything gives nearly the same map (agreement {last:.2f})"
    names = [_SHUFFLED.get(step.share, f"{step.share:.0%}") for step in check.steps]
    values = [step.correlation for step in check.steps]
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
        hovertemplate="%{x} of the layers: %{y:.2f}<extra></extra>",
    )
    _lay_out(figure, "layers that were shuffled", "agreement with the map")
    figure.update_yaxes(range=[min(-0.1, *values) - 0.1, 1.1])
    listed = ", ".join(f"{name} {value:.2f}" for name, value in zip(names, values, strict=True))
    return Chart(figure, title, f"{title}. Agreement by layers shuffled: {listed}.")


def deletion_chart(curves: Curves) -> Chart:
    """The probability while the photo is covered, the brightest places of the map first."""
    title = (
        "Covering what the map marks hurts the answer more than covering at random"
        if curves.better[0]
        else "Covering what the map marks hurts the answer no more than covering at random"
    )
    return _curves(curves, curves.deletion, curves.random_deletion, title, "of the photo is covered")


def insertion_chart(curves: Curves) -> Chart:
    """The probability while a blurred photo is made sharp, the brightest places of the map first."""
    title = (
        "Showing what the map marks helps the answer more than showing at random"
        if curves.better[1]
        else "Showing what the map marks helps the answer no more than showing at random"
    )
    return _curves(curves, curves.insertion, curves.random_insertion, title, "of the photo is shown sharply")


def _curves(curves: Curves, mapped: NDArray[np.float64], random: NDArray[np.float64], title: str, across: str) -> Chart:
    figure = go.Figure()
    # Told apart without colours too: by the dash, and by the marks.
    for values, name, colour, dash, mark in (
        (mapped, "in the map's order", ACCENT, "solid", "circle"),
        (random, "in random order", MUTED, "dash", "diamond-open"),
    ):
        figure.add_scatter(
            x=curves.shares,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"color": colour, "symbol": mark, "size": 6},
            hovertemplate=f"%{{x:.0%}} {across}: %{{y:.2f}}<extra>{name}</extra>",
        )
    what = "probability" if curves.versus is None else "share of the two classes"
    _lay_out(figure, across, what, legend=True)
    figure.update_yaxes(range=[-0.03, 1.03])
    figure.update_xaxes(tickformat=".0%", range=[-0.02, 1.02])
    middle = len(curves.shares) // 2
    words = (
        f"{title}. With {curves.shares[middle]:.0%} {across.removeprefix('of the photo is ')}, the {what} is "
        f"{mapped[middle]:.2f} in the map's order and {random[middle]:.2f} in random order; it begins at "
        f"{mapped[0]:.2f}."
    )
    return Chart(figure, title, words)


def _lay_out(figure: go.Figure, across: str, up: str, legend: bool = False) -> None:
    axis = {"fixedrange": True, "tickfont": {"color": TEXT, "size": 12}, "zeroline": False}
    figure.update_layout(
        dragmode=False,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 12, "color": TEXT}},
        height=_HEIGHT + (24 if legend else 0),
        margin={"l": 0, "r": 8, "t": 30 if legend else 14, "b": 8},
        xaxis={**axis, "title": {"text": across, "font": {"size": 12, "color": TEXT}}, "automargin": True},
        yaxis={**axis, "title": {"text": up, "font": {"size": 12, "color": TEXT}}, "automargin": True},
    )
