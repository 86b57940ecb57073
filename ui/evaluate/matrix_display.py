"""Size, highlighting and clicks of matrix charts."""

import streamlit as st

from sneaker_core.evaluation.chart_style import truncate
from ui.kit.charts import Chart, chart_frame

_LETTER_WIDTH = 7.2
# Pixels per cell, by the largest number of columns.
_CELLS = {8: 40.0, 14: 34.0, 24: 27.0, 40: 23.0, 60: 18.0}
_SMALL_CELL = 13.0


def matrix_width(rows: list[str], columns: list[str]) -> int:
    """Width in pixels at which the squares of a matrix fill their cells and are large enough to tap.

    Parameters
    ----------
    rows, columns : list of str
        Classes shown.
    """
    cell = next((size for most, size in _CELLS.items() if len(columns) <= most), _SMALL_CELL)
    longest = max((len(truncate(label)) for label in rows), default=0)
    return round(cell * len(columns) + _LETTER_WIDTH * longest + 60)


def keep_opacity(chart: Chart) -> None:
    """Keep Plotly from fading the other cells when one is clicked."""
    chart.figure.update_traces(
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, selector={"type": "scatter"}
    )


def highlight_cells(chart: Chart, key: str, label: str | None, predicted: str | None) -> None:
    """Outline the selected cell, or all cells of the selected row or column.

    With CSS and not in the figure: drawing a new figure takes the browser longer than everything else.

    Parameters
    ----------
    chart : Chart
    key : str
        With which the chart was drawn.
    label, predicted : str or None
        Selected classes; None for any.
    """
    if label is None and predicted is None:
        return
    selected = [
        f".st-key-{chart_frame(key)} .scatterlayer .trace:nth-child({trace}) .point:nth-child({place})"
        for trace, marks in enumerate(chart.figure.data, start=1)
        for place, cell in enumerate(marks.customdata, start=1)
        if label in (None, cell[0]) and predicted in (None, cell[1])
    ]
    if selected:
        outline = "stroke: currentColor !important; stroke-width: 3px !important;"
        st.html(f"<style>{', '.join(selected)} {{{outline}}}</style>")


def clicked_cell(key: str) -> tuple[str, str] | None:
    """True and predicted class of the cell that was just clicked; None if a click cleared the selection."""
    state = st.session_state.get(key)
    points = state["selection"]["points"] if state else []
    if not points:
        return None
    data = points[0].get("customdata") or ()
    cell = list(data.values()) if isinstance(data, dict) else list(data)
    return (str(cell[0]), str(cell[1])) if len(cell) > 1 else None
