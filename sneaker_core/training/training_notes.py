"""What the figures of a training say, in plain sentences: whether it goes well and what to do if not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.training.recipe import Recipe

MOST_NOTES = 3

# So many epochs without a better figure are a standstill.
_PATIENCE = 4
# An accuracy must rise by so much, a loss fall by such a share, to count as better.
_RISE, _FALL = 0.002, 0.005
# From here on a standstill is no bad news: there is hardly anything left to win.
_NEARLY_ALL = 0.97
# The loss has jumped when it is by such a factor, and by so much, above its lowest.
_JUMP_FACTOR, _JUMP = 1.25, 0.2
# Guessing counts as overcome after this share of the epochs, at the earliest after so many.
_SEVERAL, _SEVERAL_SHARE = 4, 0.15


class NoteKind(StrEnum):
    """How to take a note."""

    GOOD = "good"
    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True)
class Note:
    """One plain sentence about a training.

    Attributes
    ----------
    kind : NoteKind
    text : str
        May name a class as its owner wrote it, on one line but otherwise as it is.
    """

    kind: NoteKind
    text: str


@dataclass(frozen=True)
class _Course:
    """The figures of the epochs so far as arrays of one length; nan where there is none."""

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
        """Share that blind guesses get right."""
        return 1 / max(1, self.classes)

    @property
    def now(self) -> str:
        return "at the end" if self.epoch[-1] >= self.epochs else "now"

    @property
    def warming_up(self) -> bool:
        return len(self.rate) > 1 and bool(self.rate[-1] > self.rate[-2])

    @property
    def standstill(self) -> int:
        """Epochs since validation was last better than ever before."""
        better = max(_last_better(self.val_top1, rise=_RISE), _last_better(-self.val_loss, share=_FALL))
        return len(self.epoch) - 1 - better if better >= 0 else 0

    @property
    def judged(self) -> NDArray[np.float64]:
        """Shares of the validation photos that were right, of the epochs that tell."""
        return self.val_top1[~np.isnan(self.val_top1)]


def notes(metrics: pd.DataFrame, classes: int, epochs: int, recipe: Recipe | None = None) -> list[Note]:
    """Say what the course of a training means.

    Parameters
    ----------
    metrics : DataFrame
        The rows of ``metrics.jsonl``, one an epoch. Columns and values may be missing.
    classes : int
        Classes that are told apart, photos of other things not counted.
    epochs : int
        Epochs that the training will have in all.
    recipe : Recipe, optional
        Without it all epochs are taken to be equally much work, and a drop of speed that was planned for (larger
        photos, the whole network after the head) is told as if the machine were busy.

    Returns
    -------
    list of Note
        The most important first, at most `MOST_NOTES`.
    """
    if len(metrics) == 0:
        return [Note(NoteKind.INFO, "No figures yet: the first come when every training photo was seen once.")]
    course = _course(metrics, classes, epochs)
    if len(course.epoch) == 1:
        return [_too_early(course)]
    trouble = [_jumped(course) or _fell_back(course), _one_class(course) or _guessing(course)]
    progress = _memorising(course) or _plateau(course) or _learning(course) or _no_trend(course)
    found = [*(trouble if any(trouble) else [progress]), _slow(course, recipe), _warming_up(course)]
    return [note for note in found if note][:MOST_NOTES]


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
    """The value where it is a number of sensible size; nan for anything else."""
    return (
        float(value) if isinstance(value, int | float | np.integer | np.floating) and -1e12 < value < 1e12 else math.nan
    )


def _last_better(values: NDArray[np.float64], rise: float = 0.0, share: float = 0.0) -> int:
    """Index of the last value that is clearly above all before it; -1 where there is no value."""
    best, last = math.nan, -1
    for index, value in enumerate(values):
        if not math.isnan(value) and (math.isnan(best) or value > best + rise + share * abs(best)):
            best, last = value, index
    return last


def percent(share: float) -> str:
    """A share in words: "62 %"."""
    return f"{100 * share:.0f} %"


def _ordinal(epoch: float) -> str:
    return f"epoch {epoch:.0f}"


def _too_early(course: _Course) -> Note:
    start = "Too early to say how it goes"
    if len(course.judged):
        right = f"{percent(course.judged[-1])} of the validation photos (kept from training, to check) are right"
        return Note(NoteKind.INFO, f"{start}: {right} after {_ordinal(course.epoch[-1])}.")
    return Note(NoteKind.INFO, f"{start}: only one epoch (one pass over the training photos) is done.")


def _jumped(course: _Course) -> Note | None:
    earlier, last = course.loss[:-1], course.loss[-1]
    if np.isnan(earlier).all() or math.isnan(last):
        return None
    lowest = float(np.nanmin(earlier))
    if last <= lowest + max(_JUMP, (_JUMP_FACTOR - 1) * abs(lowest)):
        return None
    return Note(
        NoteKind.WARNING,
        f"The loss (how wrong the answers are) jumped up from {lowest:.2f} to {last:.2f}: the steps are too large, "
        "try a lower learning rate.",
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
        f"Fell back: {percent(highest)} of the validation photos were right after {_ordinal(course.epoch[best])}, "
        f"only {percent(last)} {course.now}; try a lower learning rate.",
    )


def _one_class(course: _Course) -> Note | None:
    """Most photos are taken for one class, and not because most photos are of it."""
    if not isinstance(course.favourite, Mapping) or "label" not in course.favourite or course.classes < 2:
        return None
    share, label = finite(course.favourite.get("share")), " ".join(str(course.favourite["label"]).split())
    most = course.guess + 0.6 * (1 - course.guess)
    right = course.val_top1[-1]
    if not share >= most or share - right < 0.1:
        return None
    return Note(
        NoteKind.WARNING,
        f"Predicts almost only {label}: {percent(share)} of validation photos are taken for it, "
        f"where an equal share would be {percent(course.guess)}.",
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
        f"Not better than guessing after {len(course.epoch)} epochs: {percent(course.judged[-1])} of the validation "
        f"photos are right, blind guesses would get {percent(course.guess)}; check the labels, or try another "
        "learning rate.",
    )


def _stands_still(course: _Course) -> bool:
    nearly_all = len(course.judged) > 0 and course.judged[-1] >= _NEARLY_ALL
    return course.standstill >= _PATIENCE and not course.warming_up and not nearly_all


def _training_improves(course: _Course) -> bool:
    """Whether the training loss fell clearly since validation was at its best."""
    since = course.loss[-1 - course.standstill :]
    return bool(since[-1] < since[0] * (1 - 2 * _FALL))


def _memorising(course: _Course) -> Note | None:
    if not _stands_still(course) or not _training_improves(course):
        return None
    return Note(
        NoteKind.WARNING,
        "Memorising: training still improves, validation (photos kept from training) has not improved for "
        f"{course.standstill} epochs.",
    )


def _plateau(course: _Course) -> Note | None:
    if not _stands_still(course):
        return None
    level = f" and stays at {percent(course.judged[-1])} right" if len(course.judged) else ""
    return Note(
        NoteKind.INFO,
        f"Standing still: validation (photos kept from training) has not improved for {course.standstill} epochs"
        f"{level}, and training does not improve either.",
    )


def _learning(course: _Course) -> Note | None:
    told = ~np.isnan(course.val_top1)
    if told.sum() < 2:
        return None
    first, last = course.judged[0], course.judged[-1]
    if last < _NEARLY_ALL and (last < first + 0.02 or last < course.guess * 1.5):
        return None
    return Note(
        NoteKind.GOOD,
        f"Learning well: {percent(first)} of the validation photos were right after "
        f"{_ordinal(course.epoch[told][0])}, {percent(last)} {course.now}.",
    )


def _no_trend(course: _Course) -> Note:
    """Nothing stands out; without validation, the training loss is all there is to tell."""
    if len(course.judged) > 1:
        first, last = course.judged[0], course.judged[-1]
        begin = "Too early to say how it goes" if len(course.epoch) < _PATIENCE else "No clear trend"
        return Note(
            NoteKind.INFO,
            f"{begin}: {percent(first)} of the validation photos (kept from training, to check) were right at "
            f"first, {percent(last)} {course.now}.",
        )
    told = course.loss[~np.isnan(course.loss)]
    if len(told) < 2:
        return Note(NoteKind.INFO, "Too early to say how it goes: there are no figures to compare yet.")
    way = "fell" if told[-1] < told[0] else "has not fallen: it went"
    return Note(
        NoteKind.INFO,
        f"The loss (how wrong the answers on training photos are) {way} from {told[0]:.2f} to {told[-1]:.2f}; photos "
        "kept from training were not asked yet.",
    )


def _slow(course: _Course, recipe: Recipe | None) -> Note | None:
    """Less than half as fast as the first epoch of the same kind."""
    if recipe is not None and recipe.trainable == "head":
        # Seconds in all: nobody waits for it, and the clock hardly measures it.
        return None
    kinds = [_work(epoch, recipe) for epoch in course.epoch]
    first, last = course.speed[kinds.index(kinds[-1])], course.speed[-1]
    if not last < first / 2:
        return None
    return Note(
        NoteKind.INFO,
        f"Slow: {last:.0f} photos a second {course.now}, {first:.0f} at first; the machine is probably busy with "
        "something else.",
    )


def _work(epoch: float, recipe: Recipe | None) -> tuple[int, bool]:
    """What the time of an epoch depends on: size of the photos, and whether the head learns alone."""
    if recipe is None:
        return 0, False
    place = int(epoch) - 1
    return recipe.size_of(place), recipe.trains_head_only(place)


def _warming_up(course: _Course) -> Note | None:
    if not course.warming_up:
        return None
    return Note(
        NoteKind.INFO,
        "Still warming up: the learning rate (how large each correction is) still rises, so the figures may jump.",
    )
