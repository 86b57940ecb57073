"""The section "Photos": all photos of a dataset, filtered, sorted and decided on."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.workspace.safe_names import natural_order
from ui.datasets.datasets_keys import Key
from ui.datasets.photo_detail_view import draw_case
from ui.kit import dataset_cache
from ui.kit.labels import FINDING_LABELS
from ui.kit.photo_grid import (
    PHOTOS_A_PAGE,
    draw_choosing,
    draw_grid,
    draw_pages,
    draw_style,
    page_count,
    shown_page,
    tiles_of,
)
from ui.kit.review_bar import chosen_of, draw_bar
from ui.kit.review_section import Section, changes_by_kinds, said_kindly

IN_USE, EXCLUDED, ALL = "In use", "Excluded", "All"
_NO_SPLIT = "not split yet"
_SORTED = {
    "By class": ("label", True),
    "Newest first": ("added", False),
    "Largest first": ("pixels", False),
    "Smallest first": ("pixels", True),
}


@dataclass(frozen=True)
class Filter:
    """Which photos to show, in which order.

    Attributes
    ----------
    state : str
        `IN_USE`, `EXCLUDED` or `ALL`.
    classes, splits, kinds : tuple of str
        Any of these; empty for all.
    text : str
        In the file's name, capitals or not.
    order : str
        A key of the orders offered.
    """

    state: str = IN_USE
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    text: str = ""
    order: str = "By class"

    def apply(self, photos: pd.DataFrame) -> pd.DataFrame:
        """The rows of `dataset_cache.reviewed_photos` that match, in order."""
        rows = pd.Series(True, index=photos.index)
        if self.state != ALL:
            rows &= photos["excluded"] == (self.state == EXCLUDED)
        if self.classes:
            rows &= photos["label"].isin(self.classes)
        if self.splits:
            rows &= photos["split"].fillna(_NO_SPLIT).isin(self.splits)
        if self.kinds:
            wanted = set(self.kinds)
            rows &= pd.Series([not wanted.isdisjoint(kinds) for kinds in photos["kinds"]], index=photos.index)
        if self.text.strip():
            rows &= photos["name"].str.contains(self.text.strip(), case=False, regex=False)
        column, rising = _SORTED[self.order]
        matching = photos[rows]
        if column == "label":
            return matching
        return (
            matching.assign(pixels=matching["width"] * matching["height"])
            .sort_values(column, ascending=rising, kind="stable")
            .drop(columns="pixels")
        )


@st.fragment
def draw_photos(dataset: Dataset) -> None:
    """Draw the photos of a dataset, with filters and the bar that decides on them.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("photos", dataset)
    with said_kindly(dataset):
        key = dataset_cache.review_key(dataset)
        photos = dataset_cache.reviewed_photos(key)
        if photos.empty:
            st.info("There are no photos in this dataset yet.", icon=":material/photo_library:")
            return
        draw_style()
        matching = _draw_filters(section, photos, key).apply(photos)
        _draw_matching(section, matching, len(photos), key)
        draw_case(section)


def _draw_filters(section: Section, photos: pd.DataFrame, key: dataset_cache.ReviewKey) -> Filter:
    splits = [*sorted(photos["split"].dropna().unique()), *([_NO_SPLIT] if photos["split"].isna().any() else [])]
    kinds = set(dataset_cache.dataset_findings(key)["kind"])
    offered = [kind for kind in FINDING_LABELS if kind.value in kinds]
    with st.grid(4, min_column_width=150):
        classes = _several(section, "Class", sorted(dataset_cache.class_names(key), key=natural_order))
        found = _several(section, "Finding", [FINDING_LABELS[kind].title for kind in offered])
        split = _several(section, "Split", splits)
        text = st.text_input(
            "File name",
            key=section.key(Key.FILTER, "text"),
            placeholder="Part of a name",
            persist_state="session",
            on_change=section.first_page,
        )
    with st.container(horizontal=True):
        state = st.segmented_control(
            "Show",
            [IN_USE, EXCLUDED, ALL],
            default=IN_USE,
            required=True,
            key=section.key(Key.FILTER, "state"),
            persist_state="session",
            on_change=section.first_page,
        )
        order = st.selectbox(
            "Sort",
            list(_SORTED),
            key=section.key(Key.FILTER, "order"),
            persist_state="session",
            on_change=section.first_page,
            width=150,
        )
    named = tuple(kind for kind in offered if FINDING_LABELS[kind].title in found)
    return Filter(str(state), classes, split, named, text or "", order)


def _several(section: Section, name: str, options: list[str]) -> tuple[str, ...]:
    """A filter of which several can be chosen; all stay when none is."""
    chosen = st.multiselect(
        name,
        options,
        key=section.key(Key.FILTER, name),
        placeholder="Any",
        persist_state="session",
        on_change=section.first_page,
        disabled=not options,
    )
    return tuple(chosen)


def _draw_matching(section: Section, matching: pd.DataFrame, total: int, key: dataset_cache.ReviewKey) -> None:
    chosen = chosen_of(section, matching)
    pages = page_count(len(matching))
    first = shown_page(section, pages) * PHOTOS_A_PAGE
    shown = matching.iloc[first : first + PHOTOS_A_PAGE]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(matching):,}** of {total:,} photos", width="content")
        draw_choosing(section, list(shown["sample"]))
    if matching.empty:
        st.info("No photo matches these filters.", icon=":material/filter_alt_off:")
    draw_grid(section, tiles_of(shown), list(matching["sample"]))
    draw_pages(section, pages)
    draw_bar(section, chosen, changes_by_kinds, key)
