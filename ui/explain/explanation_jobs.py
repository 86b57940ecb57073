"""Explanations of many photos: a process of their own, told by a folder, as all long work is."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import Job, JobState, find_job, stop_job
from ui.explain.explain_keys import Key
from ui.kit.job_panel import progress_words
from ui.kit.text import plain, shortened

_LOOK_EVERY = 1.0


def start(work: Callable[[], object]) -> None:
    """Start work; if it can't be started, say why."""
    try:
        work()
    except SneakerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    except OSError as error:
        st.toast(f"Can't start: {error.strerror}.", icon=":material/error:")


@st.fragment(run_every=_LOOK_EVERY)
def follow(folder: Path) -> None:
    """Look at work once a second; the page runs anew, once, when it has ended."""
    job = find_job(folder)
    if job is None or job.state.ended:
        st.rerun()
    stopping = job.state is JobState.STOPPING
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f":material/hourglass_top: **{plain(shortened(job.title))}**", width="content")
        st.button(
            "Stopping…" if stopping else "Stop",
            key=Key.EXPLAIN_WORK_STOP.of(folder.name),
            icon=":material/stop_circle:",
            disabled=stopping,
            on_click=stop_job,
            args=(folder,),
        )
    st.progress(job.progress.share, text=plain(progress_words(job.progress)))
    st.caption("You may leave this page or close the browser: the work goes on, and is found here again.")


def draw_unfinished(job: Job, again: Callable[[], None]) -> None:
    """How work ended that did not come to its end, with a way to try again."""
    if job.state is JobState.FAILED:
        st.error(plain(job.error or "It did not work out."), icon=":material/error:")
    elif job.state is JobState.INTERRUPTED:
        st.warning(
            "It broke off: its process is gone, perhaps because the computer was restarted.",
            icon=":material/sync_problem:",
        )
    else:
        st.info("It was stopped.", icon=":material/stop_circle:")
    st.button(
        "Try again",
        key=Key.EXPLAIN_WORK_STOP.of(f"again-{job.folder.name}"),
        icon=":material/restart_alt:",
        on_click=again,
    )
