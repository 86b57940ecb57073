"""Accuracy on groups of photos."""

import contextlib

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_charts import slices_chart
from ui.evaluate import evaluation_metrics_cache
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.kit.charts import PALETTE, draw_chart

_ABOUT = (
    "Photos grouped by split, size, shape, brightness and sharpness. Bars are 95% intervals: groups whose bars overlap "
    "may differ by chance alone."
)
_ROW_HEIGHT = 35


def draw_slices(loaded: LoadedEvaluation) -> None:
    """Draw this part of the page."""
    model = None
    with contextlib.suppress(SneakerError):  # without the model, its split is unknown
        model = loaded.model_folder()
    groups = evaluation_metrics_cache.evaluation_slices(loaded.key, model, loaded.evaluation)
    if groups.empty:
        st.info("These photos have no known properties to group them by.", icon=":material/info:")
        return
    draw_chart(slices_chart(groups, PALETTE), loaded.widget(Key.SLICES_CHART), help=_ABOUT)
    column = st.column_config
    percentages = {name: 100 * groups[name] for name in ("top1", "low", "high")}
    st.dataframe(
        groups.assign(**percentages),
        key=loaded.widget(Key.SLICES_TABLE),
        hide_index=True,
        height=_ROW_HEIGHT * (len(groups) + 1) + 3,
        column_config={
            "slice": column.TextColumn("Slice"),
            "value": column.TextColumn("Group"),
            "n": column.NumberColumn("Photos", format="localized"),
            "top1": column.ProgressColumn("Accuracy", format="%.1f%%", min_value=0, max_value=100),
            "low": column.NumberColumn("From", format="%.1f%%", help="Lower end of the 95% interval."),
            "high": column.NumberColumn("To", format="%.1f%%", help="Upper end of the 95% interval."),
        },
        alt="Number of photos and accuracy of every group",
    )
