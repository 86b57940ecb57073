"""The look of charts: colors of the app's theme, fonts, and the one way to draw a chart below its finding.

The only module that knows Streamlit's placeholder colors, which the browser replaces by the theme's own, light or dark.
"""

from typing import Any

import streamlit as st
from streamlit.elements.lib.streamlit_plotly_theme import (
    CATEGORY_0,
    CATEGORY_1,
    CATEGORY_2,
    CATEGORY_3,
    CATEGORY_4,
    CATEGORY_5,
    CATEGORY_6,
    GRAY_90,
)

from sneaker_core.evaluation.chart_style import Chart, Palette
from ui.kit.text import escape_markdown

__all__ = [
    "ACCENT",
    "CATEGORIES",
    "DASHES",
    "FAINT",
    "FONT",
    "MUTED",
    "PALETTE",
    "PERCENT",
    "SYMBOLS",
    "TEXT",
    "TRACK",
    "Chart",
    "chart_frame",
    "draw_chart",
]

# Plotly's default text color is too pale to read.
TEXT = GRAY_90
ACCENT = CATEGORY_0
MUTED = CATEGORY_6
# The categories of a chart: told apart by color, by line and by symbol.
CATEGORIES = (CATEGORY_0, CATEGORY_1, CATEGORY_2, CATEGORY_3, CATEGORY_4, CATEGORY_5)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
# Backgrounds of bars, and points that are not part of a category.
TRACK = "rgba(143, 147, 163, 0.18)"
FAINT = "rgba(143, 147, 163, 0.45)"
PALETTE = Palette(text=TEXT)
FONT = {"color": TEXT, "size": 12}
# Format of shares on axes and in tooltips: "94%".
PERCENT = ".0%"
_CONFIG = {"displayModeBar": False}
# Symbols touch each other when a chart is narrower than this share of its width.
_SQUEEZED = 0.9
# On a phone, the page leaves this much free beside a chart.
_PAGE_PADDING = 32
_SWIPE = "Swipe the chart sideways to see all of it."


def draw_chart(chart: Chart, key: str, *, help: str | None = None, width: int | None = None, **options: Any) -> None:
    """Draw a chart below its finding.

    Parameters
    ----------
    chart : Chart
    key : str
        Of the chart widget.
    help : str, optional
        Explains the terms in a tooltip of the finding.
    width : int, optional
        Pixels that the chart needs. A narrower screen scrolls it sideways, and says so.
    **options
        Passed on to `st.plotly_chart`, such as `on_select`.
    """
    st.markdown(f"**{escape_markdown(chart.title)}**", help=help)
    options = {"config": _CONFIG, **options}
    if width is None:
        st.plotly_chart(chart.figure, key=key, alt=chart.alt, **options)
        return
    frame, least = chart_frame(key), round(_SQUEEZED * width)
    st.html(
        f"<style>.solescope-swipe {{margin: 0; opacity: 0.7; font-size: 0.875rem;}}\n"
        f"@media (min-width: {least + _PAGE_PADDING}px) {{.solescope-swipe {{display: none;}}}}</style>"
        f'<p class="solescope-swipe">{_SWIPE}</p>'
    )
    with st.container(key=frame):
        st.html(
            f"<style>.st-key-{frame} {{overflow-x: auto;}}\n.st-key-{frame} > div {{min-width: {least}px;}}</style>"
        )
        st.plotly_chart(chart.figure, key=key, width=width, alt=chart.alt, **options)


def chart_frame(key: str) -> str:
    """The key of the container around a chart that has a width, for CSS."""
    return f"{key}-frame"
