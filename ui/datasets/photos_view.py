"""The section "Photos": all photos of a dataset, with filters and review actions."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.workspace.safe_names import natural_order
from ui.datasets.datasets_keys import Key
from ui.datasets.photo_detail_view import draw_detail
from ui.kit import dataset_cache
from ui.kit.address import CLASS_PARAM, follow_choices, write_choice
from ui.kit.labels import FINDING_LABELS, NO_SPLIT, SPLIT_TITLES
from ui.kit.next_step import draw_dataset_steps
from ui.kit.page_links import Page
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
from ui.kit.review_bar import chosen_of, draw_bar, draw_worth_above
from ui.kit.review_section import Section, changes_by_kinds, reported_errors

IN_USE, EXCLUDED, ALL = "In use", "Excluded", "All"
_ORDERS = {
    "By class": ("label", True),
    "Newest first": ("added", False),
    "Largest first": ("pixels", False),
    "Smallest first": ("pixels", True),
}


@dataclass(frozen=True)
class Filter:
    """Which photos to show, and in which order.

    Attributes
    ----------
    state : str
        `IN_USE`, `EXCLUDED` or `ALL`.
    classes, splits, kinds : tuple of str
        Photos that have any of these; empty for all photos. Splits are given by their titles.
    text : str
        Part of the file name, upper or lower case.
    order : str
        A key of `_ORDERS`.
    """

    state: str = IN_USE
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    text: str = ""
    order: str = "By class"

    def apply(self, photos: pd.DataFrame) -> pd.DataFrame:
        """Matching rows of `dataset_cache.reviewed_photos`, sorted."""
        rows = pd.Series(True, index=photos.index)
        if self.state != ALL:
            rows &= photos["excluded"] == (self.state == EXCLUDED)
        if self.classes:
            rows &= photos["label"].isin(self.classes)
        if self.splits:
            rows &= photos["split"].map(SPLIT_TITLES).fillna(NO_SPLIT).isin(self.splits)
        if self.kinds:
            wanted = set(self.kinds)
            rows &= pd.Series([not wanted.isdisjoint(kinds) for kinds in photos["kinds"]], index=photos.index)
        if self.text.strip():
            rows &= photos["name"].str.contains(self.text.strip(), case=False, regex=False)
        column, ascending = _ORDERS[self.order]
        matching = photos[rows]
        if column == "label":
            return matching
        return (
            matching.assign(pixels=matching["width"] * matching["height"])
            .sort_values(column, ascending=ascending, kind="stable")
            .drop(columns="pixels")
        )


@st.fragment
def draw_photos(dataset: Dataset) -> None:
    """Draw the photos of a dataset, with filters and review actions.

    Parameters
    ----------
    dataset : Dataset
    """
    section = Section("photos", dataset)
    with reported_errors(dataset):
        key = dataset_cache.review_key(dataset)
        photos = dataset_cache.reviewed_photos(key)
        if photos.empty:
            st.info("This dataset has no photos yet.", icon=":material/photo_library:")
            return
        draw_dataset_steps(dataset, Page.DATASETS)
        draw_grid_style()
        draw_worth_above(section)
        matching = _draw_filters(section, photos, key).apply(photos)
        _draw_matching(section, matching, len(photos), key)
        draw_detail(section, list(matching["sample"]))


def _draw_filters(section: Section, photos: pd.DataFrame, key: dataset_cache.ReviewKey) -> Filter:
    used = set(photos["split"].dropna())
    splits = [title for split, title in SPLIT_TITLES.items() if split in used]
    splits += [NO_SPLIT] if photos["split"].isna().any() else []
    kinds = set(dataset_cache.dataset_findings(key)["kind"])
    offered = [kind for kind in FINDING_LABELS if kind.value in kinds]
    with st.grid(4, min_column_width=150):
        classes = _choose_classes(section, sorted(dataset_cache.class_names(key), key=natural_order))
        found = _choose_several(section, "Finding", [FINDING_LABELS[kind].title for kind in offered])
        split = _choose_several(section, "Split", splits)
        text = st.text_input(
            "File name",
            key=section.key(Key.PHOTO_FILTER, "text"),
            placeholder="Part of the name",
            persist_state="session",
            on_change=section.first_page,
        )
    with st.container(horizontal=True):
        state = st.segmented_control(
            "Show",
            [IN_USE, EXCLUDED, ALL],
            default=IN_USE,
            required=True,
            key=section.key(Key.PHOTO_FILTER, "state"),
            persist_state="session",
            on_change=section.first_page,
        )
        order = st.selectbox(
            "Sort",
            list(_ORDERS),
            key=section.key(Key.PHOTO_FILTER, "order"),
            persist_state="session",
            on_change=section.first_page,
            width=150,
        )
    kinds_chosen = tuple(kind for kind in offered if FINDING_LABELS[kind].title in found)
    return Filter(str(state), classes, split, kinds_chosen, text or "", order)


def _choose_classes(section: Section, options: list[str]) -> tuple[str, ...]:
    """Draw the filter by class; it is in the address, for links to the photos of a class."""
    key = section.key(Key.PHOTO_FILTER, "Class")
    follow_choices(CLASS_PARAM, key, options, noun="class")

    def choose() -> None:
        section.first_page()
        write_choice(CLASS_PARAM, key)

    chosen = st.multiselect("Class", options, key=key, placeholder="Any", on_change=choose, disabled=not options)
    return tuple(chosen)


def _choose_several(section: Section, name: str, options: list[str]) -> tuple[str, ...]:
    """Draw a filter with several options; none chosen means all."""
    chosen = st.multiselect(
        name,
        options,
        key=section.key(Key.PHOTO_FILTER, name),
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
        st.info("No photos match these filters.", icon=":material/filter_alt_off:")
    draw_grid(section, tiles_of(shown), list(matching["sample"]))
    draw_pages(section, pages)
    draw_bar(section, chosen, changes_by_kinds, key)
