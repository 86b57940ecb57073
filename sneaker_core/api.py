"""The JSON API: predictions and explanations over HTTP, with the same results as the command line.

Errors are ``{"error": "message"}`` with status 400 (no file in the request), 404 (no such model or route), 413 (file
too large), 415 (not multipart), 422 (invalid photo or parameter), 429 (too many requests) or 503 (damaged model). The
last two carry ``Retry-After``.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.datastructures import QueryParams, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sneaker_core import __version__
from sneaker_core.errors import (
    BusyError,
    CheckpointError,
    ImageTooLargeError,
    ModelNotFoundError,
    SneakerError,
)
from sneaker_core.evaluation.evaluation_collection import described_models
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explain_photos import explain_bytes
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.model_service import shared_models, shared_queue, slow_queue
from sneaker_core.inference.predictor import check_top, predict_bytes
from sneaker_core.inference.runner import Runner
from sneaker_core.inference.same_sneaker import predict_same
from sneaker_core.networks.bundled_models import DEFAULT_MODEL, replacement_note
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import find_named_model
from sneaker_core.settings import ImageLimits

Handler = Callable[[Request], Awaitable[Response]]

# A multipart body is slightly larger than the file in it.
_ENVELOPE_BYTES = 64 * 1024
# Photos of one sneaker in a request; together they may be as large as three of the largest photos.
MOST_SAME_PHOTOS = 10
_MOST_SAME_SIZE = 3
# Longest side of an overlay, in pixels: a PNG of 50 megapixels would take 100 MB.
_MAX_SIDE = 1600
_STATUS_CODES: tuple[tuple[type[SneakerError], int], ...] = (
    (ModelNotFoundError, 404),
    (ImageTooLargeError, 413),
    (BusyError, 429),
    (CheckpointError, 503),
    (SneakerError, 422),
)

# Seconds after which a program may ask again: a queue empties quickly, a damaged model has to be mended by somebody.
_RETRY_AFTER = {429: 5, 503: 60}


def routes(workspace: Path) -> list[Route]:
    """Routes of the API.

    Parameters
    ----------
    workspace : Path
        Where runs are looked up.
    """
    service = _Service(workspace)
    return [
        Route("/api/health", _with_json_errors(service.health)),
        Route("/api/models", _with_json_errors(service.models)),
        Route("/api/predict", _with_json_errors(service.predict), methods=["POST"]),
        Route("/api/explain", _with_json_errors(service.explain), methods=["POST"]),
        Route("/api/{rest:path}", _with_json_errors(_no_route), methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
    ]


class _Service:
    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.queue = shared_queue()
        self.limits = ImageLimits.from_environment()

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def models(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(described_models, self.workspace))

    async def predict(self, request: Request) -> Response:
        model = request.query_params.get("model", DEFAULT_MODEL)
        top = _top(request.query_params.get("top", "3"))
        if _flag(request.query_params, "same_sneaker"):
            photos = await self._uploads(request, MOST_SAME_PHOTOS)
            answer = await asyncio.wrap_future(self.queue.submit_request(self._same, model, photos, top))
            return JSONResponse(answer, _prediction_code(answer), _note_header(model))
        photo = await self._upload(request)
        answer = await asyncio.wrap_future(self.queue.submit_request(self._answer, model, photo, top))
        return JSONResponse(answer, _prediction_code(answer), _note_header(model))

    def _answer(self, model: str, photo: Photo, top: int, run: Runner) -> dict[str, Any]:
        return predict_bytes(self._model(model), photo.name, photo.data, top, run=run).to_dict()

    def _same(self, model: str, photos: list[Photo], top: int, run: Runner) -> dict[str, Any]:
        found = predict_same(self._model(model), photos, top, run=run)
        return {**found.to_dict(), "photos": [photo.to_dict() for photo in found.photos]}

    def _model(self, name: str) -> SneakerModel:
        return shared_models().load(find_named_model(self.workspace, name))

    async def explain(self, request: Request) -> Response:
        model = request.query_params.get("model", DEFAULT_MODEL)
        wanted = _explanation_request(request.query_params)
        photo = await self._upload(request)
        queue = slow_queue() if wanted.method.is_slow else self.queue
        png, target = await asyncio.wrap_future(queue.submit_request(self._explain, model, photo, wanted))
        # Headers are ASCII, so the target is percent-encoded.
        return Response(png, media_type="image/png", headers={"X-Target": quote(target), **_note_header(model)})

    def _explain(self, model: str, photo: Photo, wanted: ExplanationRequest, run: Runner) -> tuple[bytes, str]:
        explanation = explain_bytes(self._model(model), photo.name, photo.data, wanted, run=run)
        return explanation.png(), explanation.request.target or ""

    async def _upload(self, request: Request) -> Photo:
        return (await self._uploads(request, most=1))[0]

    async def _uploads(self, request: Request, most: int) -> list[Photo]:
        """The uploaded photos, at least one; a body over the limit is rejected while it arrives."""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise HTTPException(415, "Send the photo as multipart/form-data in a part named 'file'.")
        bytes_allowed = self.limits.max_bytes * min(most, _MOST_SAME_SIZE)
        cap = bytes_allowed + most * _ENVELOPE_BYTES
        size = f"{bytes_allowed / 1e6:g} MB"
        message = f"The file is larger than {size}." if most == 1 else f"The files are larger than {size} together."
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > cap:
            raise ImageTooLargeError(message)
        limited = Request(request.scope, _limited_receive(cap, request.receive, message))
        async with limited.form(max_files=most, max_fields=8) as form:
            files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
            if not files:
                raise HTTPException(400, "The request has no file in a part named 'file'.")
            return [Photo(file.filename or "photo", await file.read()) for file in files]


def _prediction_code(answer: Mapping[str, Any]) -> int:
    return 422 if answer["status"] == Status.ERROR else 200


def _flag(query: QueryParams, name: str) -> bool:
    value = query.get(name, "0")
    if value not in ("0", "1"):
        raise SneakerError(f"{name} is {value[:80]!r}; it must be 0 or 1.")
    return value == "1"


def _note_header(model: str) -> dict[str, str]:
    """The header that tells a program that the model it asked for was replaced."""
    note = replacement_note(model)
    return {} if note is None else {"X-Note": quote(note, safe=" ,.")}


def _limited_receive(cap: int, receive: Receive, message: str) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        part = await receive()
        received += len(part.get("body", b""))
        if received > cap:
            raise ImageTooLargeError(message)
        return part

    return counted


def _top(text: str) -> int:
    try:
        return check_top(int(text))
    except ValueError:
        raise SneakerError(f"top is {text!r}; it must be a whole number.") from None


def _explanation_request(query: QueryParams) -> ExplanationRequest:
    """The request in a query; classes and layer are checked later, with the model."""
    values: dict[str, Any] = {name: query[name] for name in ("target", "versus", "method", "layer") if name in query}
    if "opacity" in query:
        try:
            values["opacity"] = float(query["opacity"])
        except ValueError:
            raise SneakerError(f"The opacity is {query['opacity'][:80]!r}; it must be a number.") from None
    return ExplanationRequest.from_dict({**values, "max_side": _MAX_SIDE})


async def _no_route(request: Request) -> Response:
    raise HTTPException(404, f"No route {request.method} {request.url.path}.")


def _with_json_errors(handler: Handler) -> Handler:
    """Turn errors into JSON responses."""

    @wraps(handler)
    async def handled(request: Request) -> Response:
        try:
            return await handler(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except HTTPException as error:
            return _error(str(error.detail), error.status_code)
        except SneakerError as error:
            return _error(str(error), next(code for kind, code in _STATUS_CODES if isinstance(error, kind)))

    return handled


def _error(message: str, code: int) -> Response:
    headers = {"Retry-After": str(_RETRY_AFTER[code])} if code in _RETRY_AFTER else {}
    return JSONResponse({"error": message}, code, headers)


class HangUps:
    """Middleware for the whole app: a client that hangs up is no error, so no traceback goes to the log.

    Parameters
    ----------
    app : ASGI app
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        with contextlib.suppress(ClientDisconnect):
            await self.app(scope, receive, send)
