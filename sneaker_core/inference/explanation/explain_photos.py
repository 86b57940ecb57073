"""From the bytes of a photo to a picture that shows why: one photo, or many of which a bad one harms only itself."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from sneaker_core import images
from sneaker_core.errors import ImageError
from sneaker_core.inference.explanation.attributions import Maps, attribute, check_question
from sneaker_core.inference.explanation.explanation_request import Question, Wanted
from sneaker_core.inference.explanation.heat_maps import check_opacity, overlay
from sneaker_core.inference.explanation.sanity_checks import Trust, check_trust
from sneaker_core.inference.predictor import predict_images
from sneaker_core.networks.checkpoint import SneakerModel

_BATCH = 8
# Decodes a photo, at no less than so many pixels a side where a number is given.
_Read = Callable[[int | None], Image.Image]


@dataclass(frozen=True)
class Explained:
    """A photo explained, or why it could not be read.

    Attributes
    ----------
    image : str
        Name the photo was given under.
    question : Question
        With the class that was explained as its target.
    png : bytes or None
        The photo with the map over it.
    heat : float32 array (H, W) or None
        The map.
    trust : Trust or None
        How much it is worth, where that was asked for.
    error : str or None
        Why the photo could not be read; all of the above but its name is None or as it was asked then.
    """

    image: str
    question: Question
    png: bytes | None = None
    heat: Maps | None = None
    trust: Trust | None = None
    error: str | None = None


@dataclass(frozen=True)
class _Photo:
    """A photo that could be read.

    Attributes
    ----------
    name : str
    seen : RGB image
        What the network sees of it, from the pixels that an answer is made from.
    read : callable
        Decodes it to draw on: many photos of 50 megapixels must not be in memory at once.
    """

    name: str
    seen: Image.Image
    read: _Read


def explain_bytes(model: SneakerModel, name: str, data: bytes, wanted: Wanted | None = None) -> Explained:
    """Explain the bytes of one photo.

    Parameters
    ----------
    model : SneakerModel
    name : str
        Shown with the result.
    data : bytes
    wanted : Wanted, optional

    Raises
    ------
    ImageError
        The photo cannot be read.
    UnknownLabelError
        The model has no such class.
    SneakerError
        The opacity is out of its range, there is no such layer, or the method looks at none.
    """
    wanted = wanted or Wanted()
    _check(model, wanted)
    photo = _photo(model, name, lambda side: images.decode(data, shrink_to=side))
    return next(_explained(model, [photo], wanted))


def explain_file(
    model: SneakerModel, path: Path, target: str | None = None, versus: str | None = None
) -> tuple[bytes, str]:
    """The PNG of a photo on disk with the Grad-CAM of a class over it, and the class (default: the most probable).

    Raises
    ------
    ImageError
        The photo cannot be read; the message names the file.
    UnknownLabelError
        The model has no such class.
    """
    (found,) = explain_many(model, [path], Wanted(Question(target, versus)))
    if found.png is None or found.question.target is None:
        raise ImageError(f"{path}: {found.error}")
    return found.png, found.question.target


def explain_many(
    model: SneakerModel,
    paths: Sequence[Path],
    wanted: Wanted | None = None,
    report: Callable[..., None] = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Explained]:
    """Explain photos on disk in order; one that cannot be read says why and harms no other.

    Few of them are in memory at a time, so there may be any number.

    Parameters
    ----------
    model : SneakerModel
    paths : sequence of Path
    wanted : Wanted, optional
        Without a target each photo is explained by its own most probable class.
    report : callable, optional
        Called with photos done, photos to do and what is being done.
    stopped : callable, optional
        Asked after each few photos.

    Raises
    ------
    UnknownLabelError, SneakerError
        As in `explain_bytes`, before the first photo is read.
    """
    wanted = wanted or Wanted()
    _check(model, wanted)
    return _many(model, paths, wanted, report, stopped)


def _many(
    model: SneakerModel,
    paths: Sequence[Path],
    wanted: Wanted,
    report: Callable[..., None],
    stopped: Callable[[], bool],
) -> Iterator[Explained]:
    done = 0
    for start in range(0, len(paths), _BATCH):
        if stopped():
            return
        read = [_photo_or_error(model, path, wanted.question) for path in paths[start : start + _BATCH]]
        found = _explained(model, [photo for photo in read if isinstance(photo, _Photo)], wanted)
        for photo in read:
            explained = photo if isinstance(photo, Explained) else next(found)
            done += 1
            report(done, len(paths), "Explaining photos")
            yield explained


def _photo_or_error(model: SneakerModel, path: Path, question: Question) -> _Photo | Explained:
    try:
        return _photo(model, str(path), lambda side: images.load(path, shrink_to=side))
    except ImageError as error:
        return Explained(str(path), question, error=str(error))


def _photo(model: SneakerModel, name: str, read: _Read) -> _Photo:
    preprocessing = model.spec.preprocessing
    return _Photo(name, Image.fromarray(preprocessing.resize(read(preprocessing.shrink_to))), read)


def _check(model: SneakerModel, wanted: Wanted) -> None:
    check_question(model, wanted.question)
    check_opacity(wanted.opacity)


def _explained(model: SneakerModel, photos: Sequence[_Photo], wanted: Wanted) -> Iterator[Explained]:
    """All maps in one go, the pictures one after the other."""
    if not photos:
        return
    seen, asked = [photo.seen for photo in photos], wanted.question
    if asked.target is None:
        labels = [guesses[0].label for _, guesses in predict_images(model, seen, top=1)]
    else:
        labels = [asked.target] * len(photos)
    maps = attribute(model, seen, labels, asked.method, asked.versus, asked.layer)
    for photo, label, heat in zip(photos, labels, maps, strict=True):
        question = replace(asked, target=label)
        try:
            drawn = photo.read(wanted.largest)
        except ImageError as error:  # the file has gone since
            yield Explained(photo.name, asked, error=str(error))
            continue
        if wanted.largest is not None:
            drawn.thumbnail((wanted.largest, wanted.largest))
        trust = check_trust(model, photo.seen, question, heat) if wanted.check else None
        yield Explained(photo.name, question, _png(overlay(drawn, heat, wanted.opacity)), heat, trust)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
