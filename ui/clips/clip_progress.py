"""A clip in which the sneakers are still followed, or in which that failed or was stopped."""

import streamlit as st

from sneaker_core.video.clip_collection import Clip
from sneaker_core.workspace.jobs import Job, JobState
from ui.kit.job_panel import JobPanel, draw_job, progress_text

_STOP_HELP = "Nothing is kept but the clip, and you can start again."


def _progress(job: Job) -> str:
    return progress_text(job.progress)


_PANEL = JobPanel(place="clip", resumable=False, stop_help=_STOP_HELP, lasting=True, progress=_progress)


def draw_unfinished(clip: Clip) -> None:
    """Draw the progress, or how it ended.

    Parameters
    ----------
    clip : Clip
        One in which nothing has been found yet.
    """
    job = clip.job
    if job is None or job.state is JobState.DONE:
        st.warning(
            "What was found in this clip is missing. Delete the clip and follow it again.", icon=":material/error:"
        )
        return
    draw_job(job.folder, _PANEL)
    if job.state.ended:
        st.caption("Nothing was found yet. To remove this clip, choose “Delete” in the “More” menu.")
