"""The panel of a job: progress while it runs, then how it ended, with Stop, Resume, Try again, Log and Dismiss."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import Job, JobState, Progress, find_job, log_tail, restart_job, stop_job
from ui.kit.labels import STATE_LABELS
from ui.kit.run_text import queue_text
from ui.kit.state_keys import KitKey
from ui.kit.text import duration_text, escape_markdown, truncate_middle

_LOOK_EVERY = 1.0
_BACKGROUND = "You can leave this page or close the browser. The work continues in the background."


def progress_text(progress: Progress) -> str:
    """Progress in one line: "Checking photos · 30 of 120 · 12 per second · about 10 seconds left"."""
    parts = [progress.step or "Starting"]
    if progress.total:
        parts.append(f"{progress.done:,} of {progress.total:,}")
    if progress.rate > 0:
        parts.append(f"{progress.rate:.0f} per second" if progress.rate >= 10 else f"{progress.rate:.1f} per second")
    if progress.seconds_left is not None and progress.done < progress.total:
        parts.append(f"{duration_text(progress.seconds_left)} left")
    return " · ".join(parts)


def _job_progress_text(job: Job) -> str:
    return queue_text(job.progress) if job.state is JobState.QUEUED else progress_text(job.progress)


def _nothing(job: Job) -> None:
    """Draw no details."""


def _no_outcome(job: Job) -> str:
    return ""


@dataclass(frozen=True)
class JobPanel:
    """What a panel shows of one kind of job, and what its buttons do.

    Attributes
    ----------
    place : str
        Tells panels on one page apart.
    resumable : bool
        Whether a stopped job keeps what it has done; else it can only be tried again.
    stop_help : str
        Tooltip of the Stop button.
    stop_question : str
        If given, Stop asks this first.
    stop, restart : callable
        What the buttons do, given the job.
    progress : callable
        The line below the progress bar.
    outcome : callable
        Result of a job that is done or stopped, in a sentence or two; empty for none.
    details : callable
        Draws more about a job below its progress or its result.
    note : str
        Below the progress.
    show_done : bool
        Whether to show a job that is done even if this session did not see it run.
    """

    place: str = ""
    resumable: bool = True
    stop_help: str = "It stops at the next safe point and keeps what is done."
    stop_question: str = ""
    stop: Callable[[Job], None] = lambda job: stop_job(job.folder)
    restart: Callable[[Job], object] = lambda job: restart_job(job.folder)
    progress: Callable[[Job], str] = _job_progress_text
    outcome: Callable[[Job], str] = _no_outcome
    details: Callable[[Job], None] = _nothing
    note: str = _BACKGROUND
    show_done: bool = False

    def key(self, key: KitKey) -> str:
        """The key of a widget in this panel."""
        return key.of(self.place) if self.place else key.value


def draw_job(folder: Path, panel: JobPanel | None = None) -> None:
    """Draw a job: live while it runs, then its end until the user dismisses it. The page reruns once when it ends.

    Parameters
    ----------
    folder : Path
        The job's folder; nothing is drawn if there is no job.
    panel : JobPanel, optional
    """
    panel, job = panel or JobPanel(), find_job(folder)
    if job is None:
        return
    if not job.state.ended:
        note_job(folder)
        _follow(folder, panel)
    elif str(folder) not in _set(KitKey.JOBS_DISMISSED) and (
        job.state is not JobState.DONE or panel.show_done or str(folder) in _set(KitKey.JOBS_SEEN)
    ):
        _draw_end(job, panel)


def note_job(folder: Path) -> None:
    """Note that this session saw a job run: when it is done, its panel says so, even if it was dismissed before."""
    _set(KitKey.JOBS_SEEN).add(str(folder))
    _set(KitKey.JOBS_DISMISSED).discard(str(folder))


def attempt(action: Callable[[], object]) -> bool:
    """Do something that starts or stops work; if that fails, say why. Returns whether it worked."""
    try:
        action()
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:", duration="long")
        return False
    except OSError as error:
        st.toast(f"Can't start: {error.strerror}.", icon=":material/error:", duration="long")
        return False
    return True


def _set(key: KitKey) -> set[str]:
    folders: set[str] = st.session_state.setdefault(key, set())
    return folders


@st.fragment(run_every=_LOOK_EVERY)
def _follow(folder: Path, panel: JobPanel) -> None:
    """Draw a running job, again every second."""
    job = find_job(folder)
    if job is None or job.state.ended:
        st.rerun()
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"{STATE_LABELS[job.state].icon} **{_title(job)}**", width="content")
            _draw_stop(job, panel)
        st.progress(job.progress.share, text=escape_markdown(panel.progress(job)))
        panel.details(job)
        st.caption(panel.note)
        _draw_log(job, panel)


def _draw_stop(job: Job, panel: JobPanel) -> None:
    icon, key = ":material/stop_circle:", panel.key(KitKey.JOB_STOP)
    if job.state is JobState.STOPPING:
        st.button("Stopping…", key=key, icon=icon, disabled=True)
    elif panel.stop_question:
        with st.popover("Stop", icon=icon, key=panel.key(KitKey.JOB_STOP_ASK)):
            st.markdown(panel.stop_question)
            st.button("Stop", key=key, type="primary", on_click=_stop, args=(job, panel))
    else:
        st.button("Stop", key=key, icon=icon, help=panel.stop_help, on_click=_stop, args=(job, panel))


def _draw_end(job: Job, panel: JobPanel) -> None:
    """Draw how a job ended, and the buttons beside it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_outcome(job, panel)
        if job.state is not JobState.DONE and job.can_restart:
            resume = panel.resumable and job.state is not JobState.FAILED
            st.button(
                "Resume" if resume else "Try again",
                key=panel.key(KitKey.JOB_AGAIN),
                icon=":material/restart_alt:",
                on_click=_restart,
                args=(job, panel),
            )
        st.button(
            "Dismiss",
            key=panel.key(KitKey.JOB_DISMISS),
            type="tertiary",
            icon=":material/close:",
            on_click=_set(KitKey.JOBS_DISMISSED).add,
            args=(str(job.folder),),
        )
    panel.details(job)
    if job.state in (JobState.FAILED, JobState.INTERRUPTED):
        _draw_log(job, panel)


def _draw_outcome(job: Job, panel: JobPanel) -> None:
    title, icon = _title(job), STATE_LABELS[job.state].icon
    outcome = escape_markdown(panel.outcome(job))
    kept = "What was done is kept, and you can resume." if panel.resumable else "Nothing was kept."
    if job.state is JobState.DONE:
        st.success(f"**{title}**: done. {outcome}", icon=icon)
    elif job.state is JobState.STOPPED:
        st.info(" ".join(filter(None, [f"**{title}** was stopped.", outcome, kept])), icon=icon)
    elif job.state is JobState.FAILED:
        st.error(f"**{title}** failed. {escape_markdown(job.error or '')}", icon=icon)
    else:
        st.warning(
            f"**{title}** was interrupted; the process is no longer running, perhaps because the computer was "
            f"restarted. {kept}",
            icon=icon,
        )


def _draw_log(job: Job, panel: JobPanel) -> None:
    log = st.expander("Log", icon=":material/terminal:", key=panel.key(KitKey.JOB_LOG), on_change="rerun")
    if log.open:
        log.code(log_tail(job.folder) or "Nothing yet.", language=None, wrap_lines=True)


def _title(job: Job) -> str:
    return escape_markdown(truncate_middle(job.title))


def _stop(job: Job, panel: JobPanel) -> None:
    attempt(lambda: panel.stop(job))


def _restart(job: Job, panel: JobPanel) -> None:
    if attempt(lambda: panel.restart(job)):
        note_job(job.folder)


# Old name, until every page uses the new one.
progress_words = progress_text
