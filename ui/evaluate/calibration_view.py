"""How well confidence matches accuracy, and the model's confidence threshold."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_charts import coverage_chart, reliability_chart
from sneaker_core.evaluation.reliability import Coverage, coverage_at
from sneaker_core.evaluation.worlds import world_metrics
from sneaker_core.networks.checkpoint import ModelSpec, read_spec, save_confidence_threshold
from sneaker_core.number_text import percent_setting
from ui.evaluate import evaluation_metrics_cache
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.kit.changes import change_button
from ui.kit.charts import PALETTE, draw_chart
from ui.kit.text import escape_markdown

_STEP = 0.5
_ABOUT = (
    "Photos are grouped by confidence, the probability of the predicted class. On the dashed line, answers with 80% "
    "confidence are correct 80% of the time; below it, the model is overconfident. Larger points stand for more photos."
)


@dataclass(frozen=True)
class _Thresholds:
    """The confidence threshold of a model.

    Attributes
    ----------
    folder : Path
        Of the model.
    current, fitted : float
        Threshold in use, and the one fitted in training, 0 to 1.
    customized : bool
        Whether the one in use was set by hand.
    """

    folder: Path
    current: float
    fitted: float
    customized: bool


def draw_calibration(loaded: LoadedEvaluation) -> None:
    """Draw this part of the page."""
    world = _draw_world_choice(loaded)
    bins, curve = evaluation_metrics_cache.evaluation_curves(loaded.key, loaded.evaluation, world)
    with st.container(border=True):
        draw_chart(reliability_chart(bins, PALETTE), loaded.widget(Key.RELIABILITY_CHART), help=_ABOUT)
    with st.container(border=True):
        st.subheader("Confidence threshold", anchor=False)
        st.markdown(
            "Below the threshold, the model answers “not sure”. A higher threshold gives fewer answers, and more of "
            "them are correct."
        )
        thresholds, reason = _thresholds(loaded)
        table = loaded.table if world is None else loaded.table[loaded.table[WORLD] == world]
        chosen = _draw_slider(loaded, table, thresholds)
        draw_chart(coverage_chart(curve, chosen, PALETTE), loaded.widget(Key.COVERAGE_CHART))
        if thresholds is None:
            st.caption(f"The threshold can’t be saved. {escape_markdown(reason)}")
        else:
            _draw_saving(loaded, thresholds, chosen)


def _draw_world_choice(loaded: LoadedEvaluation) -> str | None:
    """Draw the choice of a world, if there are several with sneakers that the model knows; None stands for all."""
    worlds = [one.world for one in world_metrics(loaded.table) if one.known]
    if len(worlds) < 2:
        return None
    chosen = st.segmented_control(
        "Photos",
        ["", *worlds],
        default="",
        required=True,
        format_func=lambda world: world or "All photos",
        key=loaded.widget(Key.CALIBRATION_WORLD),
        persist_state="session",
        help="A model can be well calibrated on average, and overconfident in one world.",
        wrap=True,
    )
    return chosen or None


def _thresholds(loaded: LoadedEvaluation) -> tuple[_Thresholds | None, str]:
    """The model's thresholds, or the reason why they can't be read."""
    try:
        folder = loaded.model_folder()
        return _of_model(folder, read_spec(folder)), ""
    except SneakerError as error:
        return None, str(error)


def _of_model(folder: Path, spec: ModelSpec) -> _Thresholds:
    current, fitted = spec.decision.confidence_threshold, spec.fitted_confidence_threshold
    return _Thresholds(folder, current, current if fitted is None else fitted, fitted is not None)


def _on_slider(threshold: float) -> float:
    """The position on the slider that is closest to a threshold, in percent."""
    return round(100 * threshold / _STEP) * _STEP


def _draw_slider(loaded: LoadedEvaluation, table: pd.DataFrame, thresholds: _Thresholds | None) -> Coverage:
    key = loaded.widget(Key.THRESHOLD)
    if key not in st.session_state:
        st.session_state[key] = 50.0 if thresholds is None else _on_slider(thresholds.current)
    value = st.slider(
        "Confidence threshold",
        0.0,
        100.0,
        step=_STEP,
        format="%.1f%%",
        key=key,
        persist_state="session",
        help="Starts at the model’s current threshold.",
    )
    return coverage_at(table, value / 100)


def _draw_saving(loaded: LoadedEvaluation, thresholds: _Thresholds, chosen: Coverage) -> None:
    name = escape_markdown(loaded.evaluation.model)
    source = "set by hand" if thresholds.customized else "fitted in training"
    st.markdown(f"**{name}** currently uses a threshold of **{percent_setting(thresholds.current)}** ({source}).")
    with st.container(horizontal=True, vertical_alignment="center"):
        change_button(
            f"Save {percent_setting(chosen.threshold)} to the model",
            key=Key.THRESHOLD_SAVE,
            type="primary",
            icon=":material/save:",
            disabled=abs(100 * chosen.threshold - _on_slider(thresholds.current)) < 1e-6,
            on_click=_save,
            args=(loaded, thresholds.folder, chosen.threshold),
            help="Applies wherever this model is used: on the Identify page, the command line and the API. The metrics "
            "on this page count every answer, so they don’t change.",
        )
        if thresholds.customized:
            change_button(
                f"Reset to {percent_setting(thresholds.fitted)}",
                key=Key.THRESHOLD_RESET,
                icon=":material/undo:",
                on_click=_save,
                args=(loaded, thresholds.folder, None),
                help="The threshold that was fitted in training.",
            )


def _save(loaded: LoadedEvaluation, folder: Path, value: float | None) -> None:
    try:
        spec = save_confidence_threshold(folder, value)
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:", duration="long")
        return
    current = spec.decision.confidence_threshold
    if value is None:
        st.session_state[loaded.widget(Key.THRESHOLD)] = _on_slider(current)
    st.toast(f"Saved a threshold of {percent_setting(current)}.", icon=":material/check:")
