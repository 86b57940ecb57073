"""The explanation pipeline: from a photo to its map, the overlay and the sanity check.

Pages, the command line and the API all come here with an `ExplanationRequest`.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from sneaker_core.decoding import photo_decoder
from sneaker_core.errors import ImageError
from sneaker_core.inference.explanation.attributions import Maps, attribute, check_request
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.explanation.heat_maps import describe_location, overlay, strongest_area
from sneaker_core.inference.explanation.sanity_checks import SanityCheck, run_sanity_check
from sneaker_core.inference.predictor import model_input, predict_images
from sneaker_core.inference.runner import Runner, run_here
from sneaker_core.networks.checkpoint import SneakerModel

_BATCH = 8
# Decodes a photo, at no less than the given number of pixels per side.
_Decoder = Callable[[int | None], Image.Image]


@dataclass(frozen=True)
class Explanation:
    """An explained photo, or the reason why it couldn't be read.

    Attributes
    ----------
    image : str
        Name of the photo.
    request : ExplanationRequest
        Its target is the class that was explained.
    heat : float32 array (H, W) or None
        The map, 0 to 1, at the network's input size.
    photo : RGB image or None
        The photo at the size of the overlay.
    sanity_check : SanityCheck or None
        If it was requested.
    error : str or None
        Why the photo couldn't be read; the attributes above are None then.
    """

    image: str
    request: ExplanationRequest
    heat: Maps | None = None
    photo: Image.Image | None = None
    sanity_check: SanityCheck | None = None
    error: str | None = None

    @property
    def subject(self) -> str:
        """What is explained: "Air Max 90", or "Air Max 90 compared with Air Max 1"."""
        request = self.request
        return f"{request.target}{f' compared with {request.versus}' if request.versus else ''}"

    @property
    def caption(self) -> str:
        """Where the map is strongest, in one sentence; the error if the photo couldn't be read."""
        if self.heat is None:
            return str(self.error)
        return describe_location(self.subject, *strongest_area(self.heat))

    def overlay(self) -> Image.Image:
        """The photo with the map on top, at the requested opacity."""
        assert self.photo is not None and self.heat is not None, "there is no overlay of a photo that can't be read"
        return overlay(self.photo, self.heat, self.request.opacity)

    def png(self) -> bytes:
        """The overlay as a PNG file."""
        buffer = io.BytesIO()
        self.overlay().save(buffer, "PNG")
        return buffer.getvalue()


@dataclass(frozen=True)
class _Source:
    """A photo that can be decoded.

    Attributes
    ----------
    name : str
    model_input : RGB image
        The photo at the network's input size.
    decode : callable
        Decodes the photo again for the overlay: a batch of 50-megapixel photos must not be in memory at once.
    """

    name: str
    model_input: Image.Image
    decode: _Decoder


def explain_bytes(
    model: SneakerModel,
    name: str,
    data: bytes,
    request: ExplanationRequest | None = None,
    *,
    run: Runner = run_here,
) -> Explanation:
    """Explain a photo from the bytes of its file.

    Parameters
    ----------
    model : SneakerModel
    name : str
        Name of the photo in the result.
    data : bytes
    request : ExplanationRequest, optional
    run : Runner
        Runs the network.

    Raises
    ------
    ImageError
        The photo can't be read.
    UnknownLabelError
        The model has no such class.
    SneakerError
        There is no such layer, or the method has none.
    """
    request = request or ExplanationRequest()
    check_request(model, request)
    source = _source(model, name, lambda side: photo_decoder.decode(data, shrink_to=side))
    return next(_explained(model, [source], request, run))


def explain_file(model: SneakerModel, path: Path, request: ExplanationRequest | None = None) -> Explanation:
    """Explain a photo file; parameters and errors as in `explain_bytes`."""
    (explanation,) = explain_files(model, [path], request)
    if explanation.error is not None:
        raise ImageError(f"{path}: {explanation.error}")
    return explanation


def explain_files(
    model: SneakerModel,
    paths: Sequence[Path],
    request: ExplanationRequest | None = None,
    report: Callable[..., None] = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Explanation]:
    """Explain photo files in order; for one that can't be read, the explanation has an error.

    Only a batch is in memory at a time, so there may be any number of photos.

    Parameters
    ----------
    model : SneakerModel
    paths : sequence of Path
    request : ExplanationRequest, optional
        Without a target, each photo is explained for its own most probable class.
    report : callable, optional
        Called with the number of photos done, the total, and a description of the step.
    stopped : callable, optional
        Called before each batch; if it returns True, the iteration ends.

    Raises
    ------
    UnknownLabelError, SneakerError
        As in `explain_bytes`, raised before the first photo is read.
    """
    request = request or ExplanationRequest()
    check_request(model, request)
    return _batches(model, paths, request, report, stopped)


def _batches(
    model: SneakerModel,
    paths: Sequence[Path],
    request: ExplanationRequest,
    report: Callable[..., None],
    stopped: Callable[[], bool],
) -> Iterator[Explanation]:
    done = 0
    for start in range(0, len(paths), _BATCH):
        if stopped():
            return
        opened = [_open(model, path, request) for path in paths[start : start + _BATCH]]
        explained = _explained(model, [source for source in opened if isinstance(source, _Source)], request, run_here)
        for source in opened:
            explanation = source if isinstance(source, Explanation) else next(explained)
            done += 1
            report(done, len(paths), "Explaining photos")
            yield explanation


def _open(model: SneakerModel, path: Path, request: ExplanationRequest) -> _Source | Explanation:
    try:
        return _source(model, str(path), lambda side: photo_decoder.load(path, shrink_to=side))
    except ImageError as error:
        return Explanation(str(path), request, error=str(error))


def _source(model: SneakerModel, name: str, decode: _Decoder) -> _Source:
    return _Source(name, model_input(model, decode), decode)


def _explained(
    model: SneakerModel, sources: Sequence[_Source], request: ExplanationRequest, run: Runner
) -> Iterator[Explanation]:
    """Compute the maps as one batch, then yield the explanations one by one."""
    if not sources:
        return
    targets, maps = run(_maps, model, [source.model_input for source in sources], request)
    for source, target, heat in zip(sources, targets, maps, strict=True):
        answered = replace(request, target=target)
        try:
            photo = source.decode(request.max_side)
        except ImageError as error:  # the file was deleted meanwhile
            yield Explanation(source.name, request, error=str(error))
            continue
        if request.max_side is not None:
            photo.thumbnail((request.max_side, request.max_side))
        check = run(run_sanity_check, model, source.model_input, answered, heat) if request.sanity_check else None
        yield Explanation(source.name, answered, heat, photo, check)


def _maps(model: SneakerModel, inputs: list[Image.Image], request: ExplanationRequest) -> tuple[list[str], list[Maps]]:
    """The class that is explained for each photo, and its map."""
    if request.target is None:
        targets = [found.top[0].label for found in predict_images(model, inputs, top=1)]
    else:
        targets = [request.target] * len(inputs)
    return targets, list(attribute(model, inputs, targets, request.method, request.versus, request.layer))
