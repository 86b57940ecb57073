"""Photos laid out to choose one from, and the one that was chosen."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from ui.explain.explain_address import notice
from ui.explain.explain_keys import Key
from ui.kit.photo_files import Photo, stored_photo
from ui.kit.photo_grid import cut
from ui.kit.quantities import counted_photos
from ui.kit.text import plain, shortened

_A_PAGE = 12
_COLUMNS, _NARROWEST = 6, 130
# Photos of all shapes in tiles of one shape.
_STYLE = """<style>
[class*="st-key-explain_tile"] img {aspect-ratio: 4 / 3; object-fit: contain; background: rgba(143, 147, 163, 0.12);}
[class*="st-key-explain_tile"] button {padding-left: 0; padding-right: 0; min-height: 2rem;}
</style>"""


@dataclass(frozen=True)
class Looked:
    """The photo that is looked at.

    Attributes
    ----------
    photo : Photo
    label : str or None
        The class that it is filed under, where somebody said so.
    query : dict of str to str
        What leads to it in an address; empty for an upload, which no address can name.
    """

    photo: Photo
    label: str | None = None
    query: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shelf:
    """Photos to choose from.

    Attributes
    ----------
    home : str
        Tells the photos of one dataset or evaluation from all others.
    name : str
        For people.
    photos : DataFrame
        Columns sample, path, label; all that may be shown.
    offered : DataFrame
        Those of them to choose among.
    note : callable
        Markdown under a photo, from its row.
    small : callable
        A small JPEG, from its row.
    query : dict of str to str
    """

    home: str
    name: str
    photos: pd.DataFrame
    offered: pd.DataFrame
    note: Callable[[pd.Series], str]
    small: Callable[[pd.Series], bytes]
    query: dict[str, str]


def take(shelf: Shelf) -> Looked | None:
    """The photo that was chosen from a shelf; until one is, the shelf itself is drawn.

    Parameters
    ----------
    shelf : Shelf
    """
    home, sample = st.session_state.get(Key.EXPLAIN_SAMPLE, (None, ""))
    if home == "":
        home = shelf.home
        st.session_state[Key.EXPLAIN_SAMPLE] = (home, sample)
    found = shelf.photos[shelf.photos["sample"] == sample] if home == shelf.home else shelf.photos.iloc[:0]
    if home == shelf.home and found.empty:
        notice(f"The photo that was asked for is not in {plain(shortened(shelf.name))} (any more). Choose another one.")
    if found.empty or st.session_state.get(Key.EXPLAIN_CHOOSING):
        _draw_shelf(shelf)
        return None
    row = found.iloc[0]
    _draw_steps(shelf, row)
    photo = stored_photo(Path(row["path"]), _name(row))
    return Looked(photo, str(row["label"]), {**shelf.query, "sample": str(row["sample"])})


def _name(row: pd.Series) -> str:
    return str(row["name"]) if "name" in row else Path(row["path"]).name


def _choose(home: str, sample: str) -> None:
    st.session_state[Key.EXPLAIN_SAMPLE] = (home, sample)
    st.session_state[Key.EXPLAIN_CHOOSING] = False


def _draw_steps(shelf: Shelf, row: pd.Series) -> None:
    """The photo's name, those before and after it, and the way back to all."""
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
                on_click=_choose,
                args=(shelf.home, order[to] if 0 <= to < len(order) else row["sample"]),
            )
        st.button(
            "Choose another",
            key=Key.EXPLAIN_STEP.of("choose"),
            icon=":material/grid_view:",
            on_click=partial(st.session_state.__setitem__, Key.EXPLAIN_CHOOSING, True),
        )
        of = f" · {place + 1:,} of {len(order):,}" if place is not None else ""
        st.caption(f"{plain(cut(_name(row)))}{of}", width="content")


def _draw_shelf(shelf: Shelf) -> None:
    if shelf.offered.empty:
        st.caption("There is no such photo here.")
        return
    pages = math.ceil(len(shelf.offered) / _A_PAGE)
    key = Key.EXPLAIN_PAGE.of(f"{shelf.home}-{st.session_state.get(Key.EXPLAIN_CLASS)}")
    if int(st.session_state.get(key, 1)) > pages:
        del st.session_state[key]
    page = int(st.session_state.get(key, 1))
    st.caption(f"{counted_photos(len(shelf.offered))} to choose from")
    st.html(_STYLE)
    with st.grid(_COLUMNS, min_column_width=_NARROWEST, gap="small", key=Key.EXPLAIN_TILE.of("grid")):
        for _, row in shelf.offered.iloc[(page - 1) * _A_PAGE : page * _A_PAGE].iterrows():
            with st.container(border=True, height="stretch", gap="xsmall"):
                _draw_tile(shelf, row)
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, key=key, persist_state="session")


def _draw_tile(shelf: Shelf, row: pd.Series) -> None:
    try:
        small = shelf.small(row)
    except (SneakerError, OSError):
        st.caption(":material/broken_image: The file of this photo has gone.")
        return
    st.image(small, width="stretch", alt=f"{cut(row['label'])}: {cut(_name(row))}")
    st.markdown(shelf.note(row))
    st.space("stretch")
    st.button(
        "Explain",
        key=Key.EXPLAIN_TILE.of(str(row["sample"])),
        icon=":material/center_focus_strong:",
        type="tertiary",
        on_click=_choose,
        args=(shelf.home, row["sample"]),
    )
