"""The grid of evaluated photos that several sections share; each photo opens in the photo dialog."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.evaluation.metric_text import rank_text
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_text import properties_text
from ui.evaluate.loaded_evaluation import LoadedEvaluation, Reviews, missing_photo_text, read_thumbnail, reviews_of
from ui.kit.photo_detail import open_photo
from ui.kit.photo_tiles import (
    PHOTOS_A_PAGE,
    Tile,
    TileAction,
    draw_grid_style,
    draw_page_numbers,
    draw_tiles,
    page_count,
    shown_page,
)
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, probability_text, truncate

_STYLE = """<style>
[class*="st-key-evaluate_pair"] button {text-align: left; justify-content: start; padding-left: 0;}
</style>"""
Row = Mapping[Any, Any]
Caption = Callable[[Row], str]


def draw_style() -> None:
    """Add the CSS of grids and lists; once per run of the page."""
    draw_grid_style()
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
    pages = page_count(len(rows))
    # Another selection of photos starts on its first page.
    first = rows["sample"].iloc[0] if len(rows) else ""
    pager = loaded.widget(Key.GRID_PAGE, f"{grid}-{len(rows)}-{first}")
    start = shown_page(pager, pages) * PHOTOS_A_PAGE
    reviews, order = reviews_of(loaded), tuple(rows["sample"])

    def open_tile(sample: str) -> None:
        clear_notice(loaded)
        open_photo(loaded.place(), sample, order)

    shown = rows.iloc[start : start + PHOTOS_A_PAGE].to_dict("records")
    draw_tiles(loaded.place(grid), [_tile(loaded, row, caption(row), reviews) for row in shown], TileAction(open_tile))
    draw_page_numbers(pager, pages)


def _tile(loaded: LoadedEvaluation, row: Row, caption: str, reviews: Reviews | None) -> Tile:
    label, name = str(row["label"]), str(row["sample"])
    if "predicted" in row and row["predicted"] != row["label"]:
        name = f"predicted as {row['predicted']}"
    badge = reviews.badge(row["sample"]) if reviews is not None else ""
    reason = f":material/image_not_supported: {missing_photo_text(row['path'])}"
    missing = "  \n".join(filter(None, [reason, properties_text(row) if "width" in row else ""]))
    text = "\n\n".join(filter(None, [caption, badge]))
    return Tile(row["sample"], label, name, lambda: read_thumbnail(loaded, row["sample"], row["path"]), text, missing)


def clear_notice(loaded: LoadedEvaluation) -> None:
    """Drop the notice about the photo that was open before."""
    if loaded.section is not None:
        st.session_state.pop(loaded.section.key(KitKey.NOTICE), None)
