"""The grid of evaluated photos that several sections share; each photo opens in the detail view."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.evaluation.metric_text import rank_text
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_text import properties_text
from ui.evaluate.loaded_evaluation import LoadedEvaluation, Reviews, draw_missing_photo, reviews_of, thumbnail_of
from ui.kit.address import set_address_value
from ui.kit.photo_grid import PHOTOS_A_PAGE
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, probability_text, truncate

_COLUMNS, _NARROWEST = 6, 150
_STYLE = """<style>
[class*="st-key-evaluate_grid"] img {aspect-ratio: 4 / 3; object-fit: contain; background: rgba(143, 147, 163, 0.12);}
[class*="st-key-evaluate_grid"] p {overflow-wrap: anywhere;}
[class*="st-key-evaluate_grid"] button {padding-left: 0; padding-right: 0; min-height: 2rem;}
[class*="st-key-evaluate_pair"] button {text-align: left; justify-content: start; padding-left: 0;}
</style>"""
Row = Mapping[Any, Any]
Caption = Callable[[Row], str]


def draw_style() -> None:
    """Add the CSS of grids and lists; once per run of the page."""
    st.html(_STYLE)


def prediction_caption(row: Row) -> str:
    """True class, prediction and confidence, as markdown."""
    label, predicted = (escape_markdown(truncate(str(row[key]))) for key in ("label", "predicted"))
    confidence = f":small[:gray[{probability_text(row['probability'])} confidence"
    if row["label"] == row["predicted"]:
        return f"**{label}**  \n:green[:material/check:] correct  \n{confidence}]]"
    return f"**{label}**  \npredicted as **{predicted}**  \n{confidence}, {rank_text(row['rank'])}]]"


def draw_predictions(
    loaded: LoadedEvaluation, rows: pd.DataFrame, grid: str, caption: Caption = prediction_caption
) -> None:
    """Draw photos as a grid with pages.

    Parameters
    ----------
    loaded : LoadedEvaluation
    rows : DataFrame
        Rows of its table, in order; at least the columns sample, path, label and those that `caption` needs.
    grid : str
        Distinguishes this grid from others on the page.
    caption : callable
        Returns the markdown below a photo.
    """
    pages = max(math.ceil(len(rows) / PHOTOS_A_PAGE), 1)
    # Another selection of photos starts on its first page.
    first = rows["sample"].iloc[0] if len(rows) else ""
    pager = loaded.widget(Key.GRID_PAGE, f"{grid}-{len(rows)}-{first}")
    page = min(int(st.session_state.get(pager, 1)), pages)
    shown = rows.iloc[(page - 1) * PHOTOS_A_PAGE : page * PHOTOS_A_PAGE]
    reviews = reviews_of(loaded)
    order = tuple(rows["sample"])
    key = loaded.widget(Key.GRID, grid)
    with st.grid(_COLUMNS, min_column_width=_NARROWEST, gap="small", key=key):
        for row in shown.to_dict("records"):
            with st.container(border=True, height="stretch", gap="xsmall"):
                _draw_tile(loaded, row, caption(row), reviews, order, grid)
    if pages > 1:
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, key=pager, persist_state="session")


def _draw_tile(
    loaded: LoadedEvaluation, row: Row, caption: str, reviews: Reviews | None, order: tuple[str, ...], grid: str
) -> None:
    picture = thumbnail_of(loaded, row["sample"], row["path"])
    if picture is None:
        draw_missing_photo(row["path"], properties_text(row) if "width" in row else "")
    else:
        st.image(picture, width="stretch", alt=_alt(row))
    st.markdown(caption)
    badge = reviews.badge(row["sample"]) if reviews is not None else ""
    if badge:
        st.markdown(badge)
    st.space("stretch")
    st.button(
        "Details",
        key=loaded.widget(Key.DETAILS, f"{grid}-{row['sample']}"),
        icon=":material/zoom_in:",
        type="tertiary",
        on_click=open_photo,
        args=(loaded, row["sample"], order),
    )


def _alt(row: Row) -> str:
    label = truncate(str(row["label"]))
    if "predicted" in row and row["predicted"] != row["label"]:
        return f"{label}, predicted as {truncate(str(row['predicted']))}"
    return label


def open_photo(loaded: LoadedEvaluation, sample: str, order: tuple[str, ...]) -> None:
    """Open a photo in the detail view.

    Parameters
    ----------
    loaded : LoadedEvaluation
    sample : str
    order : tuple of str
        Samples to step through with "Previous" and "Next".
    """
    if loaded.section is not None:
        # The notice is about the photo that was open before.
        st.session_state.pop(loaded.section.key(KitKey.NOTICE), None)
    st.session_state[loaded.widget(Key.OPEN_PHOTO)] = (sample, order)
    set_address_value(Key.PHOTO, sample)
