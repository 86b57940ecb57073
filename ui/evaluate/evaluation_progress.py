"""Evaluations that are running, have failed or were stopped."""

import streamlit as st

from sneaker_core.evaluation.evaluation_record import Evaluation
from sneaker_core.workspace.jobs import Job, JobState, restart_job
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_picker import go_to
from ui.kit.changes import change_button
from ui.kit.job_panel import JobPanel, attempt, draw_job
from ui.kit.labels import STATE_LABELS
from ui.kit.text import escape_markdown, truncate_middle

_PANEL = JobPanel(place="evaluation", resumable=False, stop_help="Nothing is saved, but you can start it again.")


def draw_other_jobs(evaluations: list[Evaluation], chosen: Evaluation | None) -> None:
    """Draw a line for each other evaluation that is running."""
    for one in evaluations:
        if not one.state.ended and (chosen is None or one.name != chosen.name or one.kind is not chosen.kind):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                name = escape_markdown(truncate_middle(one.name))
                st.markdown(f"{STATE_LABELS[one.state].icon} **{name}** is running.", width="content")
                st.button(
                    "Show progress", key=Key.SHOW_PROGRESS.of(one.name), type="tertiary", on_click=go_to, args=(one,)
                )


def draw_unfinished(evaluation: Evaluation) -> None:
    """Draw the progress of an evaluation, or why it can't be shown.

    Parameters
    ----------
    evaluation : Evaluation
        One that is not ready.
    """
    job = evaluation.job
    if job is not None and job.state is not JobState.DONE:
        draw_job(job.folder, _PANEL)
        if job.state.ended:
            st.caption("This evaluation has no results. To remove it, choose “Delete” in the “More” menu.")
        return
    name, problem = escape_markdown(truncate_middle(evaluation.name)), escape_markdown(evaluation.problem or "")
    st.error(f"**{name}** can’t be shown. {problem}", icon=":material/error:")
    if job is not None and job.can_restart:
        change_button(
            "Try again",
            key=Key.AGAIN,
            icon=":material/restart_alt:",
            on_click=_restart,
            args=(job,),
        )


def _restart(job: Job) -> None:
    attempt(lambda: restart_job(job.folder))
