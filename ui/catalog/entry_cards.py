"""The shoes of the catalog as cards, a page at a time."""

import math
import zlib
from collections.abc import Mapping, Sequence

import streamlit as st

from sneaker_core.catalog.entries import ShoeType, Sneaker
from sneaker_core.datasets.synthetic.sample_plan import CLASSES
from sneaker_core.evaluation.class_results import ClassResult
from sneaker_core.evaluation.metric_text import right_text
from ui.catalog.catalog_choices import draw_pages, open_entry, shown_page
from ui.catalog.catalog_keys import Key
from ui.kit.catalog_text import facts_text, points_text, wearing_text
from ui.kit.page_script import draw_script
from ui.kit.synthetic_photos import synthetic_photo
from ui.kit.text import escape_markdown

CARDS_A_PAGE = 12
_NOT_IT = "Drawing of a similar shape, not the sneaker itself"


def page_of(entries: Sequence[Sneaker | ShoeType]) -> tuple[int, int]:
    """The page to show, from 1, and the number of pages."""
    pages = max(math.ceil(len(entries) / CARDS_A_PAGE), 1)
    return shown_page(pages), pages


def draw_cards(
    entries: Sequence[Sneaker | ShoeType], page: tuple[int, int], results: Mapping[str, ClassResult]
) -> None:
    """Draw a page of cards.

    Parameters
    ----------
    entries : sequence of Sneaker or ShoeType
        All that match.
    page : tuple of int
        From `page_of`.
    results : mapping of str to ClassResult
        How often the bundled model is right on each sneaker.
    """
    number, pages = page
    with st.grid(3, min_column_width=260, key=Key.CARDS):
        for entry in entries[(number - 1) * CARDS_A_PAGE : number * CARDS_A_PAGE]:
            _draw_card(entry, results.get(entry.name))
    draw_pages(number, pages)
    scroll_up(str(number))


def _draw_card(entry: Sneaker | ShoeType, result: ClassResult | None) -> None:
    with st.container(border=True, height="stretch", vertical_alignment="distribute"):
        with st.container(gap="xsmall"):
            if isinstance(entry, Sneaker):
                draw_drawing(entry)
            st.subheader(escape_markdown(entry.name), anchor=False)
            st.caption(facts_text(entry))
            st.markdown(points_text(entry))
            if isinstance(entry, ShoeType):
                st.markdown(wearing_text(entry))
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.button(
                "Details",
                key=Key.OPEN.of(entry.name),
                icon=":material/open_in_full:",
                on_click=open_entry,
                args=(entry.name,),
            )
            if result is not None:
                st.caption(right_text(result).capitalize(), width="content")


def scroll_up(shown: str) -> None:
    """Show the page from its top, once for each thing that it shows, which may follow something longer."""
    number = zlib.crc32(shown.encode())  # runs again for another thing
    draw_script("catalog", f"const shown = {number}; document.querySelector('[data-testid=stMain]')?.scrollTo(0, 0);")


def draw_drawing(sneaker: Sneaker) -> None:
    """Draw a sneaker of a similar shape, always the same one; nothing if there is none."""
    if sneaker.drawing in CLASSES:
        picture = synthetic_photo(sneaker.drawing, zlib.crc32(sneaker.name.encode()))
        st.image(picture, width="stretch", alt=f"Drawing of a sneaker with a shape similar to the {sneaker.name}")
        st.caption(_NOT_IT)
