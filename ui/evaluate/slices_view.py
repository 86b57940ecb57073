"""The part "Slices": on which kinds of photos it does well and on which not."""

import contextlib

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_charts import slices_chart
from ui.evaluate import figures_cache
from ui.evaluate.chart_frames import draw_chart
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.opened_evaluation import Opened
from ui.kit.charts import PALETTE

_ABOUT = (
    "Photos in groups by what they served the model as, by size, shape, brightness and sharpness. The bar is where the "
    "figure lies 95 times in 100: groups whose bars overlap may differ by luck alone."
)
_ROW = 35


def draw_slices(opened: Opened) -> None:
    """Draw the part."""
    model = None
    with contextlib.suppress(SneakerError):  # without the model nobody knows what photos served as
        model = opened.model_folder()
    groups = figures_cache.evaluation_slices(opened.key, model, opened.evaluation)
    if groups.empty:
        st.info("Nothing is known of the photos that they could be grouped by.", icon=":material/info:")
        return
    draw_chart(slices_chart(groups, PALETTE), opened.widget(Key.SLICES_CHART), _ABOUT)
    column = st.column_config
    percent = {name: 100 * groups[name] for name in ("top1", "low", "high")}
    st.dataframe(
        groups.assign(**percent),
        key=opened.widget(Key.SLICES_TABLE),
        hide_index=True,
        height=_ROW * (len(groups) + 1) + 3,
        column_config={
            "slice": column.TextColumn("By"),
            "value": column.TextColumn("Photos that are"),
            "n": column.NumberColumn("Photos", format="localized"),
            "top1": column.ProgressColumn("Right", format="%.1f %%", min_value=0, max_value=100),
            "low": column.NumberColumn("From", format="%.1f %%", help="Lower end of the 95 % interval."),
            "high": column.NumberColumn("To", format="%.1f %%", help="Upper end of the 95 % interval."),
        },
        alt="Photos and share answered right of every group",
    )
