"""The panel of a run: progress while it trains, then how it ended, with Stop and Resume. For Train and Runs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from sneaker_core.errors import RunError
from sneaker_core.training.run_collection import Run, read_run
from sneaker_core.training.run_metrics import METRICS_FILE
from sneaker_core.training.training_jobs import resume_training, stop_training
from sneaker_core.workspace.jobs import Job, JobState
from sneaker_core.workspace.paths import run_job_folder, workspace
from ui.kit.job_panel import JobPanel, draw_job, item_job, progress_text
from ui.kit.run_text import queue_text, run_outcome_text
from ui.kit.text import duration_text, escape_markdown

_NOTE = (
    "You can leave this page or close the browser. Training continues in the background; it pauses while the computer "
    "sleeps."
)
_FAILED = "It failed without an error message. See the log."


def draw_run_job(run: Run, panel: JobPanel) -> None:
    """Draw the training of a run.

    Parameters
    ----------
    run : Run
    panel : JobPanel
        What the page adds: its place, buttons and details.
    """
    if run.is_damaged and run.state.ended:
        st.error(escape_markdown(run.error or ""), icon=":material/error:")
        return
    queued = run.state is JobState.QUEUED
    draw_job(
        run_job_folder(run.folder),
        replace(
            panel,
            find=_find,
            lasting=True,
            progress=_progress_text,
            outcome=lambda job: run_outcome_text(run),
            note=_NOTE,
            stop=lambda job: stop_training(workspace(), job.title),
            stop_question="Remove this training from the queue? It has not started yet, so nothing is lost."
            if queued
            else "Stop after the current step? The best model so far is kept and ready to use, and you can resume the "
            "training later.",
            stop_text="Remove from the queue" if queued else "Stop and keep the best model",
            restart=lambda job: resume_training(workspace(), job.title),
            restart_help="It joins the queue and continues from the last saved epoch.",
        ),
    )


def changes_of(read: Callable[[], Sequence[Run]]) -> Callable[[], bool]:
    """Whether runs were added, removed, have changed their state or trained another epoch since this call.

    Parameters
    ----------
    read : callable
        Reads the runs.
    """
    seen = _snapshot(read())
    return lambda: _snapshot(read()) != seen


def _snapshot(runs: Sequence[Run]) -> tuple[tuple[str, str, int], ...]:
    return tuple((run.name, run.state.value, _metrics_time(run.folder)) for run in runs)


def _metrics_time(folder: Path) -> int:
    """When a run's metrics were written last, in nanoseconds; 0 if never."""
    try:
        return (folder / METRICS_FILE).stat().st_mtime_ns
    except OSError:
        return 0


def _find(folder: Path) -> Job | None:
    try:
        run = read_run(folder.parent)
    except RunError:
        return None
    error = run.error or (_FAILED if run.state is JobState.FAILED else None)
    return item_job(run.job, folder, kind="train", title=run.name, state=run.state, error=error)


def _progress_text(job: Job) -> str:
    progress, details = job.progress, job.progress.details
    if job.state is JobState.QUEUED:
        return f"{queue_text(progress)}. Trainings run one after another, as each needs the whole computer."
    if job.state is JobState.STOPPING:
        return "Stopping after the current step. The best model so far is kept."
    if "epochs" not in details:
        return progress_text(progress)
    left, rate = details.get("seconds_left"), details.get("images_per_second")
    parts = [progress.step]
    parts += [f"{rate:.0f} photos per second"] if isinstance(rate, (int, float)) and rate > 0 else []
    parts += [f"{duration_text(left)} left"] if isinstance(left, (int, float)) and left > 0 else []
    return " · ".join(parts)
