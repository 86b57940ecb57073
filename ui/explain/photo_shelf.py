"""A grid of photos to choose from, and the chosen photo."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.images import Photo
from sneaker_core.number_text import counted
from ui.explain.explain_keys import Key
from ui.kit.address import address_item, set_address_values
from ui.kit.page_links import Page, page_icon
from ui.kit.photo_files import stored_photo
from ui.kit.photo_tiles import (
    PHOTOS_A_PAGE,
    Tile,
    TileAction,
    draw_grid_style,
    draw_page_numbers,
    draw_steps,
    draw_tiles,
    page_count,
    shown_page,
)
from ui.kit.text import escape_markdown, truncate

# The photo, and the classes chosen for it.
PHOTO_PARAMS = (Key.SAMPLE, Key.TARGET, Key.VERSUS)
_PLACE = "explain"


@dataclass(frozen=True)
class ChosenPhoto:
    """The chosen photo.

    Attributes
    ----------
    photo : Photo
    label : str or None
        Its label, if it has one.
    """

    photo: Photo
    label: str | None = None


@dataclass(frozen=True)
class PhotoChoices:
    """The photos of a dataset or evaluation to choose from.

    Attributes
    ----------
    home : str
        Identifies the dataset or evaluation.
    photos : DataFrame
        Columns sample, path, label; all photos that a link can lead to.
    offered : DataFrame
        The photos in the grid.
    note : callable
        Given a row: the Markdown below the photo.
    small : callable
        Given a row: a small JPEG.
    """

    home: str
    photos: pd.DataFrame
    offered: pd.DataFrame
    note: Callable[[pd.Series], str]
    small: Callable[[pd.Series], bytes]


def choose_from(shelf: PhotoChoices) -> ChosenPhoto | None:
    """Return the chosen photo; draw the grid and return None until a photo is chosen.

    Parameters
    ----------
    shelf : PhotoChoices
    """
    sample = address_item(Key.SAMPLE, set(shelf.photos["sample"]), noun="photo")
    if sample is None:
        _draw_shelf(shelf)
        return None
    row = shelf.photos[shelf.photos["sample"] == sample].iloc[0]
    _draw_steps(shelf, row)
    return ChosenPhoto(stored_photo(Path(row["path"]), _name(row)), str(row["label"]))


def show_photo(sample: str | None = None) -> None:
    """Show a photo, or the grid if it is None; only from a callback."""
    set_address_values({**dict.fromkeys(PHOTO_PARAMS), Key.SAMPLE: sample})


def _name(row: pd.Series) -> str:
    return str(row["name"]) if "name" in row else Path(row["path"]).name


def _draw_steps(shelf: PhotoChoices, row: pd.Series) -> None:
    """Draw Previous and Next, the way back to the grid, and the photo's name."""

    def draw_more() -> None:
        st.button("All photos", key=Key.EXPLAIN_ALL, icon=":material/grid_view:", on_click=show_photo)
        st.caption(escape_markdown(truncate(_name(row))), width="content")

    order = list(shelf.offered["sample"])
    draw_steps(_PLACE, row["sample"], order, show_photo, arrow_keys=False, draw_more=draw_more)


def _draw_shelf(shelf: PhotoChoices) -> None:
    if shelf.offered.empty:
        st.caption("There are no photos to choose from.")
        return
    st.caption(f"{counted(len(shelf.offered), 'photo')} to choose from")
    draw_grid_style()
    pages = page_count(len(shelf.offered))
    key = Key.EXPLAIN_PAGE.of(f"{shelf.home}-{st.session_state.get(Key.EXPLAIN_CLASS)}")
    start = shown_page(key, pages) * PHOTOS_A_PAGE
    tiles = [
        Tile(str(row["sample"]), str(row["label"]), _name(row), partial(shelf.small, row), shelf.note(row))
        for _, row in shelf.offered.iloc[start : start + PHOTOS_A_PAGE].iterrows()
    ]
    draw_tiles(_PLACE, tiles, TileAction(show_photo, "Explain", page_icon(Page.EXPLAIN)))
    draw_page_numbers(key, pages)
