"""The sanity check of a map: run on request, in the background."""

from functools import partial

import streamlit as st

from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.explanation.sanity_checks import SanityCheck
from ui.explain import sanity_cache
from ui.explain.explain_keys import Key
from ui.explain.sanity_cache import RunningCheck
from ui.explain.sanity_charts import deletion_chart, insertion_chart, randomization_chart
from ui.kit.charts import draw_chart
from ui.kit.job_panel import rerun_when
from ui.kit.model_cache import ModelKey
from ui.kit.text import escape_markdown

_RANDOMIZATION_HELP = (
    "The weights of the last layer, of half of the layers and of all layers are shuffled, and the photo is explained "
    "again. Similarity is a rank correlation: 1 means identical maps, 0 unrelated ones. Lower is better."
)
_DELETION_HELP = (
    "The photo is covered with gray squares, starting where the map is strongest. The further the line is below the "
    "line for random order, the better."
)
_INSERTION_HELP = (
    "The photo starts blurred and comes into focus square by square, starting where the map is strongest. The further "
    "the line is above the line for random order, the better."
)


def draw_sanity_check(key: ModelKey, photo: Photo, request: ExplanationRequest) -> None:
    """Draw the box with the check, which starts when the user turns it on.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    request : ExplanationRequest
        With a target.

    Raises
    ------
    SneakerError
        Too many checks are waiting, or this one failed.
    """
    with st.container(border=True):
        st.markdown(":material/balance: **Sanity check**")
        st.markdown(
            "A map can look convincing and still be wrong. A reliable map changes when the model's weights, which hold "
            "what it learned, are shuffled. And covering the areas that it marks weakens the answer more than covering "
            "random areas."
        )
        if not st.toggle(
            "Check this map",
            key=Key.EXPLAIN_TRUST,
            persist_state="page",
            help="This takes some seconds: it runs the model a few hundred times. The result is kept.",
        ):
            return
        running = sanity_cache.sanity_check(key, photo, request)
        if running.future.done():
            _draw(running.future.result())
        else:
            rerun_when(partial(_draw_progress, running))


def _draw_progress(running: RunningCheck) -> bool:
    """Draw the progress; returns whether the check is done."""
    st.progress(running.share, text="Checking the map…" if running.share else "Waiting for other photos…")
    return running.future.done()


def _draw(check: SanityCheck) -> None:
    randomization, curves = check.randomization, check.curves
    if randomization.empty:
        st.badge("Nothing to check", icon=":material/block:", color="gray")
        st.markdown(escape_markdown(randomization.sentence))
        return
    with st.container(horizontal=True):
        _draw_badge(randomization.passed, "Depends on the model's training", "Hardly depends on the model's training")
        _draw_badge(
            all(curves.better),
            "Marks areas that matter",
            "Marks some areas that matter" if any(curves.better) else "Marks areas that don't matter",
        )
    for sentence in check.sentences:
        st.markdown(f"- {escape_markdown(sentence)}")
    charts = (
        (randomization_chart(randomization), "sanity", _RANDOMIZATION_HELP),
        (deletion_chart(curves), "deletion", _DELETION_HELP),
        (insertion_chart(curves), "insertion", _INSERTION_HELP),
    )
    with st.grid(3, min_column_width=270, gap="medium"):
        for chart, item, explanation in charts:
            with st.container(gap="xsmall"):  # keeps a chart and its title in one cell
                draw_chart(chart, Key.EXPLAIN_CHART.of(item), help=explanation)


def _draw_badge(passed: bool, good: str, bad: str) -> None:
    icon = ":material/check_circle:" if passed else ":material/warning:"
    st.badge(good if passed else bad, icon=icon, color="green" if passed else "orange")
