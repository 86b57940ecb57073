"""The chart of everybody's answers in the quiz beside the model's."""

import pandas as pd

from sneaker_core.evaluation.chart_style import (
    DEFAULT_PALETTE,
    ROW_HEIGHT,
    Chart,
    Palette,
    label_ticks,
    new_figure,
    plotly_text,
)
from sneaker_core.number_text import counted, percent

_SERIES = (("people", "People", "circle"), ("model", "The model", "diamond-open"))
_MARGIN = 96


def people_title(rows: pd.DataFrame) -> str:
    """The finding of `people_chart`: "People beat the model on 3 of 12 sneakers"."""
    ahead, behind = int((rows["people"] > rows["model"]).sum()), int((rows["people"] < rows["model"]).sum())
    every = f"of {counted(len(rows), 'sneaker')}"
    if ahead:
        return f"People beat the model on {ahead} {every}"
    if behind:
        return f"The model beats people on {behind} {every}"
    return f"People and the model were right equally often, on {counted(len(rows), 'sneaker')}"


def people_chart(rows: pd.DataFrame, palette: Palette = DEFAULT_PALETTE) -> Chart:
    """For each class, how often people were right and how often the model was, on the same photos.

    Parameters
    ----------
    rows : DataFrame
        From `votes.people_and_model`; at least one row. Classes on which people are furthest ahead come first.
    palette : Palette
    """
    lead = rows["people"] - rows["model"]
    rows = rows.iloc[(-lead).argsort(kind="stable")]
    labels, places = list(rows["label"]), [-place for place in range(len(rows))]
    texts = [
        f"{row['label']}: people {percent(row['people'])}, the model {percent(row['model'])} "
        f"({counted(row['votes'], 'answer')})"
        for row in rows.to_dict("records")
    ]
    figure = new_figure(ROW_HEIGHT * len(rows) + _MARGIN, palette, showlegend=True)
    for place, people, model in zip(places, rows["people"], rows["model"], strict=True):
        figure.add_scatter(
            x=[people, model], y=[place, place], mode="lines", line={"color": palette.muted, "width": 2},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for (column, name, symbol), color in zip(_SERIES, (palette.correct, palette.incorrect), strict=True):
        figure.add_scatter(
            x=list(rows[column]),
            y=places,
            name=name,
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": 12, "line": {"width": 2, "color": color}},
            hovertext=[plotly_text(text) for text in texts],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    figure.update_xaxes(range=[-0.04, 1.04], tickformat=".0%", title={"text": "Right answers"})
    figure.update_yaxes(**label_ticks(labels, -1), range=[0.4 - len(rows), 0.6])
    title = people_title(rows)
    return Chart(figure, title, f"{title}. {'; '.join(texts[:5])}.")
