"""Answers "what is it, and how sure?" for photos, one call for the page, the command line and the API."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from sneaker_core import images
from sneaker_core.errors import ImageError, SneakerError
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Status, ood_score, probabilities, statuses

MAX_TOP = 10
# From this probability on an answer reads "almost certainly".
_ALMOST_CERTAIN = 0.9
# "Not sure" names as many classes as it takes to be right this often, but no more than three.
_NAMED_SHARE = 0.8
_NAMED_MOST = 3


@dataclass(frozen=True)
class Guess:
    """A class and its calibrated probability, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Answer:
    """What the model says of one photo.

    Attributes
    ----------
    image : str
        Name the photo was given under.
    status : Status
    top : tuple of Guess
        The most probable classes, most probable first; empty when the photo could not be read.
    error : str or None
        Why the photo could not be read.
    milliseconds : float
        From the photo's bytes to the answer.
    """

    image: str
    status: Status
    top: tuple[Guess, ...]
    error: str | None
    milliseconds: float

    def sentence(self) -> str:
        """The answer in plain words."""
        if self.status is Status.ERROR:
            return f"{self.image}: {self.error}"
        if self.status is Status.UNKNOWN:
            return "This doesn't look like a sneaker I know"
        if self.status is Status.UNSURE:
            return f"Not sure: {_either(self._candidates())}"
        best = self.top[0]
        how = "Almost certainly" if best.probability >= _ALMOST_CERTAIN else "Probably"
        return f"{how} {_article(best.label)} {best.label}"

    def _candidates(self) -> list[str]:
        names, together = [], 0.0
        for guess in self.top[:_NAMED_MOST]:
            names.append(guess.label)
            together += guess.probability
            if together >= _NAMED_SHARE and len(names) > 1:
                break
        return names

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the command line and the API."""
        return {
            "image": self.image,
            "status": self.status.value,
            "top": [{"label": guess.label, "probability": round(guess.probability, 4)} for guess in self.top],
            "error": self.error,
            "ms": round(self.milliseconds, 1),
        }


def _article(label: str) -> str:
    return "an" if label[:1].lower() in "aeiou" else "a"


def _either(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def check_top(top: int) -> int:
    """Pass on a number of classes to name.

    Raises
    ------
    SneakerError
        It is not from 1 to `MAX_TOP`.
    """
    if not 1 <= top <= MAX_TOP:
        raise SneakerError(f"top is {top}; it must be from 1 to {MAX_TOP}.")
    return top


def predict_images(
    model: SneakerModel, photos: Sequence[Image.Image], top: int = 3
) -> list[tuple[Status, tuple[Guess, ...]]]:
    """Answer for decoded photos in one pass of the network.

    Parameters
    ----------
    model : SneakerModel
    photos : sequence of RGB images
    top : int
        How many classes to name, 1 to 10; at most as many as the model has.
    """
    check_top(top)
    outputs = model.outputs(model.spec.preprocessing(list(photos)))
    decision = model.spec.decision
    chances = probabilities(outputs.logits, decision.temperature)
    score = ood_score(outputs, model.references, decision)
    order = (-chances).argsort(axis=1, kind="stable")[:, :top]
    guesses = [
        tuple(Guess(model.spec.classes[index], float(row[index])) for index in best)
        for row, best in zip(chances, order, strict=True)
    ]
    return list(zip(statuses(chances.max(1), score, decision), guesses, strict=True))


def predict_bytes(model: SneakerModel, name: str, data: bytes, top: int = 3) -> Answer:
    """Answer for the bytes of one photo; a photo that cannot be read gets an answer that says why.

    Parameters
    ----------
    model : SneakerModel
    name : str
        Shown with the answer.
    data : bytes
    top : int
        1 to 10.
    """
    return _answer(model, name, lambda side: images.decode(data, shrink_to=side), top)


def predict_file(model: SneakerModel, path: Path, top: int = 3) -> Answer:
    """Answer for a photo on disk; a file that cannot be read gets an answer that says why."""
    return _answer(model, str(path), lambda side: images.load(path, shrink_to=side), top)


def _answer(model: SneakerModel, name: str, read: Callable[[int], Image.Image], top: int) -> Answer:
    started = time.perf_counter()
    try:
        photo = read(model.spec.preprocessing.shrink_to)
    except ImageError as error:
        return Answer(name, Status.ERROR, (), str(error), _since(started))
    ((status, guesses),) = predict_images(model, [photo], top)
    return Answer(name, status, guesses, None, _since(started))


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
