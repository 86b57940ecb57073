"""A grid of photos to choose from, and the chosen photo."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from sneaker_core.number_text import counted
from ui.explain.explain_keys import Key
from ui.kit.address import address_item, set_address_values
from ui.kit.photo_files import stored_photo
from ui.kit.text import escape_markdown, truncate

# The photo, and the classes chosen for it.
PHOTO_PARAMS = (Key.SAMPLE, Key.TARGET, Key.VERSUS)
_PAGE_SIZE = 12
_COLUMNS, _NARROWEST = 6, 130
# All tiles have one aspect ratio, whatever that of the photo.
_STYLE = """<style>
[class*="st-key-explain_tile"] img {aspect-ratio: 4 / 3; object-fit: contain; background: rgba(143, 147, 163, 0.12);}
[class*="st-key-explain_tile"] button {padding-left: 0; padding-right: 0; min-height: 2rem;}
</style>"""


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
    """Draw the photo's name, Previous and Next, and the way back to the grid."""
    order = list(shelf.offered["sample"])
    place = order.index(row["sample"]) if row["sample"] in order else None
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, icon, step in (("Previous", "chevron_left", -1), ("Next", "chevron_right", 1)):
            to = -1 if place is None else place + step
            st.button(
                name,
                key=Key.EXPLAIN_STEP.of(name),
                icon=f":material/{icon}:",
                disabled=not 0 <= to < len(order),
                on_click=show_photo,
                args=(order[to] if 0 <= to < len(order) else row["sample"],),
            )
        st.button(
            "All photos",
            key=Key.EXPLAIN_STEP.of("choose"),
            icon=":material/grid_view:",
            on_click=show_photo,
        )
        of = f" · {place + 1:,} of {len(order):,}" if place is not None else ""
        st.caption(f"{escape_markdown(truncate(_name(row)))}{of}", width="content")


def _draw_shelf(shelf: PhotoChoices) -> None:
    if shelf.offered.empty:
        st.caption("No photos.")
        return
    pages = math.ceil(len(shelf.offered) / _PAGE_SIZE)
    key = Key.EXPLAIN_PAGE.of(f"{shelf.home}-{st.session_state.get(Key.EXPLAIN_CLASS)}")
    if int(st.session_state.get(key, 1)) > pages:
        del st.session_state[key]
    page = int(st.session_state.get(key, 1))
    st.caption(f"{counted(len(shelf.offered), 'photo')} to choose from")
    st.html(_STYLE)
    with st.grid(_COLUMNS, min_column_width=_NARROWEST, gap="small", key=Key.EXPLAIN_TILE.of("grid")):
        for _, row in shelf.offered.iloc[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE].iterrows():
            with st.container(border=True, height="stretch", gap="xsmall"):
                _draw_tile(shelf, row)
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, key=key, persist_state="session")


def _draw_tile(shelf: PhotoChoices, row: pd.Series) -> None:
    try:
        small = shelf.small(row)
    except (SneakerError, OSError):
        st.caption(":material/broken_image: The file of this photo is missing.")
        return
    st.image(small, width="stretch", alt=f"{truncate(row['label'])}: {truncate(_name(row))}")
    st.markdown(shelf.note(row))
    st.space("stretch")
    st.button(
        "Explain",
        key=Key.EXPLAIN_TILE.of(str(row["sample"])),
        icon=":material/center_focus_strong:",
        type="tertiary",
        on_click=show_photo,
        args=(row["sample"],),
    )
