"""Draws the figures of an evaluation as the app looks: under their finding, in its colours, movable on a phone."""

from typing import Any

import streamlit as st

from ui.evaluate.evaluate_keys import Key
from ui.kit.charts import Chart
from ui.kit.text import plain

CONFIG = {"displayModeBar": False}
_LETTER, _LONGEST = 7.2, 20
# Pixels of a cell, by how many columns there are at most.
_CELLS = {8: 40.0, 14: 34.0, 24: 27.0, 40: 23.0}
_SMALL_CELL = 18.0
# Marks begin to touch below this share of the width that they were made for.
_SQUEEZED = 0.9
_STYLE = """<style>
[class*="st-key-evaluate_frame"] {overflow-x: auto;}
[class*="st-key-evaluate_grid"] img {aspect-ratio: 4 / 3; object-fit: contain; background: rgba(143, 147, 163, 0.12);}
[class*="st-key-evaluate_grid"] p {overflow-wrap: anywhere;}
[class*="st-key-evaluate_grid"] button {padding-left: 0; padding-right: 0; min-height: 2rem;}
[class*="st-key-evaluate_pair"] button {text-align: left; justify-content: start; padding-left: 0;}
</style>"""


def draw_style() -> None:
    """What figures and tiles need to look right; once for each run of the page."""
    st.html(_STYLE)


def draw_chart(chart: Chart, key: str, about: str | None = None, **options: Any) -> None:
    """Draw a figure below its finding.

    Parameters
    ----------
    chart : Chart
    key : str
    about : str, optional
        Explains its terms.
    options
        For `st.plotly_chart`.
    """
    st.markdown(f"**{plain(chart.title)}**", help=about)
    width = options.get("width")
    frame = _frame(width) if width else None
    with st.container(key=frame):
        if width:
            # One that is wider than a phone is moved sideways in a frame of its own, and hardly squeezed.
            narrowest = round(_SQUEEZED * width)
            st.html(f"<style>.st-key-{frame} > div {{min-width: {narrowest}px;}}</style>")
        st.plotly_chart(chart.figure, key=key, config=CONFIG, alt=chart.alt, **options)


def matrix_width(rows: list[str], columns: list[str]) -> int:
    """Pixels that a matrix takes: so many that its squares fill their cells and can be hit with a finger.

    Parameters
    ----------
    rows, columns : list of str
        Classes that are drawn.
    """
    cell = next((size for most, size in _CELLS.items() if len(columns) <= most), _SMALL_CELL)
    longest = max((min(len(label), _LONGEST) for label in rows), default=0)
    return round(cell * len(columns) + _LETTER * longest + 60)


def frame_cells(chart: Chart, width: int, label: str | None, predicted: str | None) -> None:
    """Draw a frame around the cell, or all cells of the row or the column, that is chosen.

    By style and not in the figure: another figure is drawn anew, which takes the browser longer than all else.

    Parameters
    ----------
    chart : Chart
        A matrix that was drawn with that width.
    width : int
    label, predicted : str or None
        Classes chosen; None for any.
    """
    if label is None and predicted is None:
        return
    chosen = [
        f".st-key-{_frame(width)} .scatterlayer .trace:nth-child({trace}) .point:nth-child({place})"
        for trace, marks in enumerate(chart.figure.data, start=1)
        for place, cell in enumerate(marks.customdata, start=1)
        if label in (None, cell[0]) and predicted in (None, cell[1])
    ]
    if chosen:
        st.html(
            f"<style>{', '.join(chosen)} {{stroke: currentColor !important; stroke-width: 3px !important;}}</style>"
        )


def _frame(width: int) -> str:
    return Key.EVALUATION_FRAME.of(str(width))


def without_fading(chart: Chart) -> None:
    """Keep all cells as they are when one of them is clicked."""
    chart.figure.update_traces(
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, selector={"type": "scatter"}
    )


def clicked_cell(key: Key | str) -> tuple[str, str] | None:
    """The true and the predicted class of the cell that was just clicked; None where a click took the choice back."""
    state = st.session_state.get(key)
    points = state["selection"]["points"] if state else []
    if not points:
        return None
    told = points[0].get("customdata") or ()
    cell = list(told.values()) if isinstance(told, dict) else list(told)
    return (str(cell[0]), str(cell[1])) if len(cell) > 1 else None
