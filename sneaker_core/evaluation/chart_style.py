"""What the charts of an evaluation share: colors, axes, escaped labels, and the chart with its finding.

Labels come from files: Plotly renders some HTML, so `plotly_text` escapes them wherever it shows them. A click returns
them unescaped, as the mark's `customdata`.
"""

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROW_HEIGHT = 26
CHART_HEIGHT = 320
_LONGEST_LABEL = 20


@dataclass(frozen=True)
class Palette:
    """Colors of the charts; the defaults are legible on white and on black.

    Attributes
    ----------
    correct, incorrect : str
        As #rrggbb; distinguishable with any color vision deficiency (after Okabe and Ito, 2008), and dark enough for
        white text. Shades are mixed from them, so they must be literal colors.
    muted : str
        For secondary lines.
    text : str or None
        For labels; None leaves the color to the viewer.
    """

    correct: str = "#0072b2"
    incorrect: str = "#c05200"
    muted: str = "#8a8f9c"
    text: str | None = None


DEFAULT_PALETTE = Palette()


def plotly_text(text: str) -> str:
    """Text that Plotly shows as it is written; quotes stay, because Plotly doesn't know `&quot;`."""
    return html.escape(text, quote=False)


@dataclass(frozen=True)
class Chart:
    """A figure with its finding.

    Attributes
    ----------
    figure : plotly.graph_objects.Figure
        Without a title: Plotly would cut off one that is wider than a phone.
    title : str
        The finding in one line; not escaped.
    alt : str
        Text alternative for screen readers.
    """

    figure: "go.Figure"
    title: str
    alt: str

    def __post_init__(self) -> None:
        """Axes of text become categories."""
        name_categories(self.figure)


def name_categories(figure: "go.Figure") -> None:
    """Make the axes that show text categorical: Plotly would read "50%" as a number and "2024-01-01" as a date."""
    for trace in figure.data:
        for letter in ("x", "y"):
            values = getattr(trace, letter, None)
            if values is not None and any(isinstance(value, str) for value in values):
                number = (trace[f"{letter}axis"] or letter)[1:]
                figure.update_layout({f"{letter}axis{number}": {"type": "category"}})


def truncate(label: str, longest: int = _LONGEST_LABEL) -> str:
    """A label, cut to a number of characters."""
    return label if len(label) <= longest else f"{label[: longest - 1]}…"


def with_opacity(color: str, opacity: float) -> str:
    """A #rrggbb color with an opacity from 0 to 1."""
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:.3f})"


def new_figure(height: float, palette: Palette, **layout: Any) -> "go.Figure":
    """An empty figure in the style of the app.

    Parameters
    ----------
    height : float
        In pixels.
    palette : Palette
    **layout
        Passed to `Figure.update_layout`.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    axis: dict[str, Any] = {"fixedrange": True, "automargin": True, "zeroline": False}
    axis["gridcolor"] = with_opacity(palette.muted, 0.25)
    if palette.text is not None:
        # A theme may have paler colors of its own for axes.
        axis |= {"tickfont": {"color": palette.text}, "title": {"font": {"color": palette.text}}}
    figure.update_layout(
        height=height,
        dragmode=False,
        hovermode="closest",
        showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={} if palette.text is None else {"color": palette.text},
        # On the right there is room for half of "100%": Plotly leaves out a label that sticks out.
        margin={"l": 0, "r": 18, "t": 8, "b": 40},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        xaxis=axis,
        yaxis=axis,
    )
    figure.update_layout(**layout)
    return figure


def label_ticks(labels: list[str], step: int, longest: int = _LONGEST_LABEL) -> dict[str, Any]:
    """Axis options that put the labels at 0, step, 2 * step and so on."""
    return {
        "tickvals": [step * place for place in range(len(labels))],
        "ticktext": [plotly_text(truncate(label, longest)) for label in labels],
        "showgrid": False,
        "tickfont": {"size": 11},
    }
