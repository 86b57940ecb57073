"""What the page calls things."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.evaluation_collection import Evaluation, Kind
from sneaker_core.workspace.jobs import JobState
from ui.kit.quantities import counted_photos

KINDS = {Kind.STORED: "Made here", Kind.BUNDLED: "Came with the model", Kind.RUN: "After a training"}
# Behind the name, so that a model, a run and an evaluation of one name are told apart; no evaluation's own name can
# have a comma.
_MARKS = {Kind.STORED: "", Kind.BUNDLED: ", built in", Kind.RUN: ", after its training"}
SPLITS: dict[str | None, str] = {
    None: "All photos",
    Split.TEST.value: "Test photos: to judge with",
    Split.VAL.value: "Validation photos: to tune with",
    Split.TRAIN.value: "Training photos: to learn from",
}
_SPLIT_WORDS = {
    Split.TEST.value: "photos that were kept to test the model",
    Split.VAL.value: "photos that the model was tuned with",
    Split.TRAIN.value: "photos that the model learned from, so it knows them already",
}
Colour = Literal["blue", "green", "gray", "red", "orange"]
_STATES: dict[JobState, tuple[str, str, Colour]] = {
    JobState.QUEUED: ("Waiting", "schedule", "blue"),
    JobState.RUNNING: ("At work", "hourglass_top", "blue"),
    JobState.STOPPING: ("Stopping", "stop_circle", "blue"),
    JobState.DONE: ("Done", "check_circle", "green"),
    JobState.STOPPED: ("Stopped", "stop_circle", "gray"),
    JobState.FAILED: ("Failed", "error", "red"),
    JobState.INTERRUPTED: ("Broke off", "sync_problem", "orange"),
}
_NAMED = 8


def shown_name(evaluation: Evaluation) -> str:
    """The name of an evaluation; no two have the same."""
    return f"{evaluation.name}{_MARKS[evaluation.kind]}"


def state_words(evaluation: Evaluation) -> str:
    """Where an evaluation stands."""
    if evaluation.problem is not None and evaluation.state is JobState.DONE:
        return "Damaged"
    return _STATES[evaluation.state][0]


def state_icon(state: JobState) -> str:
    """An icon for where work stands."""
    return f":material/{_STATES[state][1]}:"


def state_colour(state: JobState) -> Colour:
    """A colour for where work stands."""
    return _STATES[state][2]


def judged_words(evaluation: Evaluation) -> str:
    """What was judged: "550 photos that were kept to test the model"."""
    if evaluation.split_of_data:
        whose = f"photos of the dataset’s own {evaluation.split} split"
        return f"{evaluation.n:,} {whose}; the model is not known to have seen any"
    if evaluation.split in _SPLIT_WORDS:
        return f"{evaluation.n:,} {_SPLIT_WORDS[evaluation.split]}"
    return counted_photos(evaluation.n)


def unknown_classes(left_out: Mapping[str, int]) -> str:
    """Which classes the model was never taught, in a sentence; labels as they were written."""
    names = sorted(left_out, key=lambda name: (-left_out[name], name))
    listed = ", ".join(f"{name} ({counted_photos(left_out[name])})" for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    classes = "1 class that the model" if len(names) == 1 else f"{len(names)} classes that the model"
    return f"{classes} was never taught could not be judged: {listed}{more}."


def unreadable(rejected: Mapping[str, str]) -> str:
    """How many photos could not be read, and why some of them."""
    reasons = sorted(set(rejected.values()))
    shown = " ".join(reasons[:2])
    return f"{counted_photos(len(rejected))} could not be read. {shown}"


def place(rank: float) -> str:
    """How far down the list the truth stands: "the truth comes 2nd"."""
    if math.isnan(rank):
        return "the model was never taught the true class"
    number = int(rank)
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"the truth comes {number}{ending}"


def photo_facts(row: Mapping[str, Any]) -> str:
    """What is known of a photo: its size, how bright and how sharp it is (0 to 1)."""
    facts = []
    if not math.isnan(row["width"]):
        facts.append(f"{row['width']:.0f} × {row['height']:.0f} pixels")
    facts += [f"{name} {row[name]:.2f}" for name in ("brightness", "sharpness") if not math.isnan(row[name])]
    return ", ".join(facts)


def cell_words(count: int, of: int, label: str | None, predicted: str | None) -> str:
    """What a selection of the matrix holds; labels must be made safe before."""
    if label is None:
        return f"{counted_photos(count)} taken for {predicted}"
    if predicted is None:
        return f"{counted_photos(count)} of {label}"
    if label == predicted:
        return f"{count:,} of {counted_photos(of)} of {label} recognised"
    return f"{count:,} of {counted_photos(of)} of {label} taken for {predicted}"
