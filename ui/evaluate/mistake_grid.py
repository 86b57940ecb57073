"""The grid of judged photos that parts of the page share: a page of them at a time, each leads to its case."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.number_text import percent
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import photo_facts, place
from ui.evaluate.opened_evaluation import Opened, Reviews, draw_missing, picture_of, reviews_of
from ui.kit.photo_grid import PHOTOS_A_PAGE, cut
from ui.kit.state_keys import KitKey
from ui.kit.text import plain

_COLUMNS, _NARROWEST = 6, 150
Row = Mapping[Any, Any]
Words = Callable[[Row], str]


def said(row: Row) -> str:
    """What was said of a photo, as markdown: the truth, the answer, how sure it was, and where the truth stands."""
    label, predicted = (plain(cut(str(row[key]))) for key in ("label", "predicted"))
    sure = f":small[:gray[{percent(row['probability'])} sure"
    if row["label"] == row["predicted"]:
        return f"**{label}**  \n:green[:material/check:] recognised  \n{sure}]]"
    return f"**{label}**  \ntaken for **{predicted}**  \n{sure}; {place(row['rank'])}]]"


def draw_tiles(opened: Opened, rows: pd.DataFrame, part: str, words: Words = said) -> None:
    """Draw photos as tiles, a page of them at a time.

    Parameters
    ----------
    opened : Opened
    rows : DataFrame
        Rows of its table, in order; at least columns sample, path, label, and what `words` needs.
    part : str
        Tells this grid from others of the page.
    words : callable
        Says what stands under a photo, as markdown.
    """
    pages = max(math.ceil(len(rows) / PHOTOS_A_PAGE), 1)
    # Other photos are other pages: those of a new choice begin with the first.
    first = rows["sample"].iloc[0] if len(rows) else ""
    pager = opened.widget(Key.EVALUATION_PAGE, f"{part}-{len(rows)}-{first}")
    page = min(int(st.session_state.get(pager, 1)), pages)
    shown = rows.iloc[(page - 1) * PHOTOS_A_PAGE : page * PHOTOS_A_PAGE]
    reviews = reviews_of(opened)
    order = tuple(rows["sample"])
    grid = opened.widget(Key.EVALUATION_GRID, part)
    with st.grid(_COLUMNS, min_column_width=_NARROWEST, gap="small", key=_as_class(grid, part)):
        for row in shown.to_dict("records"):
            with st.container(border=True, height="stretch", gap="xsmall"):
                _draw_tile(opened, row, words(row), reviews, order, part)
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, key=pager, persist_state="session")


def _as_class(key: str, part: str) -> str:
    """A key that a style sheet can name; the evaluation's own name may hold anything."""
    return Key.EVALUATION_GRID.of(f"{part}-{abs(hash(key))}")


def _draw_tile(
    opened: Opened, row: Row, words: str, reviews: Reviews | None, order: tuple[str, ...], part: str
) -> None:
    picture = picture_of(opened, row["sample"], row["path"])
    if picture is None:
        draw_missing(row["path"], photo_facts(row) if "width" in row else "")
    else:
        st.image(picture, width="stretch", alt=_alt(row))
    st.markdown(words)
    badge = reviews.badge(row["sample"]) if reviews is not None else ""
    if badge:
        st.markdown(badge)
    st.space("stretch")
    st.button(
        "Look closer",
        key=opened.widget(Key.EVALUATION_TILE, f"{part}-{row['sample']}"),
        icon=":material/zoom_in:",
        type="tertiary",
        on_click=open_case,
        args=(opened, row["sample"], order),
    )


def _alt(row: Row) -> str:
    if "predicted" in row and row["predicted"] != row["label"]:
        return f"{cut(str(row['label']))}, taken for {cut(str(row['predicted']))}"
    return cut(str(row["label"]))


def open_case(opened: Opened, sample: str, order: tuple[str, ...]) -> None:
    """Have a photo looked at closely, and those before and after it.

    Parameters
    ----------
    opened : Opened
    sample : str
    order : tuple of str
        What "previous" and "next" mean.
    """
    if opened.section is not None:
        # What was done about another photo must not stand beside this one.
        st.session_state.pop(opened.section.key(KitKey.NOTICE), None)
    st.session_state[opened.widget(Key.EVALUATION_CASE)] = (sample, order)
    st.query_params[Key.EVALUATION_PHOTO] = sample
