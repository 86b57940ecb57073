"""The section "Map": each photo is a point near similar photos; the selected photos are shown below."""

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.number_text import counted
from sneaker_core.workspace.safe_names import natural_order
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.datasets.photo_detail_view import draw_detail
from ui.datasets.photo_map import (
    BY_CLASS,
    BY_FINDING,
    BY_SPLIT,
    Overlap,
    closest_classes,
    color_groups,
    default_classes,
    farthest_from_center,
    map_figure,
    overlap_text,
)
from ui.kit import dataset_cache
from ui.kit.charts import CATEGORIES
from ui.kit.photo_grid import (
    PHOTOS_A_PAGE,
    draw_choosing,
    draw_grid,
    draw_pages,
    page_count,
    shown_page,
    tiles_of,
)
from ui.kit.photo_tiles import draw_grid_style
from ui.kit.review_bar import chosen_of, draw_bar
from ui.kit.review_section import Section, changes_by_kinds, reported_errors
from ui.kit.text import escape_markdown, truncate

_CHART_CONFIG = {"displaylogo": False, "displayModeBar": True, "modeBarButtonsToRemove": ["autoScale2d", "toImage"]}
_NO_MAP = (
    "There is no map yet. Choose **Check photos** in the Overview: the model then compares all photos for the map."
)


@st.fragment
def draw_map(dataset: Dataset) -> None:
    """Draw the map of a dataset, and below it the selected photos with review actions.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("map", dataset)
    with reported_errors(dataset):
        key = dataset_cache.review_key(dataset)
        places = dataset_details_cache.dataset_map(key)
        draw_grid_style()
        if places.empty:
            st.info(_NO_MAP, icon=":material/scatter_plot:")
            draw_detail(section, ())
            return
        overlap = closest_classes(places)
        st.header(escape_markdown(overlap_text(overlap)), anchor=False)
        st.markdown(
            "Each point is a photo. Photos that look alike to the model are close together, so a point among those of "
            "another class may have a wrong label. Draw around points to see the photos below."
        )
        _draw_chart(section, places, overlap)
        draw_detail(section, _draw_selected(section, places, key))


def _draw_chart(section: Section, places: pd.DataFrame, overlap: Overlap | None) -> None:
    color_by, classes = _choose_colors(section, places, overlap)
    figure, samples = map_figure(places, color_groups(places, color_by, classes))
    chart = section.key(Key.MAP_CHART)

    def select() -> None:
        points = st.session_state[chart]["selection"]["points"]
        known = {(curve, place): sample for curve, trace in enumerate(samples) for place, sample in enumerate(trace)}
        # If the map changed while points were being selected, some of them may be gone.
        selected = [(point["curve_number"], point["point_index"]) for point in points]
        st.session_state[section.key(Key.MAP_SELECTED)] = [known[point] for point in selected if point in known]
        st.session_state[section.key(Key.MAP_CLASS)] = None
        section.chosen.clear()
        section.first_page()

    st.plotly_chart(
        figure,
        key=chart,
        on_select=select,
        selection_mode=("lasso", "box"),
        config=_CHART_CONFIG,
        alt=f"Map of {counted(len(places), 'photo')}. {overlap_text(overlap)}.",
    )


def _choose_colors(section: Section, places: pd.DataFrame, overlap: Overlap | None) -> tuple[str, tuple[str, ...]]:
    with st.container(horizontal=True):
        color_by = st.segmented_control(
            "Color by",
            [BY_CLASS, BY_FINDING, BY_SPLIT],
            default=BY_CLASS,
            required=True,
            key=section.key(Key.MAP_COLOR_BY),
            persist_state="session",
        )
        chosen: list[str] = []
        if color_by == BY_CLASS:
            chosen = st.multiselect(
                "Classes in color",
                sorted(places["label"].unique(), key=natural_order),
                max_selections=len(CATEGORIES),
                placeholder="Closest two and largest",
                key=section.key(Key.MAP_CLASSES),
                persist_state="session",
            )
    return str(color_by), tuple(chosen) or default_classes(places, overlap)


def _draw_selected(section: Section, places: pd.DataFrame, key: dataset_cache.ReviewKey) -> list[str]:
    """Draw the photos that are selected; returns their samples."""
    label = st.selectbox(
        "Or choose a class; photos farthest from its center come first",
        sorted(places["label"].unique(), key=natural_order),
        index=None,
        placeholder="No class",
        key=section.key(Key.MAP_CLASS),
        on_change=section.first_page,
    )
    if label:
        selected = list(farthest_from_center(places, label)["sample"])
    else:
        known = set(places["sample"])
        selected = [sample for sample in st.session_state.get(section.key(Key.MAP_SELECTED), []) if sample in known]
    photos = dataset_cache.reviewed_photos(key).set_index("sample", drop=False).loc[selected]
    chosen = chosen_of(section, photos)
    if not selected:
        st.caption("No photos are selected. Use the lasso or the box above the map, or choose a class.")
    else:
        pages = page_count(len(selected))
        first = shown_page(section, pages) * PHOTOS_A_PAGE
        shown = photos.iloc[first : first + PHOTOS_A_PAGE]
        with st.container(horizontal=True, vertical_alignment="center"):
            where = f"labeled {escape_markdown(truncate(label))}" if label else "on the map"
            st.markdown(f"**{counted(len(selected), 'photo')}** {where}", width="content")
            draw_choosing(section, list(shown["sample"]))
        draw_grid(section, tiles_of(shown), selected)
        draw_pages(section, pages)
    draw_bar(section, chosen, changes_by_kinds, key)
    return selected
