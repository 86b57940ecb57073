"""What the answers depend on, and the photos that a change turns wrong."""

from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.changed_photos import changed_photo
from sneaker_core.evaluation.evaluation_charts import robustness_chart
from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.evaluation.photo_changes import BY_KEY
from sneaker_core.evaluation.robustness import ChangeMetrics, flipped_photos, robustness_metrics
from sneaker_core.evaluation.robustness_job import read_robustness, robustness_job_folder, start_robustness_check
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.number_text import counted
from sneaker_core.workspace.job_record import is_alive
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.kit import explanation_cache
from ui.kit.changes import change_button
from ui.kit.charts import PALETTE, draw_chart
from ui.kit.job_panel import JobPanel, attempt, draw_job, note_job
from ui.kit.model_cache import ModelKey
from ui.kit.photo_files import stored_photo
from ui.kit.photo_previews import jpeg_bytes
from ui.kit.text import escape_markdown, probability_text

_ABOUT = (
    "Each photo is changed in ways that leave the sneaker recognizable: another background, angle, light, quality or "
    "color, or only one end of the shoe. The larger the loss, the more the answer depends on what was changed. "
    "Backgrounds can be changed only where they are even and light, as in shop photos."
)
_INVITATION = (
    "Does the model look at the shoe, or at the background? Change the photos and see how many answers change."
)
_SHOWN = 4
_PREVIEW_SIDE = 480
_PANEL = JobPanel(place="robustness", resumable=False, stop_help="Nothing is saved, but you can start it again.")


def draw_robustness(loaded: LoadedEvaluation) -> None:
    """Draw this part of the page."""
    if loaded.evaluation.kind is not Kind.STORED or not loaded.has_photos:
        st.info(
            "Robustness needs the photos on this computer. Start a **New evaluation** on photos of your own.",
            icon=":material/image_not_supported:",
        )
        return
    folder = robustness_job_folder(loaded.evaluation)
    draw_job(folder, _PANEL)
    table = read_robustness(loaded.evaluation)
    if table is None:
        st.markdown(_INVITATION)
    else:
        metrics = robustness_metrics(table)
        draw_chart(robustness_chart(metrics, PALETTE), loaded.widget(Key.ROBUSTNESS_CHART), help=_ABOUT)
        _draw_flipped(loaded, table, metrics)
    if is_alive(folder):
        return
    change_button(
        "Check robustness" if table is None else "Check again",
        key=loaded.widget(Key.ROBUSTNESS_CHECK),
        type="primary" if table is None else "secondary",
        icon=":material/tune:",
        on_click=_start,
        args=(loaded,),
    )


def _start(loaded: LoadedEvaluation) -> None:
    if attempt(lambda: start_robustness_check(workspace(), loaded.evaluation)):
        note_job(robustness_job_folder(loaded.evaluation))


def _draw_flipped(loaded: LoadedEvaluation, table: pd.DataFrame, metrics: list[ChangeMetrics]) -> None:
    """Draw photos that were right and are wrong after a change, original and changed, each with its heat map."""
    offered = {one.change.key: one for one in metrics if one.flipped}
    if not offered:
        st.success("No photo was predicted correctly and then wrong after a change.", icon=":material/check:")
        return
    st.subheader("Photos that changed", anchor=False)
    key = st.selectbox(
        "Change",
        list(offered),
        key=loaded.widget(Key.ROBUSTNESS_CHANGE),
        persist_state="session",
        format_func=lambda key: f"{offered[key].change.title} ({counted(offered[key].flipped, 'photo')})",
        width=360,
    )
    model = loaded.model_key()
    if model is None:
        st.caption("The evaluated model was deleted or trained again, so its predictions can’t be explained.")
        return
    with st.grid(2, min_column_width=420):
        for row in flipped_photos(table, str(key)).head(_SHOWN).to_dict("records"):
            _draw_pair(model, {str(name): value for name, value in row.items()}, str(key))


def _draw_pair(model: ModelKey, row: dict[str, object], change: str) -> None:
    label, predicted = escape_markdown(str(row["label"])), escape_markdown(str(row["predicted"]))
    try:
        original = stored_photo(Path(str(row["path"])), str(row["sample"]))
        picture = changed_photo(Path(str(row["path"])), BY_KEY[change], str(row["sample"]), _PREVIEW_SIDE)
        if picture is None:
            return
        changed = Photo(f"{row['sample']}-{change}.jpg", jpeg_bytes(picture))
        with st.container(border=True):
            st.markdown(f"**{label}** becomes **{predicted}** ({probability_text(float(str(row['probability'])))})")
            with st.grid(2, min_column_width=150):
                for photo, target, caption in ((original, "label", "Original"), (changed, "predicted", "Changed")):
                    request = ExplanationRequest(str(row[target]))
                    with st.container(gap="xxsmall"):
                        overlay = explanation_cache.overlay_jpeg(model, photo, request)
                        st.image(overlay, width="stretch", alt=f"{caption} photo with its heat map")
                        st.caption(f"{caption}: evidence for {escape_markdown(str(row[target]))}")
    except (SneakerError, OSError) as error:
        st.warning(escape_markdown(str(error)), icon=":material/broken_image:")
