"""Charts of a whole dataset; the title of each says what it shows."""

import pandas as pd
import plotly.graph_objects as go

from sneaker_core.datasets.class_balance import UNASSIGNED
from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.chart_style import plotly_text
from sneaker_core.number_text import percent
from ui.kit.charts import ACCENT, CATEGORIES, FONT, MUTED, Chart
from ui.kit.labels import NO_SPLIT, SPLIT_TITLES
from ui.kit.text import truncate

# With more classes than this, only the largest and the smallest are shown.
MOST_ROWS = 48
_ROW_HEIGHT = 26
_LONGEST_TICK, _LONGEST_NAME = 20, 60
# Below this ratio of the largest class to the smallest, classes count as equally large.
_BALANCED = 1.15
# Split -> (legend, color)
_SEGMENTS = {
    Split.TRAIN.value: (SPLIT_TITLES[Split.TRAIN], ACCENT),
    Split.VAL.value: (SPLIT_TITLES[Split.VAL], CATEGORIES[1]),
    Split.TEST.value: (SPLIT_TITLES[Split.TEST], CATEGORIES[2]),
    UNASSIGNED: (NO_SPLIT, MUTED),
}
# Label -> smallest side in pixels.
_SIDES = {"under 100": 0.0, "100+": 100.0, "200+": 200.0, "400+": 400.0, "800+": 800.0, "1600+": 1600.0}
# Label -> smallest ratio of width to height.
_SHAPES = {"very tall": 0.0, "tall": 0.5, "square": 0.9, "wide": 1.1, "very wide": 2.0}
_MAJORITY = 0.5
# With fewer photos, the smallest one says more than a quantile.
_FEWEST_FOR_QUANTILE = 10


def class_bars(balance: pd.DataFrame, ratio: float | None) -> Chart:
    """Photos of each class, stacked by split.

    Parameters
    ----------
    balance : DataFrame
        From `class_balance.balance`; at least one row.
    ratio : float or None
        From `class_balance.imbalance_ratio`.
    """
    shown = _largest_and_smallest(balance)
    title = _balance_title(balance, ratio)
    if len(shown) < len(balance):
        title += f" ({MOST_ROWS // 2} largest and {MOST_ROWS // 2} smallest classes shown)"
    figure = go.Figure()
    segments = [segment for segment in _SEGMENTS if balance[segment].any()]
    for segment in segments:
        _add_segment(figure, shown, segment, ACCENT if segments == [UNASSIGNED] else _SEGMENTS[segment][1])
    _add_totals(figure, shown)
    _lay_out_bars(figure, shown, legend=len(segments) > 1)
    listed = ", ".join(
        f"{truncate(label, _LONGEST_NAME)} {total:,}"
        for label, total in zip(shown["label"][:5], shown["total"][:5], strict=True)
    )
    return Chart(figure, title, f"{title}. {'Largest classes: ' if len(shown) > 5 else ''}{listed}.")


def _add_segment(figure: go.Figure, shown: pd.DataFrame, segment: str, color: str) -> None:
    name = _SEGMENTS[segment][0]
    figure.add_bar(
        y=_rows(shown),
        x=shown[segment],
        name=name,
        orientation="h",
        width=0.62,
        marker={"color": color},
        customdata=[plotly_text(truncate(label, _LONGEST_NAME)) for label in shown["label"]],
        hovertemplate=f"%{{customdata}}<br>{name}: %{{x}}<extra></extra>",
    )


def _add_totals(figure: go.Figure, shown: pd.DataFrame) -> None:
    figure.add_scatter(
        y=_rows(shown),
        x=shown["total"],
        mode="text",
        text=[f"  {total:,}" for total in shown["total"]],
        textposition="middle right",
        textfont=FONT,
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )


def _lay_out_bars(figure: go.Figure, shown: pd.DataFrame, *, legend: bool) -> None:
    top = 36 if legend else 4
    figure.update_layout(
        barmode="stack",
        # On a phone, a chart that can be dragged keeps the page from scrolling.
        dragmode=False,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal", "font": {"size": 12}},
        height=top + _ROW_HEIGHT * len(shown) + 12,
        margin={"l": 0, "r": 44, "t": top, "b": 8},
        xaxis={"visible": False, "fixedrange": True, "range": [0, max(int(shown["total"].max()), 1)]},
        yaxis={
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "tickvals": _rows(shown),
            "ticktext": [plotly_text(truncate(label, _LONGEST_TICK)) for label in shown["label"]],
            "tickfont": FONT,
            "range": [0.6 - len(shown), 0.6],
            "automargin": True,
        },
    )


def _rows(shown: pd.DataFrame) -> list[int]:
    """Positions on the vertical axis, the first at the top."""
    return [-row for row in range(len(shown))]


def _largest_and_smallest(balance: pd.DataFrame) -> pd.DataFrame:
    if len(balance) <= MOST_ROWS:
        return balance
    return pd.concat([balance.head(MOST_ROWS // 2), balance.tail(MOST_ROWS // 2)])


def _balance_title(balance: pd.DataFrame, ratio: float | None) -> str:
    if ratio is None:
        return "All photos belong to one class"
    if ratio < _BALANCED:
        which = "Both" if len(balance) == 2 else f"All {len(balance):,}"
        return f"{which} classes have about the same number of photos"
    largest, smallest = (truncate(balance["label"].iloc[place]) for place in (0, -1))
    times = f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}"
    return f"{largest} has {times} times as many photos as {smallest}"


def side_bars(samples: pd.DataFrame) -> Chart:
    """Number of photos by the length of their shorter side.

    Parameters
    ----------
    samples : DataFrame
        Columns width, height; at least one row.
    """
    side = samples[["width", "height"]].min(axis=1)
    if len(samples) < _FEWEST_FOR_QUANTILE:
        title = f"The shorter side of the smallest photo is {int(side.min()):,} pixels"
    else:
        usual = int(side.quantile(0.1, interpolation="lower"))
        title = f"90% of the photos are at least {usual:,} pixels on the shorter side"
    return _column_chart(title, _binned(side, _SIDES))


def shape_bars(samples: pd.DataFrame) -> Chart:
    """Number of photos by aspect ratio.

    Parameters
    ----------
    samples : DataFrame
        Columns width, height; at least one row.
    """
    counts = _binned(samples["width"] / samples["height"], _SHAPES)
    most = str(counts.idxmax())
    share = counts[most] / counts.sum()
    lead = "Most photos are" if share > _MAJORITY else "Aspect ratios are mixed; the most common is"
    return _column_chart(f"{lead} {most} ({percent(share)})", counts)


def _binned(values: pd.Series, bins: dict[str, float]) -> pd.Series:
    edges = [*bins.values(), float("inf")]
    return pd.cut(values, edges, right=False, labels=list(bins)).value_counts().reindex(list(bins))


def _column_chart(title: str, counts: pd.Series) -> Chart:
    figure = go.Figure()
    figure.add_bar(
        x=list(counts.index),
        y=counts,
        text=[f"{count:,}" if count else "" for count in counts],
        textposition="outside",
        textfont=FONT,
        cliponaxis=False,
        marker={"color": [ACCENT if count == counts.max() else MUTED for count in counts]},
        hovertemplate="%{x}: %{y}<extra></extra>",
    )
    figure.update_layout(
        dragmode=False,
        showlegend=False,
        barcornerradius=4,
        height=210,
        margin={"l": 0, "r": 0, "t": 22, "b": 24},
        xaxis={"fixedrange": True, "type": "category", "tickfont": FONT},
        yaxis={"visible": False, "fixedrange": True},
    )
    listed = ", ".join(f"{name}: {count:,}" for name, count in counts.items())
    return Chart(figure, title, f"{title}. {listed}.")
