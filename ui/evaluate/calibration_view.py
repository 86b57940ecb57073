"""The part "Sureness": whether probabilities mean what they say, and from which one on a model should answer."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_charts import coverage_chart, reliability_chart
from sneaker_core.evaluation.reliability import Coverage, coverage_at
from sneaker_core.networks.checkpoint import ModelSpec, read_spec, save_confidence_threshold
from sneaker_core.number_text import percent
from ui.evaluate import figures_cache
from ui.evaluate.chart_frames import draw_chart
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.opened_evaluation import Opened
from ui.kit.charts import PALETTE
from ui.kit.text import plain

_STEP = 0.5


@dataclass(frozen=True)
class _Thresholds:
    """From which probability on a model answers, in percent."""

    folder: Path
    now: float
    fitted: float
    is_own: bool


def draw_sureness(opened: Opened) -> None:
    """Draw the part."""
    bins, curve = figures_cache.evaluation_curves(opened.key, opened.evaluation)
    with st.container(border=True):
        draw_chart(
            reliability_chart(bins, PALETTE),
            opened.widget(Key.RELIABILITY_CHART),
            "Photos are sorted by the probability that was shown. On the dashed line, 80 % sure is right 80 times in "
            "100; below it the model is too sure of itself. Larger points stand for more photos.",
        )
    with st.container(border=True):
        st.subheader("If it only answered when it is sure", anchor=False)
        st.markdown(
            "Below a threshold it says “not sure”. The higher it is, the fewer answers, and the more are right."
        )
        thresholds, why = _thresholds(opened)
        chosen = _choose(opened, thresholds)
        st.markdown(f"**{_words(chosen)}**")
        draw_chart(coverage_chart(curve, chosen, PALETTE), opened.widget(Key.COVERAGE_CHART))
        if thresholds is None:
            st.caption(f"The threshold cannot be saved: {plain(why)}")
        else:
            _draw_saving(opened, thresholds, chosen)


def _thresholds(opened: Opened) -> tuple[_Thresholds | None, str]:
    """What the model has now; or why that cannot be told."""
    try:
        folder = opened.model_folder()
        spec = read_spec(folder)
    except SneakerError as error:
        return None, str(error)
    return _of(folder, spec), ""


def _of(folder: Path, spec: ModelSpec) -> _Thresholds:
    now, own = spec.decision.confidence_threshold, spec.fitted_confidence_threshold
    return _Thresholds(folder, 100 * now, 100 * (now if own is None else own), own is not None)


def _on_slider(value: float) -> float:
    """The place on the slider that is nearest to a threshold, in percent."""
    return round(value / _STEP) * _STEP


def _choose(opened: Opened, thresholds: _Thresholds | None) -> Coverage:
    usual = 50.0 if thresholds is None else _on_slider(thresholds.now)
    key = opened.widget(Key.THRESHOLD)
    if key not in st.session_state:
        st.session_state[key] = usual
    value = st.slider(
        "Answer from this probability on",
        0.0,
        100.0,
        step=_STEP,
        format="%.1f %%",
        key=key,
        persist_state="session",
        help="The one that the model has now is set at first.",
    )
    return coverage_at(opened.table, value / 100)


def _words(chosen: Coverage) -> str:
    if not chosen.answered:
        return f"From {percent(chosen.threshold)} on, no photo is answered."
    return (
        f"From {percent(chosen.threshold)} on, {chosen.answered:,} of {chosen.n:,} photos are answered "
        f"({percent(chosen.coverage)}), and {percent(chosen.accuracy)} of these answers are right."
    )


def _draw_saving(opened: Opened, thresholds: _Thresholds, chosen: Coverage) -> None:
    name = plain(opened.evaluation.model)
    how = "chosen by a person" if thresholds.is_own else "fitted when it was trained"
    st.markdown(f"Now **{name}** is “not sure” below **{thresholds.now:.1f} %**, {how}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Save {percent(chosen.threshold)} to the model",
            key=Key.THRESHOLD_SAVE,
            type="primary",
            icon=":material/save:",
            disabled=abs(100 * chosen.threshold - _on_slider(thresholds.now)) < 1e-6,
            on_click=_save,
            args=(opened, thresholds.folder, chosen.threshold),
            help="Everybody who uses this model here gets it: Identify, the command line and the API. The figures of "
            "this page count every answer, so they stay the same.",
        )
        if thresholds.is_own:
            st.button(
                f"Back to the fitted {thresholds.fitted:.1f} %",
                key=Key.THRESHOLD_BACK,
                icon=":material/undo:",
                on_click=_save,
                args=(opened, thresholds.folder, None),
            )


def _save(opened: Opened, folder: Path, value: float | None) -> None:
    try:
        spec = save_confidence_threshold(folder, value)
    except SneakerError as error:
        st.toast(plain(str(error)), icon=":material/error:", duration="long")
        return
    now = 100 * spec.decision.confidence_threshold
    if value is None:
        st.session_state[opened.widget(Key.THRESHOLD)] = _on_slider(now)
    st.toast(f"Saved: it answers from {now:.1f} % on.", icon=":material/check:")
