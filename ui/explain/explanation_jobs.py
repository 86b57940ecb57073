"""Explanations of many photos: a process of their own, told by a folder, as all long work is."""

import contextlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import Job, JobState, is_alive, read_job, start_job_in, stop_job
from sneaker_core.workspace.paths import workspace
from ui.kit.job_panel import progress_words
from ui.kit.state_keys import Key
from ui.kit.text import plain, shortened

# Folder of the process where what comes of its work has a folder too.
JOB = "job"
_LOOK_EVERY = 1.0


def job_of(folder: Path) -> Job | None:
    """The work that was started in a folder; None where there is none."""
    try:
        return read_job(folder)
    except SneakerError:
        return None


def start(folder: Path, title: str, arguments: Sequence[str]) -> None:
    """Start a command in a folder; what cannot be started is said.

    Parameters
    ----------
    folder : Path
    title : str
        For people.
    arguments : sequence of str
        Of the command line, without the workspace.
    """
    try:
        start_job_in(folder, title, ["--workspace", str(workspace()), *arguments])
    except SneakerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    except OSError as error:
        st.toast(f"The work cannot be started: {error.strerror}.", icon=":material/error:")


def prune(parent: Path, keep: int) -> None:
    """Remove the oldest folders of work that has ended, until so many are left."""
    folders = sorted(parent.iterdir(), key=_changed, reverse=True) if parent.is_dir() else []
    for folder in folders[keep:]:
        if not is_alive(folder) and not is_alive(folder / JOB):
            remove(folder)


def _changed(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def remove(folder: Path) -> None:
    """Remove a folder of work that has ended; all in it can be made again."""
    shutil.rmtree(folder, ignore_errors=True)


@st.fragment(run_every=_LOOK_EVERY)
def follow(folder: Path) -> None:
    """Look at work once a second; the page runs anew, once, when it has ended."""
    job = job_of(folder)
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
    elif job.state is JobState.LOST:
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
