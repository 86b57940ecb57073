"""The section "Map": every photo as a point beside those that look like it; what is drawn around is shown below."""

import html
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from scipy.spatial import cKDTree

from sneaker_core.datasets.index import Dataset
from sneaker_core.workspace.safe_names import natural_order
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.datasets.photo_detail_view import draw_case
from ui.kit import dataset_cache
from ui.kit.charts import CATEGORIES, FAINT, SYMBOLS, TEXT
from ui.kit.labels import FINDING_LABELS
from ui.kit.photo_grid import (
    PHOTOS_A_PAGE,
    cut,
    draw_choosing,
    draw_grid,
    draw_pages,
    draw_style,
    page_count,
    shown_page,
    tiles_of,
)
from ui.kit.quantities import counted_photos
from ui.kit.review_bar import chosen_of, draw_bar
from ui.kit.review_section import Section, changes_by_kinds, said_kindly
from ui.kit.text import plain

BY_CLASS, BY_FINDING, BY_SPLIT = "Class", "Finding", "Split"
_TOOLS = {"displaylogo": False, "displayModeBar": True, "modeBarButtonsToRemove": ["autoScale2d", "toImage"]}
_NEIGHBOURS = 5
_FEWEST = 5
# Below this share of mixed neighbours two classes do not overlap.
_OVERLAP = 0.05
_NOWHERE = (
    "There is no map yet. Press **Look for problems** on the Overview: once I have looked at the photos with a model, "
    "they are laid out here."
)


@dataclass(frozen=True)
class Overlap:
    """The two classes whose photos lie most among each other.

    Attributes
    ----------
    one, other : str
    share : float
        0 to 1: of the nearest neighbours of their photos, how many are of the other of the two.
    """

    one: str
    other: str
    share: float


def closest_classes(places: pd.DataFrame) -> Overlap | None:
    """Which two classes overlap most on the map.

    Parameters
    ----------
    places : DataFrame
        Columns x, y, label.

    Returns
    -------
    Overlap or None
        None where fewer than two classes have five photos.
    """
    counts = places["label"].value_counts()
    names = sorted(counts.index[counts >= _FEWEST])
    inside = places[places["label"].isin(names)]
    if len(names) < 2:
        return None
    numbers = pd.Categorical(inside["label"], categories=names).codes.astype(np.int64)
    points = inside[["x", "y"]].to_numpy(dtype=float)
    nearest = cKDTree(points).query(points, k=min(_NEIGHBOURS + 1, len(points)))[1][:, 1:]
    mixed = np.zeros((len(names), len(names)))
    np.add.at(mixed, (np.repeat(numbers, nearest.shape[1]), numbers[nearest].ravel()), 1)
    size = np.bincount(numbers, minlength=len(names)) * nearest.shape[1]
    share = np.triu((mixed + mixed.T) / (size[:, None] + size[None, :]), k=1)
    one, other = np.unravel_index(int(share.argmax()), share.shape)
    return Overlap(names[one], names[other], float(share[one, other]))


def finding_of(overlap: Overlap | None) -> str:
    """What the map shows, in one line."""
    if overlap is None:
        return "Photos that look alike lie close together"
    one, other = cut(overlap.one), cut(overlap.other)
    if overlap.share < _OVERLAP:
        return "No two classes overlap much"
    return f"{one} and {other} overlap most: look there for mix-ups"


def far_from_middle(places: pd.DataFrame, label: str) -> pd.DataFrame:
    """The photos of a class, those that lie farthest from the class's middle (its median) first."""
    own = places[places["label"] == label]
    middle = own[["x", "y"]].median()
    distance = np.hypot(own["x"] - middle["x"], own["y"] - middle["y"])
    return own.iloc[np.argsort(-distance.to_numpy(), kind="stable")]


def groups_of(places: pd.DataFrame, colouring: str, classes: tuple[str, ...]) -> pd.Series:
    """The group that colours each point; "" for the grey rest.

    Parameters
    ----------
    places : DataFrame
        From `dataset_details_cache.dataset_map`.
    colouring : str
        `BY_CLASS`, `BY_FINDING` or `BY_SPLIT`.
    classes : tuple of str
        Which to colour, for `BY_CLASS`.
    """
    if colouring == BY_CLASS:
        return places["label"].where(places["label"].isin(classes), "")
    if colouring == BY_SPLIT:
        return places["split"].fillna("")
    gravest = pd.Series([kinds[0] if kinds else "" for kinds in places["kinds"]], index=places.index, dtype=object)
    common = gravest[gravest != ""].value_counts().index[: len(CATEGORIES)]
    return gravest.where(gravest.isin(common), "")


def draw_points(places: pd.DataFrame, groups: pd.Series) -> tuple[go.Figure, list[list[str]]]:
    """The map, and the samples of each of its traces in order.

    Parameters
    ----------
    places : DataFrame
        Columns sample, x, y, label.
    groups : Series of str
        Same index; "" is drawn in grey, underneath.
    """
    figure, samples = go.Figure(), []
    names = [name for name in groups.value_counts().index if name]
    for place, name in enumerate(["", *names]):
        mine = places[groups == name]
        style: dict[str, Any] = {"color": FAINT, "size": 5}
        if name:
            style = {"color": CATEGORIES[place - 1], "size": 7, "symbol": SYMBOLS[place - 1]}
        figure.add_scattergl(
            x=mine["x"].to_numpy(np.float32),
            y=mine["y"].to_numpy(np.float32),
            mode="markers",
            name=html.escape(cut(_legend(name))),
            text=[html.escape(cut(label)) for label in mine["label"]],
            hovertemplate="%{text}<extra></extra>",
            marker=style,
            showlegend=bool(name) or not names,
        )
        samples.append(list(mine["sample"]))
    figure.update_layout(
        height=440,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        dragmode="lasso",
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "font": {"color": TEXT, "size": 13}},
        xaxis={"visible": False},
        yaxis={"visible": False},
    )
    return figure, samples


def _legend(group: str) -> str:
    return next((label.title for kind, label in FINDING_LABELS.items() if kind.value == group), group) or "all others"


@st.fragment
def draw_map(dataset: Dataset) -> None:
    """Draw the map of a dataset; what is chosen on it is shown below, with the bar that decides.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("map", dataset)
    with said_kindly(dataset):
        key = dataset_cache.review_key(dataset)
        places = dataset_details_cache.dataset_map(key)
        if places.empty:
            st.info(_NOWHERE, icon=":material/scatter_plot:")
            return
        draw_style()
        overlap = closest_classes(places)
        st.subheader(plain(finding_of(overlap)), anchor=False)
        st.markdown(
            "Every point is a photo; photos that look alike to the model lie close together. Draw around some to see "
            "them below. A point amid another class is worth a look: its class may be wrong."
        )
        _draw_figure(section, places, overlap)
        _draw_found(section, places, key)
        draw_case(section)


def _draw_figure(section: Section, places: pd.DataFrame, overlap: Overlap | None) -> None:
    with st.container(horizontal=True):
        colouring = st.segmented_control(
            "Colour by",
            [BY_CLASS, BY_FINDING, BY_SPLIT],
            default=BY_CLASS,
            required=True,
            key=section.key(Key.COLOURING),
            persist_state="session",
        )
        picked: list[str] = []
        if colouring == BY_CLASS:
            picked = st.multiselect(
                "Classes in colour",
                sorted(places["label"].unique(), key=natural_order),
                max_selections=len(CATEGORIES),
                placeholder="The closest two and the largest",
                key=section.key(Key.COLOURED),
                persist_state="session",
            )
    classes = tuple(picked) or coloured_classes(places, overlap)
    figure, samples = draw_points(places, groups_of(places, str(colouring), classes))
    drawing = section.key(Key.DRAWING)

    def drawn() -> None:
        points = st.session_state[drawing]["selection"]["points"]
        known = {(curve, place): one for curve, trace in enumerate(samples) for place, one in enumerate(trace)}
        # Of points that were drawn around just as the map changed, some may be gone.
        wanted = [(point["curve_number"], point["point_index"]) for point in points]
        found = [known[place] for place in wanted if place in known]
        st.session_state[section.key(Key.DRAWN)] = found
        st.session_state[section.key(Key.MAP_CLASS)] = None
        section.chosen.clear()
        section.first_page()

    st.plotly_chart(
        figure,
        key=drawing,
        on_select=drawn,
        selection_mode=("lasso", "box"),
        config=_TOOLS,
        alt=f"Map of {counted_photos(len(places))}. {finding_of(overlap)}.",
    )


def coloured_classes(places: pd.DataFrame, overlap: Overlap | None) -> tuple[str, ...]:
    """The classes that are in colour when nobody chose any: the two closest, then the largest."""
    closest = [overlap.one, overlap.other] if overlap else []
    largest = [str(label) for label in places["label"].value_counts().index]
    return tuple(dict.fromkeys([*closest, *largest]))[: len(CATEGORIES)]


def _draw_found(section: Section, places: pd.DataFrame, key: dataset_cache.ReviewKey) -> None:
    label = st.selectbox(
        "Or pick a class: its photos, those farthest from the class's middle first",
        sorted(places["label"].unique(), key=natural_order),
        index=None,
        placeholder="No class",
        key=section.key(Key.MAP_CLASS),
        on_change=section.first_page,
    )
    drawn = st.session_state.get(section.key(Key.DRAWN), [])
    inside = set(places["sample"])
    found = list(far_from_middle(places, label)["sample"]) if label else [one for one in drawn if one in inside]
    photos = dataset_cache.reviewed_photos(key).set_index("sample", drop=False).loc[found]
    chosen = chosen_of(section, photos)
    if not found:
        st.caption("Nothing is drawn around: use the lasso or the box above the map, or pick a class.")
    else:
        pages = page_count(len(found))
        first = shown_page(section, pages) * PHOTOS_A_PAGE
        shown = photos.iloc[first : first + PHOTOS_A_PAGE]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{counted_photos(len(found))}** {_where(label)}", width="content")
            draw_choosing(section, list(shown["sample"]))
        draw_grid(section, tiles_of(shown), found)
        draw_pages(section, pages)
    draw_bar(section, chosen, changes_by_kinds, key)


def _where(label: str | None) -> str:
    return f"of {plain(cut(label))}" if label else "drawn around"
