"""The grid of a dataset's photos, with check boxes and badges."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st

from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from ui.kit.labels import FINDING_LABELS, SPLIT_TITLES
from ui.kit.photo_detail import open_photo
from ui.kit.photo_tiles import (
    COLUMNS,
    PHOTOS_A_PAGE,
    Ticks,
    TileAction,
    draw_tiles,
    page_count,
)
from ui.kit.photo_tiles import Tile as PhotoTile
from ui.kit.review_section import Section, clear_notice
from ui.kit.state_keys import KitKey

__all__ = [
    "PHOTOS_A_PAGE",
    "Tile",
    "badges_of",
    "draw_choosing",
    "draw_grid",
    "draw_pages",
    "page_count",
    "photo_tile",
    "shown_page",
    "tiles_of",
]

_MOST_BADGES = 2


class Tile(NamedTuple):
    """A photo of a dataset.

    Attributes
    ----------
    sample, path, name, label : str
    badges : str
        Markdown below the photo.
    """

    sample: str
    path: str
    name: str
    label: str
    badges: str


def badges_of(photo: pd.Series, hidden: Sequence[str] = ()) -> str:
    """Badges of a photo: excluded, findings, split.

    Parameters
    ----------
    photo : Series
        A row of `dataset_cache.reviewed_photos`.
    hidden : sequence of str
        Kinds of findings without a badge.
    """
    badges = [":red-badge[excluded]"] if photo["excluded"] else []
    kinds = [kind for kind in photo["kinds"] if kind not in hidden]
    badges += [f":orange-badge[{FINDING_LABELS[Kind(kind)].badge}]" for kind in kinds[:_MOST_BADGES]]
    if len(kinds) > _MOST_BADGES:
        badges.append(f":orange-badge[+{len(kinds) - _MOST_BADGES}]")
    if isinstance(photo["split"], str):
        badges.append(f":gray-badge[{SPLIT_TITLES[photo['split']].lower()}]")
    return " ".join(badges)


def tiles_of(photos: pd.DataFrame, badges: Callable[[pd.Series], str] = badges_of) -> list[Tile]:
    """The tiles of rows of `dataset_cache.reviewed_photos`."""
    return [
        Tile(photo["sample"], photo["path"], photo["name"], photo["label"], badges(photo))
        for _, photo in photos.iterrows()
    ]


def draw_grid(
    section: Section, tiles: Sequence[Tile], order: Sequence[str], part: str = "", columns: int = COLUMNS
) -> None:
    """Draw photos, each with a check box and a button that opens it.

    Parameters
    ----------
    section : Section
    tiles : sequence of Tile
        Those of one page.
    order : sequence of str
        Photos to step through from an opened one.
    part : str
        Tells this grid from others in the section.
    columns : int
        At most; fewer on narrow screens.
    """
    order = tuple(order)
    ticks = Ticks(section.chosen, lambda sample: section.key(KitKey.TICK, sample))

    def open_tile(sample: str) -> None:
        clear_notice(section)
        open_photo(section.place(), sample, order)

    tiles_with_pictures = [photo_tile(section, tile) for tile in tiles]
    draw_tiles(section.place(part), tiles_with_pictures, TileAction(open_tile), ticks, columns)


def photo_tile(section: Section, tile: Tile) -> PhotoTile:
    """A tile with the thumbnail of its photo."""

    def picture() -> bytes:
        return ensure_thumbnail(section.dataset, tile.sample, Path(tile.path)).read_bytes()

    return PhotoTile(tile.sample, tile.label, tile.name, picture, tile.badges)


def draw_pages(section: Section, pages: int) -> None:
    """Draw the page numbers, if there is more than one page."""
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            start = min(section.page_start[1], pages)
            st.pagination(pages, default=start, key=section.page_key, persist_state="session")


def shown_page(section: Section, pages: int) -> int:
    """The page on show, from 0; known before the page numbers are drawn below the grid."""
    page = int(st.session_state.get(section.page_key, section.page_start[1]))
    if page > max(pages, 1):
        page = max(pages, 1)  # there are fewer photos than before
        section.go_to_page(page)
    return page - 1


def draw_choosing(section: Section, here: Sequence[str]) -> None:
    """Draw buttons that choose all photos of this page, or none at all."""
    st.button(
        "Select this page",
        key=section.key(KitKey.CHOOSE_ALL),
        icon=":material/select_all:",
        on_click=section.chosen.update,
        args=(tuple(here),),
        disabled=not here,
    )
    st.button(
        "Select none",
        key=section.key(KitKey.CHOOSE_NONE),
        icon=":material/deselect:",
        on_click=section.chosen.clear,
        disabled=not section.chosen,
    )
