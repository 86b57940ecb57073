"""How the model does on photos of each source, worst first."""

import pandas as pd
import streamlit as st

from sneaker_core.evaluation.evaluation_charts import worlds_chart
from sneaker_core.evaluation.worlds import WorldMetrics, world_metrics
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.kit.charts import PALETTE, draw_chart

_ABOUT = (
    "A world is a source of photos, such as a shop or phones. A model that is tested only on the world it learned from "
    "looks better than it is. Bars are 95% intervals: worlds whose bars overlap may differ by chance alone."
)
_NONE = (
    "The photos of this evaluation have one source. To see how the model does in different worlds, start a new "
    "evaluation with **Several datasets**: for example one of shop photos and one of phone photos."
)
_ROW_HEIGHT = 35
_COLUMNS = {
    "top1": ("Top-1", "Share of photos predicted correctly."),
    "top3": ("Top-3", "Share of photos whose class is among the three most probable."),
    "refused": ("Refused", "Share of photos answered “unknown”."),
    "right_when_named": ("Right when named", "Share of correct answers among those that name a sneaker."),
    "named_unknown": ("Unknown class named", "Share of photos of other things that the model named as a sneaker."),
}


def draw_worlds(loaded: LoadedEvaluation) -> None:
    """Draw this part of the page."""
    worlds = world_metrics(loaded.table)
    if not worlds:
        st.info(_NONE, icon=":material/public:")
        return
    if any(one.known for one in worlds):
        draw_chart(worlds_chart(worlds, PALETTE), loaded.widget(Key.WORLDS_CHART), help=_ABOUT)
    table = pd.DataFrame([_row(one) for one in worlds])
    column = st.column_config
    shares = {key: column.NumberColumn(title, help=about, format="%.1f%%") for key, (title, about) in _COLUMNS.items()}
    st.dataframe(
        table.dropna(axis=1, how="all"),
        key=loaded.widget(Key.WORLDS_TABLE),
        hide_index=True,
        height=_ROW_HEIGHT * (len(table) + 1) + 3,
        column_config={
            "world": column.TextColumn("World", pinned=True),
            "photos": column.NumberColumn("Photos", format="localized"),
            **shares,
            "interval": column.TextColumn("Top-1, 95% interval"),
            "ece": column.NumberColumn("Calibration error", format="%.1f%%", help="Lower is better."),
        },
        alt="Number of photos, accuracy, refusals and calibration error of every world",
    )


def _row(one: WorldMetrics) -> dict[str, object]:
    return {
        "world": one.world,
        "photos": one.photos,
        "top1": 100 * one.top1.value,
        "interval": one.top1.interval_text or None,
        **{key: 100 * getattr(one, key).value for key in _COLUMNS if key != "top1"},
        "ece": 100 * one.ece,
    }
