"""Figures of a whole dataset, each with its finding in its title."""

import html

import pandas as pd
import plotly.graph_objects as go

from sneaker_core.datasets.class_balance import UNASSIGNED
from sneaker_core.datasets.split import Split
from ui.kit.charts import ACCENT, CATEGORIES, MUTED, TEXT, Chart

# Of more classes than this, only the largest and the smallest are drawn.
MOST_ROWS = 48
_ROW = 26
_LONGEST_LABEL = 20
_PARTS = {
    Split.TRAIN.value: ("to learn (train)", ACCENT),
    Split.VAL.value: ("to tune (val)", CATEGORIES[1]),
    Split.TEST.value: ("to judge (test)", CATEGORIES[2]),
    UNASSIGNED: ("no split", MUTED),
}
_SIDES = {"under 100": 0.0, "100+": 100.0, "200+": 200.0, "400+": 400.0, "800+": 800.0, "1600+": 1600.0}
# Width over height, from which on a photo has that shape.
_SHAPES = {"very tall": 0.0, "tall": 0.5, "square": 0.9, "wide": 1.1, "very wide": 2.0}
_MOST = 0.5


def class_bars(balance: pd.DataFrame, ratio: float | None) -> Chart:
    """Photos of each class, stacked by split.

    Parameters
    ----------
    balance : DataFrame
        From `summary.balance`; at least one row.
    ratio : float or None
        From `summary.imbalance_ratio`.
    """
    shown = _ends(balance)
    title = _balance_finding(balance, ratio)
    if len(shown) < len(balance):
        title += f". Shown are the {MOST_ROWS // 2} largest and the {MOST_ROWS // 2} smallest"
    rows = [-row for row in range(len(shown))]
    figure = go.Figure()
    parts = [part for part in _PARTS if balance[part].any()]
    for part in parts:
        name, colour = _PARTS[part]
        figure.add_bar(
            y=rows,
            x=shown[part],
            name=name,
            orientation="h",
            width=0.62,
            marker={"color": ACCENT if parts == [UNASSIGNED] else colour},
            customdata=[html.escape(cut(label, 60)) for label in shown["label"]],
            hovertemplate=f"%{{customdata}}<br>%{{x}} {name}<extra></extra>",
        )
    figure.add_scatter(
        y=rows,
        x=shown["total"],
        mode="text",
        text=[f"  {total:,}" for total in shown["total"]],
        textposition="middle right",
        textfont={"color": TEXT, "size": 12},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    top = 36 if len(parts) > 1 else 4
    figure.update_layout(
        barmode="stack",
        dragmode=False,
        showlegend=len(parts) > 1,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal", "font": {"size": 12}},
        height=top + _ROW * len(shown) + 12,
        margin={"l": 0, "r": 44, "t": top, "b": 8},
        xaxis={"visible": False, "fixedrange": True, "range": [0, max(int(balance["total"].max()), 1)]},
        yaxis={
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "tickvals": rows,
            "ticktext": [html.escape(cut(label, _LONGEST_LABEL)) for label in shown["label"]],
            "tickfont": {"color": TEXT, "size": 12},
            "range": [0.6 - len(shown), 0.6],
            "automargin": True,
        },
    )
    listed = ", ".join(
        f"{cut(label, 60)} {total}" for label, total in zip(shown["label"][:5], shown["total"][:5], strict=True)
    )
    return Chart(figure, title, f"{title}. {'The largest: ' if len(shown) > 5 else ''}{listed}.")


def cut(text: str, longest: int) -> str:
    """A label with its end left out where it is too long for its place."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _ends(balance: pd.DataFrame) -> pd.DataFrame:
    if len(balance) <= MOST_ROWS:
        return balance
    return pd.concat([balance.head(MOST_ROWS // 2), balance.tail(MOST_ROWS // 2)])


def _balance_finding(balance: pd.DataFrame, ratio: float | None) -> str:
    if ratio is None:
        return "All photos are of one class"
    if ratio < 1.15:
        which = "Both" if len(balance) == 2 else f"All {len(balance)}"
        return f"{which} classes are about equally large"
    largest, smallest = (cut(balance["label"].iloc[place], 40) for place in (0, -1))
    times = f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"
    return f"{largest} has {times} times as many photos as {smallest}"


def side_bars(samples: pd.DataFrame) -> Chart:
    """How many photos have which length of the shorter side.

    Parameters
    ----------
    samples : DataFrame
        Columns width, height; at least one row.
    """
    side = samples[["width", "height"]].min(axis=1)
    nine_in_ten = int(side.quantile(0.1, interpolation="lower"))
    title = (
        f"9 in 10 photos are at least {nine_in_ten} pixels on their shorter side"
        if len(samples) >= 10
        else f"The smallest photo has {int(side.min())} pixels on its shorter side"
    )
    return _columns(title, _binned(side, _SIDES))


def shape_bars(samples: pd.DataFrame) -> Chart:
    """How many photos are tall, square and wide.

    Parameters
    ----------
    samples : DataFrame
        Columns width, height; at least one row.
    """
    counts = _binned(samples["width"] / samples["height"], _SHAPES)
    most = str(counts.idxmax())
    share = counts[most] / counts.sum()
    title = f"Most photos are {most}: {share:.0%}" if share > _MOST else f"Shapes are mixed; {share:.0%} are {most}"
    return _columns(title, counts)


def _binned(values: pd.Series, bins: dict[str, float]) -> pd.Series:
    edges = [*bins.values(), float("inf")]
    return pd.cut(values, edges, right=False, labels=list(bins)).value_counts().reindex(list(bins))


def _columns(title: str, counts: pd.Series) -> Chart:
    figure = go.Figure()
    figure.add_bar(
        x=list(counts.index),
        y=counts,
        text=[f"{count:,}" if count else "" for count in counts],
        textposition="outside",
        textfont={"color": TEXT, "size": 12},
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
        xaxis={"fixedrange": True, "type": "category", "tickfont": {"color": TEXT, "size": 12}},
        yaxis={"visible": False, "fixedrange": True},
    )
    listed = ", ".join(f"{name} {count}" for name, count in counts.items())
    return Chart(figure, title, f"{title}. {listed}.")
