"""Sentences about trainings that several pages show."""

from collections.abc import Mapping

from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import Run
from sneaker_core.workspace.jobs import JobState, Progress
from ui.kit.labels import SPLIT_LABELS
from ui.kit.text import duration_text


def queue_text(progress: Progress) -> str:
    """The position in the queue: "Queued, 1 training ahead"."""
    before = progress.details.get("before")
    if isinstance(before, int) and before > 0:
        return f"Queued, {counted(before, 'training')} ahead"
    return "Queued"


def run_end_text(run: Run) -> str:
    """How a finished run ended and what you can do with it; the error message of a failed one.

    Parameters
    ----------
    run : Run
        A run that has ended.
    """
    if run.state is JobState.FAILED:
        return run.error or "It failed without an error message. See the log."
    if run.state is JobState.STOPPED:
        if run.has_model:
            return "Stopped. The best model so far is ready to use, and you can resume the training."
        return "Stopped before there was a model. You can resume the training."
    if run.state is JobState.INTERRUPTED:
        return (
            "The process is no longer running, perhaps because the computer was restarted or ran out of memory. You "
            "can resume the training from the last saved epoch."
        )
    return f"Trained for {duration_text(run.seconds)}." if run.seconds else ""


def split_counts_text(counts: Mapping[str, int]) -> str:
    """Photos by split: "320 training photos, 40 validation photos"; empty if unknown."""
    return ", ".join(f"{counts[split]:,} {label}" for split, label in SPLIT_LABELS.items() if split in counts)


def other_trainings_text(runs: list[Run], name: str) -> str:
    """How many other trainings are running or queued: "Also 1 training running and 2 queued."; empty if none."""
    others = [run for run in runs if run.name != name and not run.state.ended]
    queued = sum(run.state is JobState.QUEUED for run in others)
    running = len(others) - queued
    if running and queued:
        return f"Also {counted(running, 'training')} running and {queued} queued."
    if others:
        return f"Also {counted(len(others), 'training')} {'running' if running else 'queued'}."
    return ""
