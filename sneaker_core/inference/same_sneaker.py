"""One answer to several photos of the same sneaker."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypedDict

from msgspec import Meta

from sneaker_core.evaluation.prediction_table import concatenate_outputs
from sneaker_core.images import Photo
from sneaker_core.inference.answer_values import SaidValues
from sneaker_core.inference.predictor import (
    Answer,
    PhotoReading,
    answer_of,
    check_top,
    read_photo,
    read_photo_file,
    scored_predictions,
)
from sneaker_core.inference.runner import Runner, run_here
from sneaker_core.networks.checkpoint import SneakerModel, with_spec
from sneaker_core.networks.decision import Reason, Status, ood_score, probabilities
from sneaker_core.networks.pooling import LEAST_SAME_RATIO, mean_row, pooled, same_ratio, with_pooled_temperature
from sneaker_core.number_text import counted, listed
from sneaker_core.records.fields import Count

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
# Other answers that are named in the sentence on how far the photos agree.
_MOST_VOTES = 3
DISAGREEMENT = "The photos disagree so much that they probably don't all show the same sneaker."


class Role(StrEnum):
    """What a photo is for the answer to several.

    All but the counted ones are left out: copies of another one, photos without a shoe, photos unlike the others (fewer
    than half show nothing the model knows, and it can't tell why) and unreadable ones. Photos without a shoe count
    where there are no others.
    """

    COUNTED = "counted"
    COPY = "copy"
    NO_SHOE = "no_shoe"
    UNLIKE = "unlike_the_others"
    UNREADABLE = "unreadable"


# Why photos are left out: of one, and of several.
_LEFT_OUT = {
    Role.COPY: ("that is a copy of another one", "that are copies of another one"),
    Role.NO_SHOE: ("without a shoe",) * 2,
    Role.UNLIKE: ("that shows nothing the model knows", "that show nothing the model knows"),
    Role.UNREADABLE: ("that can't be read",) * 2,
}


class AgreementValues(TypedDict):
    """How far the counted photos agree.

    Attributes
    ----------
    agreeing : int
        Counted photos that say the same by themselves.
    counted : int
    sentence : str or null
        None if no photo counts.
    """

    agreeing: Count
    counted: Count
    sentence: str | None


class SameSneakerValues(SaidValues):
    """One answer to several photos of the same sneaker.

    Attributes
    ----------
    images : list of str
        Names of the photos, in order.
    roles : list of str
        What each photo is for the answer; only "counted" ones speak for it.
    agreement : Agreement
    warning : str or null
        Said if the photos probably don't show the same sneaker.
    """

    images: list[str]
    roles: list[Annotated[str, Meta(extra_json_schema={"enum": list(Role)})]]
    agreement: AgreementValues
    warning: str | None


@dataclass(frozen=True)
class SameSneakerAnswer:
    """The model's answer to several photos of the same sneaker.

    Attributes
    ----------
    answer : Answer
        To all counted photos together; an error if no photo could be read.
    photos : tuple of Answer
        To each photo alone, in order.
    roles : tuple of Role
        Of each photo.
    disagree : bool
        Whether the counted photos probably don't all show the same sneaker.
    """

    answer: Answer
    photos: tuple[Answer, ...]
    roles: tuple[Role, ...]
    disagree: bool

    @property
    def label(self) -> str | None:
        """The most probable class; None if the model knows none of what it sees."""
        return None if self.answer.refused or not self.answer.top else self.answer.top[0].label

    @property
    def counted(self) -> list[int]:
        """Places of the counted photos, from 0."""
        return [place for place, role in enumerate(self.roles) if role is Role.COUNTED]

    @property
    def shoes(self) -> list[int]:
        """Places of the photos that show the sneaker, each picture once, from 0."""
        return [place for place, role in enumerate(self.roles) if role in (Role.COUNTED, Role.UNLIKE)]

    @property
    def agreeing(self) -> int:
        """How many of the counted photos say the same by themselves."""
        return sum(_said(self.photos[place]) == self.label for place in self.counted)

    def agreement(self) -> str:
        """How far the counted photos agree: "4 of 5 photos say Air Max 90; the fifth says Air Max 95"."""
        own = {place: _said(self.photos[place]) for place in self.counted}
        others = [place for place, label in own.items() if label != self.label]
        agreeing = len(own) - len(others)
        if not own:
            return ""
        if not others:
            who = {1: "The photo", 2: "Both photos"}.get(agreeing, f"All {agreeing} photos")
            return f"{who} {_saying(self.label, agreeing)}"
        head = f"{agreeing} of {len(own)} photos {_saying(self.label, agreeing)}"
        if not agreeing:
            head = f"{'Neither photo' if len(own) == 2 else 'No photo'} {_saying(self.label, 1)} by itself"
        elif len(others) == 1:
            return f"{head}; the {_ordinal(others[0])} {_saying(own[others[0]], 1)}"
        votes = Counter(own[place] for place in others).most_common()
        parts = [f"{photos} {_saying(label, photos)}" for label, photos in votes[:_MOST_VOTES]]
        if rest := sum(photos for _, photos in votes[_MOST_VOTES:]):
            parts.append(f"{rest} {'says' if rest == 1 else 'say'} something else")
        return f"{head}; {listed(parts)}"

    def left_out(self) -> str:
        """Which photos don't count, and why; empty if all do."""
        parts = []
        for role, what in _LEFT_OUT.items():
            photos = self.roles.count(role)
            # Where there are no others, photos without a shoe are what the answer is about.
            if photos and (self.counted or role is not Role.NO_SHOE):
                parts.append(f"{counted(photos, 'photo')} {what[photos > 1]}")
        return f"Left out: {listed(parts)}" if parts else ""

    def warning(self) -> str | None:
        """Said if the photos probably don't show the same sneaker."""
        return DISAGREEMENT if self.disagree else None

    def to_dict(self) -> SameSneakerValues:
        """The JSON object of the command line and the API: that of a photo, with "images" in place of "image"."""
        return {
            "images": [photo.image for photo in self.photos],
            **self.answer.said(),
            "roles": [role.value for role in self.roles],
            "agreement": {
                "agreeing": self.agreeing,
                "counted": len(self.counted),
                "sentence": self.agreement() or None,
            },
            "warning": self.warning(),
        }


def _said(answer: Answer) -> str | None:
    """The class that a photo speaks for by itself; None if it is unknown to the model."""
    return None if answer.refused else answer.top[0].label


def _saying(label: str | None, photos: int) -> str:
    if label is None:
        return "is unknown to the model" if photos == 1 else "are unknown to the model"
    return f"{'says' if photos == 1 else 'say'} {label}"


def _ordinal(place: int) -> str:
    return _ORDINALS[place] if place < len(_ORDINALS) else f"photo number {place + 1}"


def predict_same(
    model: SneakerModel, photos: Sequence[Photo], top: int = 3, *, run: Runner = run_here
) -> SameSneakerAnswer:
    """Classify a sneaker that several photos show.

    Parameters
    ----------
    model : SneakerModel
    photos : sequence of Photo
        At least one.
    top : int
        Number of classes to name, 1 to 10.
    run : Runner
        Runs the network.
    """
    check_top(top)
    readings = [read_photo(model, photo.name, photo.data, run=run) for photo in photos]
    return same_sneaker_answer(model, readings, [photo.digest for photo in photos], top)


def predict_same_files(model: SneakerModel, paths: Sequence[Path], top: int = 3) -> SameSneakerAnswer:
    """Classify a sneaker that several photo files show; at least one."""
    check_top(top)
    readings = [read_photo_file(model, path) for path in paths]
    return same_sneaker_answer(model, readings, [file_digest(path) for path in paths], top)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes; empty if it can't be opened."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def same_sneaker_answer(
    model: SneakerModel, readings: Sequence[PhotoReading], digests: Sequence[str], top: int = 3
) -> SameSneakerAnswer:
    """The answer to photos of one sneaker that the network has seen.

    Logits are averaged and calibrated for that many photos (`networks.pooling`), or for one if they disagree. OOD
    scores are averaged, too, and compared with the threshold for one photo: known sneakers are then refused less often.

    Parameters
    ----------
    model : SneakerModel
    readings : sequence of PhotoReading
        By the same model; at least one.
    digests : sequence of str
        SHA-256 of each photo's bytes, to count copies once.
    top : int
        1 to 10.
    """
    alone = tuple(answer_of(model, reading, top) for reading in readings)
    roles = _roles(alone, digests)
    milliseconds = sum(reading.milliseconds for reading in readings)
    # Photos without a shoe count where there are no others.
    chosen = {Role.COUNTED} if Role.COUNTED in roles else {Role.NO_SHOE}
    outputs = [
        reading.outputs
        for reading, role in zip(readings, roles, strict=True)
        if reading.outputs is not None and role in chosen
    ]
    if not outputs:
        name = counted(len(readings), "photo")
        error = alone[0].error if len(alone) == 1 else "None of them can be read."
        return SameSneakerAnswer(Answer(name, Status.ERROR, (), error, milliseconds), alone, roles, disagree=False)
    together = concatenate_outputs(outputs)
    decision = model.spec.decision
    scores = ood_score(together, model.references, decision)
    chances = probabilities(together.logits, decision.temperature)
    disagree = bool(same_ratio(chances[None])[0] < LEAST_SAME_RATIO)
    # Photos that disagree don't confirm each other: they are no more certain together than one.
    asked = model if disagree else with_spec(model, decision=with_pooled_temperature(decision, len(outputs)))
    (found,) = scored_predictions(asked, pooled(together), mean_row(scores), top)
    answer = Answer(
        image=counted(len(readings), "photo"),
        error=None,
        milliseconds=milliseconds,
        photos=len(readings),
        **vars(found),
    )
    return _without_false_certainty(SameSneakerAnswer(answer, alone, roles, disagree))


def _without_false_certainty(found: SameSneakerAnswer) -> SameSneakerAnswer:
    """The answer, never "known" where photos disagree and no more than half of them say the same."""
    split = found.disagree and 2 * found.agreeing <= len(found.counted)
    if not split or found.answer.status is not Status.KNOWN:
        return found
    return replace(found, answer=replace(found.answer, status=Status.UNSURE))


def _roles(answers: Sequence[Answer], digests: Sequence[str]) -> tuple[Role, ...]:
    seen: set[str] = set()
    roles = []
    for answer, digest in zip(answers, digests, strict=True):
        unreadable, no_shoe = answer.status is Status.ERROR, answer.reason is Reason.NOT_FOOTWEAR
        is_copy = digest in seen
        seen.add(digest)
        roles.append(
            Role.UNREADABLE if unreadable else Role.COPY if is_copy else Role.NO_SHOE if no_shoe else Role.COUNTED
        )
    # A model that can't tell why it refuses a photo: a few such photos among others show something else, but if all or
    # half are like that, the sneaker is unknown.
    odd = {place for place, role in enumerate(roles) if role is Role.COUNTED and _is_unexplained(answers[place])}
    if 2 * len(odd) < roles.count(Role.COUNTED):
        roles = [Role.UNLIKE if place in odd else role for place, role in enumerate(roles)]
    return tuple(roles)


def _is_unexplained(answer: Answer) -> bool:
    return answer.refused and answer.reason is None
