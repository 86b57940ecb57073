"""The grid of small photos that every section shares: ticked here, opened here, one page at a time."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import streamlit as st

from sneaker_core.datasets.quality.findings import Kind
from sneaker_core.datasets.thumbnails import ensure_thumbnail
from sneaker_core.errors import SneakerError
from ui.kit.labels import FINDING_LABELS
from ui.kit.review_section import Section
from ui.kit.state_keys import KitKey
from ui.kit.text import plain

PHOTOS_A_PAGE = 24
_COLUMNS, _NARROWEST = 6, 130
_LONGEST_LABEL = 40
_MOST_BADGES = 2
# Photos of all shapes in tiles of one shape, and a bar that stays in sight while a long grid is scrolled.
_STYLE = """<style>
[class*="st-key-review_grid"] img {aspect-ratio: 4 / 3; object-fit: contain; background: rgba(143, 147, 163, 0.12);}
[class*="st-key-review_grid"] label p {overflow-wrap: anywhere;}
div:has(> [class*="st-key-review_bar"]) {position: sticky; bottom: 0.5rem; z-index: 20;}
[class*="st-key-review_grid"] button {padding-left: 0; padding-right: 0; min-height: 2rem;}
[class*="st-key-review_bar"] {background: light-dark(LIGHT, DARK); box-shadow: 0 2px 12px rgba(0, 0, 0, 0.18);}
</style>"""


class Tile(NamedTuple):
    """A photo on the grid.

    Attributes
    ----------
    sample, path, name, label : str
    badges : str
        Markdown under the photo.
    """

    sample: str
    path: str
    name: str
    label: str
    badges: str


def cut(text: str, most: int = _LONGEST_LABEL) -> str:
    """A text, its end left out when it is too long for a tile."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def badges_of(photo: pd.Series, hidden: Sequence[str] = ()) -> str:
    """The badges of a photo: left out of use, findings, split.

    Parameters
    ----------
    photo : Series
        A row of `dataset_cache.reviewed_photos`.
    hidden : sequence of str
        Kinds that go without saying.
    """
    badges = [":red-badge[excluded]"] if photo["excluded"] else []
    kinds = [kind for kind in photo["kinds"] if kind not in hidden]
    badges += [f":orange-badge[{FINDING_LABELS[Kind(kind)].badge}]" for kind in kinds[:_MOST_BADGES]]
    if len(kinds) > _MOST_BADGES:
        badges.append(f":orange-badge[+{len(kinds) - _MOST_BADGES}]")
    if isinstance(photo["split"], str):
        badges.append(f":gray-badge[{photo['split']}]")
    return " ".join(badges)


def tiles_of(photos: pd.DataFrame, badges: Callable[[pd.Series], str] = badges_of) -> list[Tile]:
    """The tiles of rows of `dataset_cache.reviewed_photos`."""
    return [
        Tile(photo["sample"], photo["path"], photo["name"], photo["label"], badges(photo))
        for _, photo in photos.iterrows()
    ]


def draw_style() -> None:
    """What the grid and the bar need to look right; once for each section."""
    light, dark = (str(st.get_option(f"theme.{kind}.secondaryBackgroundColor")) for kind in ("light", "dark"))
    st.html(_STYLE.replace("LIGHT", light).replace("DARK", dark))


def draw_grid(
    section: Section, tiles: Sequence[Tile], order: Sequence[str], part: str = "", columns: int = _COLUMNS
) -> None:
    """Draw tiles with a box to tick and a button to look closer.

    Parameters
    ----------
    section : Section
    tiles : sequence of Tile
    order : sequence of str
        All photos that can be stepped through from here.
    part : str
        Tells this grid from others in the section.
    columns : int
        At most; fewer where they would be too narrow.
    """
    order = tuple(order)
    with st.grid(columns, min_column_width=_NARROWEST, gap="small", key=section.key(KitKey.GRID, part)):
        for tile in tiles:
            with st.container(border=True, height="stretch", gap="xsmall"):
                _draw_tile(section, tile, order)


def _draw_tile(section: Section, tile: Tile, order: Sequence[str]) -> None:
    draw_thumbnail(section, tile)
    key = section.key(KitKey.TICK, tile.sample)
    st.session_state[key] = tile.sample in section.chosen
    st.checkbox(plain(cut(tile.label)), key=key, on_change=_ticked, args=(section, tile.sample))
    if tile.badges:
        st.markdown(tile.badges)
    st.space("stretch")
    st.button(
        "Look closer",
        key=section.key(KitKey.OPEN, tile.sample),
        icon=":material/zoom_in:",
        type="tertiary",
        on_click=open_case,
        args=(section, tile.sample, order),
    )


def draw_thumbnail(section: Section, tile: Tile) -> None:
    """Draw the small photo; where its file has gone, say so."""
    try:
        small = ensure_thumbnail(section.dataset, tile.sample, Path(tile.path)).read_bytes()
    except (SneakerError, OSError):
        st.caption(":material/broken_image: The file of this photo has gone.")
        return
    st.image(small, width="stretch", alt=f"{cut(tile.label)}: {cut(tile.name)}")


def _ticked(section: Section, sample: str) -> None:
    if st.session_state[section.key(KitKey.TICK, sample)]:
        section.chosen.add(sample)
    else:
        section.chosen.discard(sample)


def open_case(section: Section, sample: str, order: Sequence[str]) -> None:
    """Have a photo looked at closely, and those before and after it.

    Parameters
    ----------
    section : Section
    sample : str
    order : sequence of str
        What "previous" and "next" mean.
    """
    st.session_state[section.key(KitKey.CASE)] = (sample, order)


def draw_pages(section: Section, pages: int) -> None:
    """Draw the numbers of the pages, where there is more than one."""
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            start = min(section.page_start[1], pages)
            st.pagination(pages, default=start, key=section.page_key, persist_state="session")


def shown_page(section: Section, pages: int) -> int:
    """Which page is on show, counted from 0; known before the numbers of the pages are drawn underneath."""
    page = int(st.session_state.get(section.page_key, section.page_start[1]))
    if page > max(pages, 1):
        # There are fewer pages than a moment ago.
        page = max(pages, 1)
        section.go_to_page(page)
    return page - 1


def page_count(photos: int) -> int:
    """How many pages so many photos fill; at least one."""
    return max(math.ceil(photos / PHOTOS_A_PAGE), 1)


def draw_choosing(section: Section, here: Sequence[str]) -> None:
    """Buttons that tick all photos of this page, or none of any page."""
    st.button(
        "Choose all on this page",
        key=section.key(KitKey.CHOOSE_ALL),
        icon=":material/select_all:",
        on_click=section.chosen.update,
        args=(tuple(here),),
        disabled=not here,
    )
    st.button(
        "Choose none",
        key=section.key(KitKey.CHOOSE_NONE),
        icon=":material/deselect:",
        on_click=section.chosen.clear,
        disabled=not section.chosen,
    )
