"""Links from page to page, with what they should show there."""

from enum import StrEnum
from urllib.parse import urlencode

import streamlit as st

from sneaker_core.images import Photo
from ui.kit.address import packed, pass_params

# Keys of the Explain page: the photo that another page passed, and where its photos come from.
PASSED_PHOTO, _SOURCE = "explain_handed", "explain_source"


class Page(StrEnum):
    """The pages, by file."""

    IDENTIFY = "pages/identify.py"
    DATASETS = "pages/datasets.py"
    TRAIN = "pages/train.py"
    RUNS = "pages/runs.py"
    EVALUATE = "pages/evaluate.py"
    EXPLAIN = "pages/explain.py"

    @property
    def path(self) -> str:
        """Its path in the browser, relative to the app's address."""
        return self.value.removeprefix("pages/").removesuffix(".py")


_ICONS = {
    Page.IDENTIFY: ":material/search:",
    Page.DATASETS: ":material/photo_library:",
    Page.TRAIN: ":material/model_training:",
    Page.RUNS: ":material/leaderboard:",
    Page.EVALUATE: ":material/grid_on:",
    Page.EXPLAIN: ":material/center_focus_strong:",
}


def page_icon(page: Page) -> str:
    """The icon of a page, in the navigation and in links to it."""
    return _ICONS[page]


def open_page(page: Page, **params: str | None) -> None:
    """Go to a page; only while a page runs, not from a callback.

    Parameters
    ----------
    page : Page
    **params : str or None
        Parameters of its address; None leaves one out.
    """
    pass_params(_given(params))
    # The page before keeps its address, so that Back leads to it.
    st.switch_page(page.value, query_params=st.query_params.to_dict())


def draw_page_link(label: str, page: Page, **params: str | None) -> None:
    """Draw a link to a page that keeps the session.

    Parameters
    ----------
    label : str
        Markdown.
    page, **params
        As in `open_page`.
    """
    st.page_link(page.value, label=label, icon=page_icon(page), query_params=packed(_given(params)))


def page_address(page: Page, **params: str | None) -> str:
    """The address of a page, relative to the app's: "explain?dataset=drawn"."""
    query = urlencode(_given(params))
    return f"{page.path}?{query}" if query else page.path


def pass_photo(photo: Photo) -> None:
    """Pass an uploaded photo, which no address can name, to the Explain page."""
    st.session_state[PASSED_PHOTO] = photo
    # Without a chosen source, the page shows what was passed.
    st.session_state.pop(_SOURCE, None)


def _given(params: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}
