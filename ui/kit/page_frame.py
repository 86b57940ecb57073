"""The frame of every page: its width, its title, errors as one sentence, and notices about links."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.kit import page_address
from ui.kit.address import finish_page, start_page
from ui.kit.changes import draw_read_only_note
from ui.kit.missing_links import draw_missing
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown

_READABLE, _WIDE = 1000, 1200
# What a page found is its largest text. On a phone, whatever can be tapped is 44 pixels high, or reacts that far
# around it, and choices that wrap look like choices in every row.
_STYLE = f"""<style>.st-key-{KitKey.FINDING} h2 {{font-size: 1.875rem;}}</style>"""
_TOUCH_STYLE = """<style>@media (max-width: 640px) {
:is([data-testid=stMain], [role=dialog], [data-testid=stPopoverBody]) {
    & :is([data-testid^=stBaseButton-]:not([data-testid$=elementToolbar]), button[role=radio], input[role=combobox],
        [data-testid=stPopoverButton], [data-testid=stMenuButton] button, [data-testid=stTextInputField],
        [data-testid=stPageLink-NavLink], label:has([role=switch])) {min-height: 44px;}
    & [data-testid=stButtonGroup] > div {gap: 0.375rem;}
    & [data-testid=stButtonGroup] button[role=radio] {border-radius: 9999px; border-width: 1px; margin: 0;}
    & [data-testid=stButtonGroup] button[role=radio]:not([aria-checked=true]) {
        border-style: solid; border-color: color-mix(in srgb, currentColor 20%, transparent) !important;}
    & kbd {display: none;}
    & button[data-testid^=stPagination] {min-width: 44px; min-height: 44px;}
    & button[aria-label^=Help] {position: relative;}
    & button[aria-label^=Help]::after {content: ""; position: absolute; inset: -14px;}
}}</style>"""


class _PageEnded(Exception):  # noqa: N818
    """The page has drawn all it has to show."""


def end_page() -> NoReturn:
    """End a page early. After `st.stop`, the frame could no longer draw its notices."""
    raise _PageEnded


@contextmanager
def page_body(
    title: str | None = None, about: str | None = None, *, wide: bool = True, makes_changes: bool = False
) -> Iterator[None]:
    """Draw a page inside: a centered column below the title, as wide as the screen on a phone.

    An error of the core is shown as one sentence. Links to something that is gone are reported below the title.

    Parameters
    ----------
    title : str, optional
    about : str, optional
        What the page is for, in one sentence of markdown.
    wide : bool
        Whether the page shows tables and photo grids, and so needs more width than text.
    makes_changes : bool
        Whether the page is for making or changing something, and so says when that isn't possible.
    """
    st.html(_STYLE + _TOUCH_STYLE)
    width = _WIDE if wide else _READABLE
    with st.container(horizontal_alignment="center"), st.container(width=width, horizontal_alignment="left"):
        if title:
            st.title(title, anchor=False)
        if about:
            st.markdown(about)
        if makes_changes:
            draw_read_only_note()
        notices = st.container()
        start_page()
        try:
            yield
            finish_page()
        except _PageEnded:
            finish_page()
        except SneakerError as error:
            draw_error(error)
        finally:
            with notices:
                draw_missing()
            page_address.leave()


def draw_finding(text: str, help: str | None = None) -> None:
    """Draw what the page found, in one sentence of markdown: a verdict, or how an evaluation went."""
    with st.container(key=KitKey.FINDING):
        st.header(text, anchor=False, help=help)


def draw_error(error: Exception) -> None:
    """Draw an error message of the core."""
    st.error(escape_markdown(str(error)), icon=":material/error:")
