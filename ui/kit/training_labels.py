"""Recipes, settings and states of a training in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sneaker_core.training.run_collection import Run
from sneaker_core.workspace.jobs import JobState, Progress
from ui.kit.quantities import time_words
from ui.kit.text import counted

NO_RECIPE = "a training"
Colour = Literal["gray", "blue", "orange", "green", "red"]
# State -> colour and icon.
STATE_BADGES: Mapping[JobState, tuple[Colour, str]] = MappingProxyType(
    {
        JobState.QUEUED: ("gray", ":material/hourglass_empty:"),
        JobState.RUNNING: ("blue", ":material/model_training:"),
        JobState.STOPPING: ("orange", ":material/hourglass_bottom:"),
        JobState.DONE: ("green", ":material/check_circle:"),
        JobState.STOPPED: ("orange", ":material/stop_circle:"),
        JobState.FAILED: ("red", ":material/error:"),
        JobState.LOST: ("red", ":material/sync_problem:"),
    }
)


@dataclass(frozen=True)
class RecipeWords:
    """How a recipe is spoken of.

    Attributes
    ----------
    title : str
    icon : str
    does : str
        What happens, in one sentence.
    when : str
        When to choose it.
    """

    title: str
    icon: str
    does: str
    when: str


RECIPE_WORDS: Mapping[str, RecipeWords] = MappingProxyType(
    {
        "quick": RecipeWords(
            "Quick",
            ":material/bolt:",
            "Keeps a network that has seen many sneakers as it is, and teaches its last layer your classes.",
            "First of all: it shows in short time whether the photos are good enough.",
        ),
        "finetune": RecipeWords(
            "Fine-tune",
            ":material/tune:",
            "Starts from a network that has learned to see, and adapts all of it to your photos.",
            "For the best model. Other networks than the usual one fetch general weights from the web the first time.",
        ),
        "scratch": RecipeWords(
            "From scratch",
            ":material/egg:",
            "Starts from nothing, so that all it knows comes from your photos alone.",
            "With thousands of photos and much time, or to see how learning begins.",
        ),
    }
)

PART_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "head": "Only the last layer (fastest)",
        "last_stage": "The last stage of the network too",
        "all": "All of the network (most thorough)",
    }
)

AUGMENTATION_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "none": "None: photos as they are",
        "light": "Light: a little cropped, mirrored, tinted",
        "standard": "Standard: cropped, turned, tinted, partly blanked",
        "strong": "Strong: also mixed with each other",
    }
)

STATE_WORDS: Mapping[JobState, str] = MappingProxyType(
    {
        JobState.QUEUED: "Waits",
        JobState.RUNNING: "Learning",
        JobState.STOPPING: "Stopping",
        JobState.DONE: "Done",
        JobState.STOPPED: "Stopped",
        JobState.FAILED: "Failed",
        JobState.LOST: "Broke off",
    }
)


def recipe_title(name: str) -> str:
    """The name of a recipe for people."""
    return RECIPE_WORDS[name].title if name in RECIPE_WORDS else NO_RECIPE


def waiting_words(progress: Progress) -> str:
    """The place in the queue: "Waits for its turn: 1 before it"."""
    before = progress.details.get("before")
    if isinstance(before, int) and before > 0:
        return f"Waits for its turn: {before} before it"
    return "Waits for its turn"


def end_words(run: Run) -> str:
    """How a run ended and what is left of it, in a sentence or two; the error's sentence for one that failed.

    Parameters
    ----------
    run : Run
        One that has ended.
    """
    if run.state is JobState.FAILED:
        return run.error or "It failed, and did not say why; the log may tell."
    if run.state is JobState.STOPPED:
        if run.has_model:
            return "It was stopped. The best it had learned so far is a model that you can use, and it can go on."
        return "It was stopped before there was a model. It can go on from where it was."
    if run.state is JobState.LOST:
        return (
            "The process ended without a word, perhaps because the computer was restarted or ran out of memory. It "
            "can go on from the last epoch that was kept."
        )
    return f"It learned for {time_words(run.seconds)}." if run.seconds else ""


def photos_words(counts: Mapping[str, int]) -> str:
    """What the photos serve for: "320 photos to learn from, 40 to check, 41 to judge"; empty while nobody knows."""
    words = {"train": "to learn from", "val": "to check after each epoch", "test": "to judge at the end"}
    parts = [f"{counts[split]:,} {use}" for split, use in words.items() if split in counts]
    return f"Photos: {', '.join(parts)}" if parts else ""


def others_at_work(runs: list[Run], name: str) -> str:
    """Which other trainings work or wait; empty where there are none."""
    others = [run for run in runs if run.name != name and not run.state.ended]
    if not others:
        return ""
    waiting = sum(run.state is JobState.QUEUED for run in others)
    working = len(others) - waiting
    parts = [f"{counted(working, 'training')} at work"] if working else []
    parts += [f"{counted(waiting, 'training')} waiting"] if waiting else []
    return f"Beside this one: {', '.join(parts)}."
