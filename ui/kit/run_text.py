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


def run_outcome_text(run: Run) -> str:
    """What a run that has ended left behind, in a sentence; empty if there is nothing to say.

    Parameters
    ----------
    run : Run
    """
    if run.state is JobState.DONE:
        return f"Trained for {duration_text(run.seconds)}." if run.seconds else ""
    return "The best model so far is ready to use." if run.has_model else "There is no model yet."


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
