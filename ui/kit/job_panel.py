"""The panel of a job: progress while it runs, then how it ended, with Stop, Resume, Try again, Log and Dismiss."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.jobs import Job, JobState, Progress, find_job, log_tail, restart_job, stop_job
from sneaker_core.workspace.paths import workspace
from ui.kit.changes import can_change, change_button
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


def item_job(job: Job | None, folder: Path, *, kind: str, title: str, state: JobState, error: str | None = None) -> Job:
    """The job of an item that keeps its own state, such as a run; the panel shows it even if no job is recorded.

    Parameters
    ----------
    job : Job or None
        As recorded.
    folder : Path
        Where the job is or would be.
    kind : str
    title : str
        The item's present name.
    state : JobState
    error : str, optional
        Why it failed.
    """
    recorded = job or Job(folder, kind, {}, title, workspace(), False, state, 0.0, Progress(), error, {})
    return replace(recorded, kind=kind, title=title, state=state, error=error)


def _nothing(job: Job) -> None:
    """Draw nothing more."""


def _never() -> bool:
    return False


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
    stop_text : str
        The button that answers the question.
    restart_text : str or None
        The button that starts it again; by default "Resume" or "Try again", unless it is done. Empty for no button.
    restart_help : str
        Tooltip of that button.
    find : callable
        Reads the job in a folder.
    stop, restart : callable
        What the buttons do, given the job.
    progress : callable
        The line below the progress bar.
    outcome : callable
        Result of a job that is done or stopped, in a sentence or two; empty for none.
    details : callable
        Draws more about a job below its progress or its result.
    buttons : callable
        Draws more buttons, beside Stop or the button that starts it again.
    note : str
        Below the progress.
    lasting : bool
        Whether the panel belongs to an item that stays: then it shows every end, for good.
    log : bool
        Whether to offer the log.
    has_changed : callable
        Whether the page shows something outdated; while the job runs, the page reruns when that is so.
    """

    place: str = ""
    resumable: bool = True
    stop_help: str = "It stops at the next safe point and keeps what is done."
    stop_question: str = ""
    stop_text: str = "Stop"
    restart_text: str | None = None
    restart_help: str = ""
    find: Callable[[Path], Job | None] = find_job
    stop: Callable[[Job], None] = lambda job: stop_job(job.folder)
    restart: Callable[[Job], object] = lambda job: restart_job(job.folder)
    progress: Callable[[Job], str] = _job_progress_text
    outcome: Callable[[Job], str] = _no_outcome
    details: Callable[[Job], None] = _nothing
    buttons: Callable[[Job], None] = _nothing
    note: str = _BACKGROUND
    lasting: bool = False
    log: bool = True
    has_changed: Callable[[], bool] = _never

    def key(self, key: KitKey) -> str:
        """The key of a widget in this panel."""
        return key.of(self.place) if self.place else key.value

    def shows_end(self, job: Job) -> bool:
        """Whether to show a job that has ended."""
        folder = str(job.folder)
        if self.lasting:
            return True
        return folder not in _set(KitKey.JOBS_DISMISSED) and (
            job.state is not JobState.DONE or folder in _set(KitKey.JOBS_SEEN)
        )

    def again(self, job: Job) -> str:
        """The button that starts a job again; empty for none."""
        if self.restart_text is not None:
            return self.restart_text
        if job.state is JobState.DONE or not job.can_restart:
            return ""
        return "Resume" if self.resumable and job.state is not JobState.FAILED else "Try again"


def draw_job(folder: Path, panel: JobPanel | None = None) -> bool:
    """Draw a job: live while it runs, then its end until the user dismisses it. The page reruns once when it ends.

    Parameters
    ----------
    folder : Path
        The job's folder; nothing is drawn if there is no job.
    panel : JobPanel, optional

    Returns
    -------
    bool
        Whether anything is drawn.
    """
    panel = panel or JobPanel()
    job = panel.find(folder)
    if job is None:
        return False
    if not job.state.ended:
        note_job(folder)
        poll(lambda: _draw_running(folder, panel))
    elif panel.shows_end(job):
        _draw_end(job, panel)
    else:
        return False
    return True


def rerun_when(has_changed: Callable[[], bool]) -> None:
    """Rerun the page as soon as something has changed; for pages that show work without a panel.

    Parameters
    ----------
    has_changed : callable
        May also draw the progress.
    """
    poll(has_changed)


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


def poll(draw: Callable[[], bool], seconds: float = _LOOK_EVERY) -> None:
    """Draw something again and again, by default every second, until it says that the page has to rerun."""
    st.fragment(_look, run_every=seconds)(draw)


def _look(draw: Callable[[], bool]) -> None:
    if draw():
        # Drawing lets a click that came meanwhile go first; st.rerun would replace it, and a link would do nothing.
        st.empty()
        st.rerun()


def _draw_running(folder: Path, panel: JobPanel) -> bool:
    """Draw a running job; returns whether the page has to rerun instead."""
    job = panel.find(folder)
    if job is None or job.state.ended or panel.has_changed():
        return True
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"{STATE_LABELS[job.state].icon} **{_title(job)}**", width="content")
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                panel.buttons(job)
                _draw_stop(job, panel)
        st.progress(job.progress.share, text=escape_markdown(panel.progress(job)))
        panel.details(job)
        st.caption(panel.note)
        _draw_log(job, panel)
    return False


def _draw_stop(job: Job, panel: JobPanel) -> None:
    icon, key = ":material/stop_circle:", panel.key(KitKey.JOB_STOP)
    if job.state is JobState.STOPPING:
        st.button("Stopping…", key=key, icon=icon, disabled=True)
    elif panel.stop_question:
        with st.popover("Stop", icon=icon, key=panel.key(KitKey.JOB_STOP_ASK), disabled=not can_change()):
            st.markdown(panel.stop_question)
            change_button(panel.stop_text, key=key, type="primary", on_click=_stop, args=(job, panel))
    else:
        change_button("Stop", key=key, icon=icon, help=panel.stop_help, on_click=_stop, args=(job, panel))


def _draw_end(job: Job, panel: JobPanel) -> None:
    """Draw how a job ended, and the buttons beside it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_outcome(job, panel)
        panel.buttons(job)
        if panel.again(job):
            change_button(
                panel.again(job),
                key=panel.key(KitKey.JOB_AGAIN),
                icon=":material/restart_alt:",
                help=panel.restart_help or None,
                on_click=_restart,
                args=(job, panel),
            )
        if not panel.lasting:
            st.button(
                "Dismiss",
                key=panel.key(KitKey.JOB_DISMISS),
                type="tertiary",
                icon=":material/close:",
                on_click=_set(KitKey.JOBS_DISMISSED).add,
                args=(str(job.folder),),
            )
    panel.details(job)
    if panel.lasting or job.state in (JobState.FAILED, JobState.INTERRUPTED):
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
            f"restarted. {outcome}{' ' if outcome else ''}{kept}",
            icon=icon,
        )


def _draw_log(job: Job, panel: JobPanel) -> None:
    if not panel.log:
        return
    log = st.expander("Log", icon=":material/terminal:", key=panel.key(KitKey.JOB_LOG), on_change="rerun")
    if log.open:
        with log:
            draw_log(job.folder)


def draw_log(folder: Path) -> None:
    """Draw the last lines of a job's log."""
    st.code(log_tail(folder) or "The log is empty.", language=None, wrap_lines=True)


def _title(job: Job) -> str:
    return escape_markdown(truncate_middle(job.title))


def _stop(job: Job, panel: JobPanel) -> None:
    attempt(lambda: panel.stop(job))


def _restart(job: Job, panel: JobPanel) -> None:
    if attempt(lambda: panel.restart(job)):
        note_job(job.folder)
