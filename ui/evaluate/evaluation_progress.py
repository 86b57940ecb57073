"""Evaluations that are at work or have broken off: watched, stopped, started again."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import Evaluation, Kind, find_evaluation, stop_evaluation
from sneaker_core.workspace.jobs import JobState, Progress, log_tail, restart_job
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import shown_name
from ui.evaluate.evaluation_picker import go_to
from ui.kit.job_panel import progress_words
from ui.kit.text import plain, shortened

_LOOK_EVERY = 1.0
_LOG_LINES = 30


def draw_others_at_work(there: list[Evaluation], chosen: Evaluation | None) -> None:
    """A line for each evaluation that goes on beside the chosen one."""
    for one in there:
        if not one.state.ended and (chosen is None or one.name != chosen.name or one.kind is not chosen.kind):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f":material/hourglass_top: **{plain(shortened(one.name))}** is at work.", width="content")
                st.button(
                    "Watch it",
                    key=Key.EVALUATION_OPEN.of(one.name),
                    type="tertiary",
                    on_click=go_to,
                    args=(one,),
                )


def draw_work(evaluation: Evaluation) -> None:
    """Draw how far an evaluation is that cannot be opened yet, or why it never will.

    Parameters
    ----------
    evaluation : Evaluation
        One that is not ready.
    """
    if not evaluation.state.ended:
        _watch(evaluation.name, evaluation.kind)
        return
    title, problem = plain(shortened(evaluation.name)), plain(evaluation.problem or "")
    if evaluation.state is JobState.STOPPED:
        st.info(f"**{title}** was stopped, and nothing of it was kept.", icon=":material/stop_circle:")
    elif evaluation.state is JobState.INTERRUPTED and evaluation.job is not None:
        st.warning(
            f"**{title}** broke off: its process is gone, perhaps because the computer was restarted. Nothing of it "
            "was kept.",
            icon=":material/sync_problem:",
        )
    else:
        st.error(f"**{title}** cannot be shown. {problem}", icon=":material/error:")
    if evaluation.job is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Try again",
            key=Key.EVALUATION_AGAIN,
            icon=":material/restart_alt:",
            type="primary",
            on_click=_start_again,
            args=(evaluation,),
        )
    _draw_log(evaluation)


def _draw_log(evaluation: Evaluation) -> None:
    if evaluation.job is not None and evaluation.state is not JobState.STOPPED:
        tail = log_tail(evaluation.job.folder, _LOG_LINES)
        if tail:
            with st.expander("What it said last"):
                st.code(tail, language=None, wrap_lines=True)


def _start_again(evaluation: Evaluation) -> None:
    assert evaluation.job is not None
    try:
        restart_job(evaluation.job.folder)
    except (SneakerError, OSError) as error:
        st.toast(plain(str(error)), icon=":material/error:", duration="long")


@st.fragment(run_every=_LOOK_EVERY)
def _watch(name: str, kind: Kind) -> None:
    """Look at the work once a second; the page runs anew, once, when it has ended."""
    try:
        evaluation = find_evaluation(workspace(), name, kind)
    except SneakerError:
        evaluation = None
    if evaluation is None or evaluation.state.ended:
        st.rerun()
    progress = Progress() if evaluation.job is None else evaluation.job.progress
    stopping = evaluation.state is JobState.STOPPING
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":material/hourglass_top: **{plain(_title(evaluation))}**", width="content")
            st.button(
                "Stopping…" if stopping else "Stop",
                key=Key.EVALUATION_STOP,
                icon=":material/stop_circle:",
                disabled=stopping,
                on_click=_stop,
                args=(name,),
                help="Nothing of it is kept; you can start it again.",
            )
        st.progress(progress.share, text=plain(progress_words(progress)))
        st.caption("You may leave this page or close the browser: the work goes on.")


def _title(evaluation: Evaluation) -> str:
    return evaluation.job.title if evaluation.job is not None else shown_name(evaluation)


def _stop(name: str) -> None:
    try:
        stop_evaluation(workspace(), name)
    except SneakerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
