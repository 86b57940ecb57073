"""Photos as tiles, page by page, and the steps from one photo to the next: what every page with photos shares."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.kit.cover_button import cover_style
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, truncate

PHOTOS_A_PAGE = 24
COLUMNS = 6
_NARROWEST = 130
_MISSING = ":material/broken_image: The file of this photo is missing."
_TILE = f'[class*="st-key-{KitKey.TILE}"]'
# Photos of all shapes in tiles of one shape; the check box of a tile lies above its button. And a review bar that stays
# in sight while a long grid is scrolled.
_STYLE = f"""<style>{cover_style(_TILE)}
{_TILE} [data-testid=stCheckbox] {{position: relative; z-index: 1; width: fit-content;}}
[class*="st-key-photo_grid"] img {{aspect-ratio: 4 / 3; object-fit: contain; background: rgba(143, 147, 163, 0.12);}}
[class*="st-key-photo_grid"] p {{overflow-wrap: anywhere;}}
[class*="st-key-photo_grid"] button {{padding-left: 0; padding-right: 0; min-height: 2rem;}}
div:has(> [class*="st-key-review_bar"]) {{position: sticky; bottom: 0.5rem; z-index: 20;}}
[class*="st-key-review_bar"] {{background: light-dark(LIGHT, DARK); box-shadow: 0 2px 12px rgba(0, 0, 0, 0.18);}}
</style>"""


@dataclass(frozen=True)
class Tile:
    """A photo of a grid.

    Attributes
    ----------
    sample : str
    label : str
        Its class, not escaped.
    name : str
        File name, for people who can't see the photo.
    picture : callable
        Returns a small JPEG; raises SneakerError or OSError if there is none.
    text : str
        Markdown below the photo.
    missing : str
        Markdown in place of a missing photo.
    """

    sample: str
    label: str
    name: str
    picture: Callable[[], bytes]
    text: str = ""
    missing: str = _MISSING


@dataclass(frozen=True)
class TileAction:
    """The button below each photo of a grid.

    Attributes
    ----------
    title, icon : str
    run : callable
        Given the sample.
    """

    run: Callable[[str], None]
    title: str = "Look closer"
    icon: str = ":material/zoom_in:"


@dataclass(frozen=True)
class Ticks:
    """Check boxes of a grid.

    Attributes
    ----------
    chosen : set of str
        Samples that are ticked; changed in place.
    key : callable
        Sample -> key of its check box.
    """

    chosen: set[str]
    key: Callable[[str], str]


def draw_grid_style() -> None:
    """Draw the style sheet of grids and review bars; once per page run."""
    light, dark = (str(st.get_option(f"theme.{kind}.secondaryBackgroundColor")) for kind in ("light", "dark"))
    st.html(_STYLE.replace("LIGHT", light).replace("DARK", dark))


def draw_tiles(
    place: str, tiles: Sequence[Tile], action: TileAction, ticks: Ticks | None = None, columns: int = COLUMNS
) -> None:
    """Draw a grid of photos.

    Parameters
    ----------
    place : str
        Tells this grid from all others of the session.
    tiles : sequence of Tile
        Those of one page.
    action : TileAction
    ticks : Ticks, optional
        If photos can be chosen.
    columns : int
        At most; fewer on narrow screens.
    """
    with st.grid(columns, min_column_width=_NARROWEST, gap="small", key=KitKey.GRID.of(place)):
        for tile in tiles:
            key = KitKey.TILE.of(f"{place}-{tile.sample}")
            with st.container(border=True, height="stretch", gap="xsmall", key=key):
                _draw_tile(place, tile, action, ticks)


def _draw_tile(place: str, tile: Tile, action: TileAction, ticks: Ticks | None) -> None:
    draw_tile_picture(tile)
    if ticks is not None:
        key = ticks.key(tile.sample)
        st.session_state[key] = tile.sample in ticks.chosen
        label = escape_markdown(truncate(tile.label))
        st.checkbox(label, key=key, on_change=_ticked, args=(ticks, tile.sample))
    if tile.text:
        st.markdown(tile.text)
    st.space("stretch")
    st.button(
        action.title,
        key=KitKey.OPEN.of(f"{place}-{tile.sample}"),
        icon=action.icon,
        type="tertiary",
        on_click=action.run,
        args=(tile.sample,),
    )


def draw_tile_picture(tile: Tile) -> None:
    """Draw the photo of a tile; if its file is missing, say so."""
    try:
        picture = tile.picture()
    except (SneakerError, OSError):
        st.caption(tile.missing)
        return
    st.image(picture, width="stretch", alt=f"{truncate(tile.label)}: {truncate(tile.name)}")


def _ticked(ticks: Ticks, sample: str) -> None:
    if st.session_state[ticks.key(sample)]:
        ticks.chosen.add(sample)
    else:
        ticks.chosen.discard(sample)


def page_count(photos: int, per_page: int = PHOTOS_A_PAGE) -> int:
    """The number of pages; at least one."""
    return max(math.ceil(photos / per_page), 1)


def shown_page(key: str, pages: int) -> int:
    """The page on show, from 0; known before the page numbers are drawn below the grid.

    Parameters
    ----------
    key : str
        Of the page numbers.
    pages : int
    """
    if int(st.session_state.get(key, 1)) > pages:
        del st.session_state[key]  # there are fewer photos than before
    return int(st.session_state.get(key, 1)) - 1


def draw_page_numbers(key: str, pages: int) -> None:
    """Draw the page numbers, if there is more than one page."""
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, key=key, persist_state="session")


def draw_steps(
    place: str,
    sample: str,
    order: Sequence[str],
    go: Callable[[str], None],
    *,
    arrow_keys: bool = True,
    draw_more: Callable[[], object] | None = None,
) -> None:
    """Draw Previous and Next, and the position: "3 of 20".

    Parameters
    ----------
    place : str
        Tells these buttons from others of the session.
    sample : str
        The photo on show.
    order : sequence of str
    go : callable
        Shows another photo, given its sample.
    arrow_keys : bool
        Whether the arrow keys do the same; not beside sliders, which they move.
    draw_more : callable, optional
        Draws more beside them.
    """
    # From a photo that is not among them, Next leads to the first.
    at = order.index(sample) if sample in order else -1
    with st.container(horizontal=True, vertical_alignment="center"):
        for title, icon, shortcut, to in (
            ("Previous", ":material/chevron_left:", "Left", at - 1),
            ("Next", ":material/chevron_right:", "Right", at + 1),
        ):
            there = 0 <= to < len(order)
            st.button(
                title,
                key=KitKey.STEP.of(f"{place}-{title}"),
                icon=icon,
                shortcut=shortcut if arrow_keys else None,
                disabled=not there,
                on_click=go,
                args=(order[to] if there else sample,),
            )
        if sample in order:
            st.caption(f"{at + 1:,} of {len(order):,}", width="content")
        if draw_more is not None:
            draw_more()
