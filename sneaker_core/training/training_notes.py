"""Training notes: short sentences on how a training is going and what to do if it goes badly."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.number_text import percent
from sneaker_core.training.recipe import Recipe

MAX_NOTES = 3

# Epochs without improvement that count as a plateau.
_PATIENCE = 4
# Smallest rise of an accuracy, and smallest relative fall of a loss, that count as an improvement.
_RISE, _FALL = 0.002, 0.005
# Accuracy above which a plateau is not a problem.
_NEARLY_ALL = 0.97
# The loss has jumped if it exceeds its minimum by this factor and this difference.
_JUMP_FACTOR, _JUMP = 1.25, 0.2
# A model should beat guessing after this many epochs, and this share of all epochs.
_SEVERAL, _SEVERAL_SHARE = 4, 0.15


class NoteKind(StrEnum):
    """Severity of a note."""

    GOOD = "good"
    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True)
class Note:
    """A sentence about a training.

    Attributes
    ----------
    kind : NoteKind
    text : str
        One line of plain text; class names in it are not escaped.
    """

    kind: NoteKind
    text: str


@dataclass(frozen=True)
class _Course:
    """Metrics of the epochs so far as arrays of one length; nan for missing values."""

    epoch: NDArray[np.float64]
    loss: NDArray[np.float64]
    rate: NDArray[np.float64]
    speed: NDArray[np.float64]
    val_loss: NDArray[np.float64]
    val_top1: NDArray[np.float64]
    favourite: Any
    classes: int
    epochs: int

    @property
    def guess(self) -> float:
        """Accuracy of random guesses."""
        return 1 / max(1, self.classes)

    @property
    def now(self) -> str:
        return "at the end" if self.epoch[-1] >= self.epochs else "now"

    @property
    def warming_up(self) -> bool:
        return len(self.rate) > 1 and bool(self.rate[-1] > self.rate[-2])

    @property
    def standstill(self) -> int:
        """Epochs since validation last improved on its best."""
        better = max(_last_better(self.val_top1, rise=_RISE), _last_better(-self.val_loss, share=_FALL))
        return len(self.epoch) - 1 - better if better >= 0 else 0

    @property
    def judged(self) -> NDArray[np.float64]:
        """Validation accuracies, without missing ones."""
        return self.val_top1[~np.isnan(self.val_top1)]


def notes(metrics: pd.DataFrame, classes: int, epochs: int, recipe: Recipe | None = None) -> list[Note]:
    """Explain how a training is going.

    Parameters
    ----------
    metrics : DataFrame
        Rows of ``metrics.jsonl``, one per epoch. Columns and values may be missing.
    classes : int
        Number of classes, negatives not counted.
    epochs : int
        Total number of epochs.
    recipe : Recipe, optional
        Without it, an expected drop in speed (larger photos, more trainable layers) looks like a busy machine.

    Returns
    -------
    list of Note
        Most important first, at most `MAX_NOTES`.
    """
    if len(metrics) == 0:
        text = "No results yet. They appear after the first epoch (one pass over the training photos)."
        return [Note(NoteKind.INFO, text)]
    course = _course(metrics, classes, epochs)
    if len(course.epoch) == 1:
        return [_too_early(course)]
    problems = [_jumped(course) or _fell_back(course), _one_class(course) or _guessing(course)]
    progress = _overfitting(course) or _plateau(course) or _learning(course) or _no_trend(course)
    found = [*(problems if any(problems) else [progress]), _slow(course, recipe), _warming_up(course)]
    return [note for note in found if note][:MAX_NOTES]


def _course(metrics: pd.DataFrame, classes: int, epochs: int) -> _Course:
    def numbers(column: str) -> NDArray[np.float64]:
        values = metrics[column] if column in metrics else [None] * len(metrics)
        return np.array([finite(value) for value in values], dtype=np.float64)

    epoch = numbers("epoch")
    return _Course(
        epoch=np.where(np.isnan(epoch), np.arange(1, len(metrics) + 1), epoch),
        loss=numbers("loss"),
        rate=numbers("learning_rate"),
        speed=numbers("images_per_second"),
        val_loss=numbers("val_loss"),
        val_top1=numbers("val_top1"),
        favourite=metrics["favourite"].iloc[-1] if "favourite" in metrics else None,
        classes=classes,
        epochs=epochs,
    )


def finite(value: object) -> float:
    """The value if it is a finite number; nan for anything else."""
    return (
        float(value) if isinstance(value, int | float | np.integer | np.floating) and -1e12 < value < 1e12 else math.nan
    )


def _last_better(values: NDArray[np.float64], rise: float = 0.0, share: float = 0.0) -> int:
    """Index of the last clear improvement over all earlier values; -1 if there are no values."""
    best, last = math.nan, -1
    for index, value in enumerate(values):
        if not math.isnan(value) and (math.isnan(best) or value > best + rise + share * abs(best)):
            best, last = value, index
    return last


def _epoch_text(epoch: float) -> str:
    return f"epoch {epoch:.0f}"


def _too_early(course: _Course) -> Note:
    if len(course.judged):
        accuracy = f"validation accuracy is {percent(course.judged[-1])} after {_epoch_text(course.epoch[-1])}"
        return Note(NoteKind.INFO, f"Too early to tell: {accuracy}.")
    return Note(NoteKind.INFO, "Too early to tell: only one epoch (one pass over the training photos) is done.")


def _jumped(course: _Course) -> Note | None:
    earlier, last = course.loss[:-1], course.loss[-1]
    if np.isnan(earlier).all() or math.isnan(last):
        return None
    lowest = float(np.nanmin(earlier))
    if last <= lowest + max(_JUMP, (_JUMP_FACTOR - 1) * abs(lowest)):
        return None
    return Note(
        NoteKind.WARNING,
        f"The training loss jumped from {lowest:.2f} to {last:.2f}: the learning rate is probably too high. Try a "
        "lower one.",
    )


def _fell_back(course: _Course) -> Note | None:
    last = course.val_top1[-1]
    if math.isnan(last) or len(course.judged) < 2:
        return None
    best = int(np.nanargmax(course.val_top1))
    highest = course.val_top1[best]
    if last >= 0.6 * highest or highest - last < 0.1:
        return None
    return Note(
        NoteKind.WARNING,
        f"Accuracy dropped: validation accuracy was {percent(highest)} after {_epoch_text(course.epoch[best])} and is "
        f"{percent(last)} {course.now}. Try a lower learning rate.",
    )


def _one_class(course: _Course) -> Note | None:
    """Most photos are predicted as one class, although most are of other classes."""
    if not isinstance(course.favourite, Mapping) or "label" not in course.favourite or course.classes < 2:
        return None
    share, label = finite(course.favourite.get("share")), " ".join(str(course.favourite["label"]).split())
    most = course.guess + 0.6 * (1 - course.guess)
    right = course.val_top1[-1]
    if not share >= most or share - right < 0.1:
        return None
    return Note(
        NoteKind.WARNING,
        f"The model predicts {label} for {percent(share)} of the validation photos; an equal share would be "
        f"{percent(course.guess)}.",
    )


def _guessing(course: _Course) -> Note | None:
    several = max(_SEVERAL, round(_SEVERAL_SHARE * course.epochs))
    if len(course.epoch) < several or course.classes < 2 or len(course.judged) < 2:
        return None
    right = float(course.judged[-_PATIENCE:].max())
    if right > min(2 * course.guess, course.guess + 0.1 * (1 - course.guess)):
        return None
    return Note(
        NoteKind.WARNING,
        f"No better than guessing after {len(course.epoch)} epochs: validation accuracy is "
        f"{percent(course.judged[-1])}, and random guesses would reach {percent(course.guess)}. Check the labels, or "
        "try another learning rate.",
    )


def _is_plateau(course: _Course) -> bool:
    nearly_all = len(course.judged) > 0 and course.judged[-1] >= _NEARLY_ALL
    return course.standstill >= _PATIENCE and not course.warming_up and not nearly_all


def _training_improves(course: _Course) -> bool:
    """Whether the training loss has clearly fallen since validation was at its best."""
    since = course.loss[-1 - course.standstill :]
    return bool(since[-1] < since[0] * (1 - 2 * _FALL))


def _overfitting(course: _Course) -> Note | None:
    if not _is_plateau(course) or not _training_improves(course):
        return None
    return Note(
        NoteKind.WARNING,
        f"Overfitting: the training loss still falls, but validation has not improved for {course.standstill} epochs.",
    )


def _plateau(course: _Course) -> Note | None:
    if not _is_plateau(course):
        return None
    level = f" (accuracy {percent(course.judged[-1])})" if len(course.judged) else ""
    return Note(
        NoteKind.INFO,
        f"No more progress: neither validation{level} nor training has improved for {course.standstill} epochs.",
    )


def _learning(course: _Course) -> Note | None:
    known = ~np.isnan(course.val_top1)
    if known.sum() < 2:
        return None
    first, last = course.judged[0], course.judged[-1]
    if last < _NEARLY_ALL and (last < first + 0.02 or last < course.guess * 1.5):
        return None
    return Note(
        NoteKind.GOOD,
        f"Training is going well: validation accuracy was {percent(first)} after "
        f"{_epoch_text(course.epoch[known][0])} and is {percent(last)} {course.now}.",
    )


def _no_trend(course: _Course) -> Note:
    """Nothing stands out; without validation, only the training loss is known."""
    if len(course.judged) > 1:
        first, last = course.judged[0], course.judged[-1]
        trend = "Too early to tell" if len(course.epoch) < _PATIENCE else "No clear trend"
        return Note(
            NoteKind.INFO,
            f"{trend}: validation accuracy was {percent(first)} at first and is {percent(last)} {course.now}.",
        )
    losses = course.loss[~np.isnan(course.loss)]
    if len(losses) < 2:
        return Note(NoteKind.INFO, "Too early to tell: there are no results to compare yet.")
    trend = "fell" if losses[-1] < losses[0] else "has not fallen: it went"
    return Note(
        NoteKind.INFO,
        f"The training loss {trend} from {losses[0]:.2f} to {losses[-1]:.2f}. There are no validation results yet.",
    )


def _slow(course: _Course, recipe: Recipe | None) -> Note | None:
    """Less than half as fast as the first epoch of the same kind."""
    if recipe is not None and recipe.trainable == "head":
        # It takes seconds in total, too little to measure a speed.
        return None
    kinds = [_work(epoch, recipe) for epoch in course.epoch]
    first, last = course.speed[kinds.index(kinds[-1])], course.speed[-1]
    if not last < first / 2:
        return None
    return Note(
        NoteKind.INFO,
        f"Slow: {last:.0f} photos per second {course.now}, {first:.0f} at first. The computer is probably busy with "
        "something else.",
    )


def _work(epoch: float, recipe: Recipe | None) -> tuple[int, bool]:
    """What the speed of an epoch depends on: photo size, and whether only the head is trained."""
    if recipe is None:
        return 0, False
    place = int(epoch) - 1
    return recipe.size_of(place), recipe.trains_head_only(place)


def _warming_up(course: _Course) -> Note | None:
    if not course.warming_up:
        return None
    return Note(
        NoteKind.INFO,
        "Still warming up: the learning rate is still rising, so the results may jump.",
    )
