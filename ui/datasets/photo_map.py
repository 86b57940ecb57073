"""The map of a dataset as data and as a chart: positions, colors, and which classes overlap."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.spatial import cKDTree

from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.evaluation.chart_style import plotly_text
from ui.kit.charts import CATEGORIES, FAINT, SYMBOLS, TEXT
from ui.kit.labels import FINDING_LABELS, SPLIT_TITLES
from ui.kit.text import truncate

BY_CLASS, BY_FINDING, BY_SPLIT = "Class", "Finding", "Split"
_NEIGHBORS = 5
_FEWEST_PHOTOS = 5
# Two classes overlap if at least this share of their nearest neighbors is mixed.
_OVERLAP = 0.05


@dataclass(frozen=True)
class Overlap:
    """The two classes whose photos are mixed the most.

    Attributes
    ----------
    one, other : str
    share : float
        0 to 1: share of the nearest neighbors of their photos that belong to the other class of the two.
    """

    one: str
    other: str
    share: float


def closest_classes(places: pd.DataFrame) -> Overlap | None:
    """Find the two classes that overlap the most on the map.

    Parameters
    ----------
    places : DataFrame
        Columns x, y, label.

    Returns
    -------
    Overlap or None
        None if fewer than two classes have five photos.
    """
    counts = places["label"].value_counts()
    names = sorted(counts.index[counts >= _FEWEST_PHOTOS])
    inside = places[places["label"].isin(names)]
    if len(names) < 2:
        return None
    numbers = pd.Categorical(inside["label"], categories=names).codes.astype(np.int64)
    points = inside[["x", "y"]].to_numpy(dtype=float)
    nearest = cKDTree(points).query(points, k=min(_NEIGHBORS + 1, len(points)))[1][:, 1:]
    mixed = np.zeros((len(names), len(names)))
    np.add.at(mixed, (np.repeat(numbers, nearest.shape[1]), numbers[nearest].ravel()), 1)
    size = np.bincount(numbers, minlength=len(names)) * nearest.shape[1]
    share = np.triu((mixed + mixed.T) / (size[:, None] + size[None, :]), k=1)
    one, other = np.unravel_index(int(share.argmax()), share.shape)
    return Overlap(names[one], names[other], float(share[one, other]))


def overlap_text(overlap: Overlap | None) -> str:
    """What the map shows, in one line."""
    if overlap is None:
        return "Similar photos are close together"
    if overlap.share < _OVERLAP:
        return "No two classes overlap much"
    return f"{truncate(overlap.one)} and {truncate(overlap.other)} overlap the most: look for mix-ups there"


def farthest_from_center(places: pd.DataFrame, label: str) -> pd.DataFrame:
    """The photos of a class, sorted by distance from the class's median position, farthest first."""
    own = places[places["label"] == label]
    center = own[["x", "y"]].median()
    distance = np.hypot(own["x"] - center["x"], own["y"] - center["y"])
    return own.iloc[np.argsort(-distance.to_numpy(), kind="stable")]


def default_classes(places: pd.DataFrame, overlap: Overlap | None) -> tuple[str, ...]:
    """The classes that are colored until the user chooses some: the closest two, then the largest."""
    closest = [overlap.one, overlap.other] if overlap else []
    largest = [str(label) for label in places["label"].value_counts().index]
    return tuple(dict.fromkeys([*closest, *largest]))[: len(CATEGORIES)]


def color_groups(places: pd.DataFrame, color_by: str, classes: tuple[str, ...]) -> pd.Series:
    """The color group of each photo, as the legend names it; "" for gray points.

    Parameters
    ----------
    places : DataFrame
        From `dataset_details_cache.dataset_map`.
    color_by : str
        `BY_CLASS`, `BY_FINDING` or `BY_SPLIT`.
    classes : tuple of str
        The classes to color, for `BY_CLASS`.
    """
    if color_by == BY_CLASS:
        return places["label"].where(places["label"].isin(classes), "")
    if color_by == BY_SPLIT:
        return places["split"].map(SPLIT_TITLES).fillna("")
    worst = pd.Series(
        [FINDING_LABELS[Kind(kinds[0])].title if kinds else "" for kinds in places["kinds"]],
        index=places.index,
        dtype=object,
    )
    common = worst[worst != ""].value_counts().index[: len(CATEGORIES)]
    return worst.where(worst.isin(common), "")


def map_figure(places: pd.DataFrame, groups: pd.Series) -> tuple[go.Figure, list[list[str]]]:
    """Draw the map.

    Parameters
    ----------
    places : DataFrame
        Columns sample, x, y, label.
    groups : Series of str
        Same index; "" is gray and behind the others.

    Returns
    -------
    figure : plotly.graph_objects.Figure
    samples : list of list of str
        The samples of each trace, in the order of its points.
    """
    figure, samples = go.Figure(), []
    names = [name for name in groups.value_counts().index if name]
    for place, name in enumerate(["", *names]):
        members = places[groups == name]
        style: dict[str, Any] = {"color": FAINT, "size": 5}
        if name:
            style = {"color": CATEGORIES[place - 1], "size": 7, "symbol": SYMBOLS[place - 1]}
        figure.add_scattergl(
            x=members["x"].to_numpy(np.float32),
            y=members["y"].to_numpy(np.float32),
            mode="markers",
            name=plotly_text(truncate(name or "All photos")),
            text=[plotly_text(truncate(label)) for label in members["label"]],
            hovertemplate="%{text}<extra></extra>",
            marker=style,
            showlegend=bool(name) or not names,
        )
        samples.append(list(members["sample"]))
    figure.update_layout(
        height=440,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        dragmode="lasso",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "font": {"color": TEXT, "size": 13}},
        xaxis={"visible": False},
        yaxis={"visible": False},
    )
    return figure, samples
