"""The guesses of an answer as bars, with their finding."""

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from sneaker_core.evaluation.chart_style import plotly_text
from sneaker_core.inference.answer_sentences import FAR_AHEAD, FINDINGS
from sneaker_core.inference.predictor import Guess
from sneaker_core.networks.decision import Status
from ui.kit.charts import ACCENT, MUTED, TEXT, TRACK
from ui.kit.text import probability_text

_ROW = 46
_TITLE_LINE = 22
_TITLE_WIDTH = 40


def finding(guesses: Sequence[Guess], status: Status) -> str:
    """The finding of the bars, in one line.

    Parameters
    ----------
    guesses : sequence of Guess
        At least one, most probable first.
    status : Status
        "known" or "unsure"; the finding agrees with it.
    """
    best = guesses[0]
    if len(guesses) == 1:
        return FINDINGS["only"].format(first=best.label, share=probability_text(best.probability))
    second = guesses[1]
    if best.probability < FAR_AHEAD * second.probability:
        return FINDINGS["close"].format(first=best.label, second=second.label)
    return FINDINGS["far" if status is Status.KNOWN else "ahead"].format(first=best.label)


def draw_guess_bars(guesses: Sequence[Guess], status: Status, key: str) -> None:
    """Draw the guesses as bars.

    Parameters
    ----------
    guesses : sequence of Guess
        At least one, most probable first.
    status : Status
    key : str
        Of the chart.
    """
    st.plotly_chart(
        guess_bars(guesses, status),
        key=key,
        # Static: on a phone, a chart that can be dragged keeps the page from scrolling.
        config={"staticPlot": True},
        alt=bars_alt_text(guesses, status),
    )


def guess_bars(guesses: Sequence[Guess], status: Status) -> go.Figure:
    """Horizontal bars of the guesses, best on top, on tracks of 100%.

    Labels are above their bars, so that long names fit on a phone.
    """
    rows = [-row for row in range(len(guesses))]
    colors = [ACCENT, *[MUTED] * (len(guesses) - 1)]
    figure = go.Figure()
    figure.add_bar(y=rows, x=[1] * len(guesses), orientation="h", width=0.26, marker={"color": TRACK})
    figure.add_bar(
        y=rows,
        x=[guess.probability for guess in guesses],
        orientation="h",
        width=0.26,
        marker={"color": colors},
    )
    for row, guess in zip(rows, guesses, strict=True):
        _write(figure, row, 0, plotly_text(guess.label))
        _write(figure, row, 1, probability_text(guess.probability))
    title = textwrap.wrap(finding(guesses, status), _TITLE_WIDTH)
    # Plotly cuts off its own title if it has two lines, as often on a phone.
    figure.add_annotation(
        text="<br>".join(map(plotly_text, title)),
        **{"x": 0, "xref": "paper", "xanchor": "left", "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": 10},
        align="left",
        xshift=-3,
        showarrow=False,
        font={"size": 15, "weight": 700, "color": TEXT},
    )
    top = _TITLE_LINE * len(title) + 14
    figure.update_layout(
        barmode="overlay",
        barcornerradius=5,
        showlegend=False,
        height=top + _ROW * len(guesses) + 4,
        margin={"l": 0, "r": 0, "t": top, "b": 4},
        xaxis={"visible": False, "range": [0, 1], "fixedrange": True},
        yaxis={"visible": False, "range": [0.7 - len(guesses), 0.7], "fixedrange": True},
    )
    return figure


def _write(figure: go.Figure, row: int, side: int, text: str) -> None:
    figure.add_annotation(
        x=side,
        y=row + 0.14,
        text=text,
        showarrow=False,
        xanchor="right" if side else "left",
        yanchor="bottom",
        # Plotly draws annotations a little too far inside.
        xshift=2 if side else -2,
        font={"size": 14, "color": TEXT},
    )


def bars_alt_text(guesses: Sequence[Guess], status: Status) -> str:
    """The bars for people who can't see them."""
    listed = ", ".join(f"{guess.label} {probability_text(guess.probability)}" for guess in guesses)
    return f"{finding(guesses, status)}. {listed}."
