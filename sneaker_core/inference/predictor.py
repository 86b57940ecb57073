"""Predictions: what a photo shows, with calibrated probabilities. Pages, the command line and the API all use them."""

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
# From this probability on, an answer reads "Almost certainly".
_ALMOST_CERTAIN = 0.9
# "Not sure" names the most probable classes up to this combined probability, but no more than three.
_NAMED_PROBABILITY = 0.8
_MOST_NAMED = 3


@dataclass(frozen=True)
class Guess:
    """A class and its calibrated probability, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Answer:
    """The model's answer for a photo.

    Attributes
    ----------
    image : str
        Name of the photo.
    status : Status
    top : tuple of Guess
        The most probable classes, in descending order; empty if the photo couldn't be read.
    error : str or None
        Why the photo couldn't be read.
    milliseconds : float
        Time from the photo's bytes to the answer.
    """

    image: str
    status: Status
    top: tuple[Guess, ...]
    error: str | None
    milliseconds: float

    def sentence(self) -> str:
        """The answer as a sentence."""
        if self.status is Status.ERROR:
            return f"{self.image}: {self.error}"
        if self.status is Status.UNKNOWN:
            return "This doesn't look like a sneaker the model knows"
        if self.status is Status.UNSURE:
            return f"Not sure: {_alternatives(self._candidates())}"
        best = self.top[0]
        how = "Almost certainly" if best.probability >= _ALMOST_CERTAIN else "Probably"
        return f"{how} {_article(best.label)} {best.label}"

    def _candidates(self) -> list[str]:
        names, total = [], 0.0
        for guess in self.top[:_MOST_NAMED]:
            names.append(guess.label)
            total += guess.probability
            if total >= _NAMED_PROBABILITY and len(names) > 1:
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


def _alternatives(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def check_top(top: int) -> int:
    """Return the number of classes to name if it is valid.

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
    """Classify decoded photos in one batch.

    Parameters
    ----------
    model : SneakerModel
    photos : sequence of RGB images
    top : int
        Number of classes to name, 1 to 10; fewer if the model has fewer.

    Returns
    -------
    list of (Status, tuple of Guess)
        One per photo, with the most probable classes in descending order.
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
    """Classify a photo from the bytes of its file; if it can't be read, the answer says why.

    Parameters
    ----------
    model : SneakerModel
    name : str
        Name of the photo in the answer.
    data : bytes
    top : int
        1 to 10.
    """
    return _answer(model, name, lambda side: images.decode(data, shrink_to=side), top)


def predict_file(model: SneakerModel, path: Path, top: int = 3) -> Answer:
    """Classify a photo file; if it can't be read, the answer says why."""
    return _answer(model, str(path), lambda side: images.load(path, shrink_to=side), top)


def _answer(model: SneakerModel, name: str, read: Callable[[int], Image.Image], top: int) -> Answer:
    started = time.perf_counter()
    try:
        photo = read(model.spec.preprocessing.shrink_to)
    except ImageError as error:
        return Answer(name, Status.ERROR, (), str(error), _milliseconds_since(started))
    ((status, guesses),) = predict_images(model, [photo], top)
    return Answer(name, status, guesses, None, _milliseconds_since(started))


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
