"""Predictions: what a photo shows, with calibrated probabilities. Pages, the command line and the API all use them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from sneaker_core.decoding import photo_decoder
from sneaker_core.errors import ImageError, SneakerError
from sneaker_core.inference.answer_sentences import (
    ALMOST_CERTAIN,
    FOOTWEAR_TYPE_PROBABILITY,
    LOOK_ALIKES,
    MOST_NAMED,
    NAMED_PROBABILITY,
    SENTENCES,
    alternatives,
)
from sneaker_core.inference.answer_values import AnswerValues, SaidValues
from sneaker_core.inference.runner import Runner, run_here
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.decision import (
    Floats,
    Outputs,
    Reason,
    Status,
    footwear_types,
    ood_score,
    probabilities,
    reasons,
    statuses,
)
from sneaker_core.networks.sneaker_groups import SneakerGroup, probable_group, with_article

MAX_TOP = 10


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
    reason : Reason or None
        Why the answer is "unknown", if the model can tell.
    footwear_type : str or None
        What other footwear it looks like, such as "Loafers", if the model is sure of it.
    look_alikes : tuple of str
        For other footwear: the most similar classes, most similar first.
    group : SneakerGroup or None
        For an "unsure" answer: the group of look-alikes that the photo shows, if that is probable enough.
    photos : int
        How many photos it is of.
    """

    image: str
    status: Status
    top: tuple[Guess, ...]
    error: str | None
    milliseconds: float
    reason: Reason | None = None
    footwear_type: str | None = None
    look_alikes: tuple[str, ...] = ()
    group: SneakerGroup | None = None
    photos: int = 1

    @property
    def refused(self) -> bool:
        """Whether the model knows none of what it sees: its guesses, and their probabilities, then mean little."""
        return self.status is Status.UNKNOWN

    @property
    def almost_certain(self) -> bool:
        """Whether a "known" answer reads "Almost certainly" rather than "Probably"."""
        return self.status is Status.KNOWN and self.top[0].probability >= ALMOST_CERTAIN

    def sentence(self) -> str:
        """The answer as a sentence."""
        if self.status is Status.ERROR:
            return f"{self.image}: {self.error}"
        if self.status is Status.UNKNOWN:
            return self._refusal()
        if self.status is Status.UNSURE:
            return self.group.sentence() if self.group else self._doubt()
        template = SENTENCES["almost_certain" if self.almost_certain else "probable"]
        return template.format(name=with_article(self.top[0].label, inside=True))

    def _doubt(self) -> str:
        return SENTENCES["unsure"].format(names=alternatives(self._candidates()))

    def _refusal(self) -> str:
        if self.reason is Reason.NOT_FOOTWEAR:
            return SENTENCES["no_shoe" if self.photos == 1 else "no_shoe_in_any"]
        if self.reason is Reason.OTHER_FOOTWEAR and self.footwear_type:
            return SENTENCES["other_type"].format(type=self.footwear_type.lower())
        return SENTENCES["unlike" if self.reason is None else "other_shoe"]

    def _candidates(self) -> list[str]:
        names, total = [], 0.0
        for guess in self.top[:MOST_NAMED]:
            names.append(guess.label)
            total += guess.probability
            if total >= NAMED_PROBABILITY and len(names) > 1:
                break
        return names

    def to_dict(self) -> AnswerValues:
        """The JSON object of the command line and the API."""
        return {"image": self.image, **self.said()}

    def said(self) -> SaidValues:
        """The JSON object without the name of the photo."""
        return {
            "status": self.status.value,
            "sentence": self.sentence(),
            "top": [{"label": guess.label, "probability": round(guess.probability, 4)} for guess in self.top],
            "reason": self.reason.value if self.reason else None,
            "footwear_type": self.footwear_type,
            "look_alikes": list(self.look_alikes),
            "group": self.group.to_dict() if self.group else None,
            "error": self.error,
            "ms": round(self.milliseconds, 1),
        }


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


@dataclass(frozen=True)
class Prediction:
    """What a model says of a photo: the fields of `Answer` that come from the network."""

    status: Status
    top: tuple[Guess, ...]
    reason: Reason | None
    footwear_type: str | None
    look_alikes: tuple[str, ...]
    group: SneakerGroup | None


def predict_images(model: SneakerModel, photos: Sequence[Image.Image], top: int = 3) -> list[Prediction]:
    """Classify decoded photos in one batch.

    Parameters
    ----------
    model : SneakerModel
    photos : sequence of RGB images
    top : int
        Number of classes to name, 1 to 10; fewer if the model has fewer.

    Returns
    -------
    list of Prediction
        One per photo, with the most probable classes in descending order.
    """
    check_top(top)
    return predictions(model, _outputs(model, photos), top)


def _outputs(model: SneakerModel, photos: Sequence[Image.Image]) -> Outputs:
    return model.outputs(model.spec.preprocessing(list(photos)))


def predictions(model: SneakerModel, outputs: Outputs, top: int) -> list[Prediction]:
    """What a model says of photos, from its outputs for them."""
    return scored_predictions(model, outputs, ood_score(outputs, model.references, model.spec.decision), top)


def scored_predictions(model: SneakerModel, outputs: Outputs, score: Floats, top: int) -> list[Prediction]:
    """What a model says of photos, from its outputs for them and their OOD scores, float32 (B,)."""
    spec, decision = model.spec, model.spec.decision
    chances = probabilities(outputs.logits, decision.temperature)
    found = zip(
        statuses(chances.max(1), score, decision),
        reasons(outputs),
        footwear_types(outputs, FOOTWEAR_TYPE_PROBABILITY),
        chances,
        strict=True,
    )
    return [_prediction(spec, status, reason, kind, row, top) for status, reason, kind, row in found]


def _prediction(
    spec: ModelSpec, status: Status, reason: Reason | None, kind: int | None, chances: Floats, top: int
) -> Prediction:
    order = (-chances).argsort(kind="stable")
    ranked = [spec.classes[index] for index in order[: max(top, LOOK_ALIKES)]]
    guesses = tuple(Guess(spec.classes[index], float(chances[index])) for index in order[:top])
    refused = reason if status is Status.UNKNOWN else None
    other = refused is Reason.OTHER_FOOTWEAR
    unsure = status is Status.UNSURE
    return Prediction(
        status,
        guesses,
        refused,
        spec.footwear_types[kind] if other and kind is not None else None,
        tuple(ranked[:LOOK_ALIKES]) if other else (),
        probable_group(spec.classes, chances, spec.decision.confidence_threshold) if unsure else None,
    )


@dataclass(frozen=True)
class PhotoReading:
    """A photo as the network sees it: what its answer follows from.

    Attributes
    ----------
    image : str
        Name of the photo.
    outputs : Outputs or None
        One row; None if the photo couldn't be read.
    error : str or None
        Why it couldn't be read.
    milliseconds : float
        Time from the photo's bytes to the outputs.
    """

    image: str
    outputs: Outputs | None
    error: str | None
    milliseconds: float


def predict_bytes(model: SneakerModel, name: str, data: bytes, top: int = 3, *, run: Runner = run_here) -> Answer:
    """Classify a photo from the bytes of its file; if it can't be read, the answer says why.

    Parameters
    ----------
    model : SneakerModel
    name : str
        Name of the photo in the answer.
    data : bytes
    top : int
        1 to 10.
    run : Runner
        Runs the network.
    """
    return answer_of(model, read_photo(model, name, data, run=run), top)


def predict_file(model: SneakerModel, path: Path, top: int = 3) -> Answer:
    """Classify a photo file; if it can't be read, the answer says why."""
    return answer_of(model, read_photo_file(model, path), top)


def read_photo(model: SneakerModel, name: str, data: bytes, *, run: Runner = run_here) -> PhotoReading:
    """Run the network on a photo, from the bytes of its file.

    Parameters
    ----------
    model, name, data, run
        As in `predict_bytes`.
    """
    return _reading(model, name, lambda side: photo_decoder.decode(data, shrink_to=side), run)


def read_photo_file(model: SneakerModel, path: Path) -> PhotoReading:
    """Run the network on a photo file."""
    return _reading(model, str(path), lambda side: photo_decoder.load(path, shrink_to=side), run_here)


def _reading(model: SneakerModel, name: str, read: Callable[[int], Image.Image], run: Runner) -> PhotoReading:
    started = time.perf_counter()
    try:
        photo = model_input(model, read)
    except ImageError as error:
        return PhotoReading(name, None, str(error), _milliseconds_since(started))
    return PhotoReading(name, run(_outputs, model, [photo]), None, _milliseconds_since(started))


def answer_of(model: SneakerModel, reading: PhotoReading, top: int = 3) -> Answer:
    """The answer for a photo that the network has seen, or why it couldn't be read.

    Parameters
    ----------
    model : SneakerModel
    reading : PhotoReading
        By the same model.
    top : int
        1 to 10.
    """
    check_top(top)
    started = time.perf_counter()
    if reading.outputs is None:
        return Answer(reading.image, Status.ERROR, (), reading.error, reading.milliseconds)
    (found,) = predictions(model, reading.outputs, top)
    milliseconds = reading.milliseconds + _milliseconds_since(started)
    return Answer(image=reading.image, error=None, milliseconds=milliseconds, **vars(found))


def model_input(model: SneakerModel, read: Callable[[int], Image.Image]) -> Image.Image:
    """The photo at the network's input size: many may wait for the network, and whole photos would fill the memory.

    Parameters
    ----------
    model : SneakerModel
    read : callable
        Decodes the photo, at no less than the given number of pixels per side.
    """
    preprocessing = model.spec.preprocessing
    return Image.fromarray(preprocessing.resize(read(preprocessing.shrink_to)))


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
