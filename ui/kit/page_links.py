"""Links from page to page, with what they should show there."""

from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlencode

import streamlit as st


class Page(StrEnum):
    """The pages, by file."""

    IDENTIFY = "pages/identify.py"
    CLIPS = "pages/clips.py"
    TEACH = "pages/teach.py"
    CATALOG = "pages/catalog.py"
    DATASETS = "pages/datasets.py"
    TRAIN = "pages/train.py"
    RUNS = "pages/runs.py"
    EVALUATE = "pages/evaluate.py"
    EXPLAIN = "pages/explain.py"
    QUIZ = "pages/quiz.py"

    @property
    def path(self) -> str:
        """Its path in the browser, relative to the app's address."""
        return self.value.removeprefix("pages/").removesuffix(".py")


_ICONS = {
    Page.IDENTIFY: ":material/search:",
    Page.CLIPS: ":material/movie:",
    Page.TEACH: ":material/school:",
    Page.CATALOG: ":material/menu_book:",
    Page.DATASETS: ":material/photo_library:",
    Page.TRAIN: ":material/model_training:",
    Page.RUNS: ":material/leaderboard:",
    Page.EVALUATE: ":material/grid_on:",
    Page.EXPLAIN: ":material/center_focus_strong:",
    Page.QUIZ: ":material/quiz:",
}


# What the address of Identify, the first page, has in it when the story is told there instead.
STORY_PARAMS = MappingProxyType({"story": "1"})
STORY_ICON = ":material/co_present:"


def page_icon(page: Page) -> str:
    """The icon of a page, in the navigation and in links to it."""
    return _ICONS[page]


def draw_page_link(
    label: str, page: Page, *, help: str | None = None, icon: str | None = None, **params: str | None
) -> None:
    """Draw a link to a page that keeps the session.

    Links are the only way from page to page: after `st.switch_page`, Back would not lead to the page before.

    Parameters
    ----------
    label : str
        Markdown.
    page : Page
    help : str, optional
        Tooltip.
    icon : str, optional
        By default, that of the page.
    **params : str or None
        Parameters of its address; None leaves one out.
    """
    st.page_link(page.value, label=label, icon=icon or page_icon(page), help=help, query_params=_given(params))


def page_address(page: Page, **params: str | None) -> str:
    """The address of a page, relative to the app's: "explain?dataset=drawn"."""
    query = urlencode(_given(params))
    return f"{page.path}?{query}" if query else page.path


def _given(params: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}
