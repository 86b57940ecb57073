"""The JSON API: the same answers as the command line's, over HTTP.

Every error is ``{"error": "one sentence"}``: 400 the request is no upload, 404 no such model or route, 413 too large,
415 not multipart, 422 the photo or a parameter cannot be used, 429 too much is waiting, 503 the model is damaged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.datastructures import QueryParams, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive

from sneaker_core import __version__
from sneaker_core.errors import (
    BusyError,
    CheckpointError,
    ImageTooLargeError,
    ModelNotFoundError,
    SneakerError,
)
from sneaker_core.inference.explanation.explain_photos import Explained, explain_bytes
from sneaker_core.inference.explanation.explanation_request import (
    DEFAULT_OPACITY,
    Method,
    Question,
    Wanted,
    checked_method,
)
from sneaker_core.inference.explanation.heat_maps import check_opacity
from sneaker_core.inference.model_service import shared_models, shared_queue, slow_queue
from sneaker_core.inference.predictor import check_top, predict_bytes
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import DEFAULT_MODEL, find_named_model, list_models
from sneaker_core.settings import ImageLimits

Handler = Callable[[Request], Awaitable[Response]]

# A multipart body is a little larger than the file in it.
_ENVELOPE_BYTES = 64 * 1024
# Longer side of a picture that explains, in pixels: one of 50 megapixels would be a file of 100 MB.
_LARGEST_PICTURE = 1600
_STATUS_CODES: tuple[tuple[type[SneakerError], int], ...] = (
    (ModelNotFoundError, 404),
    (ImageTooLargeError, 413),
    (BusyError, 429),
    (CheckpointError, 503),
    (SneakerError, 422),
)


def routes(workspace: Path) -> list[Route]:
    """The routes of the API.

    Parameters
    ----------
    workspace : Path
        Where runs are looked up.
    """
    service = _Service(workspace)
    return [
        Route("/api/health", _said_plainly(service.health)),
        Route("/api/models", _said_plainly(service.models)),
        Route("/api/predict", _said_plainly(service.predict), methods=["POST"]),
        Route("/api/explain", _said_plainly(service.explain), methods=["POST"]),
        Route("/api/{rest:path}", _said_plainly(_no_route), methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
    ]


class _Service:
    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.queue = shared_queue()
        self.limits = ImageLimits.from_environment()

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def models(self, request: Request) -> Response:
        entries = await asyncio.to_thread(list_models, self.workspace)
        return JSONResponse([entry.to_dict() for entry in entries])

    async def predict(self, request: Request) -> Response:
        model = request.query_params.get("model", DEFAULT_MODEL)
        top = _top(request.query_params.get("top", "3"))
        name, data = await self._upload(request)
        answer = await asyncio.wrap_future(self.queue.submit(self._answer, model, name, data, top))
        code = 422 if answer["status"] == Status.ERROR else 200
        return JSONResponse(answer, code)

    def _answer(self, model: str, name: str, data: bytes, top: int) -> dict[str, Any]:
        return predict_bytes(self._model(model), name, data, top).to_dict()

    def _model(self, name: str) -> SneakerModel:
        return shared_models().load(find_named_model(self.workspace, name))

    async def explain(self, request: Request) -> Response:
        asked = request.query_params
        model = asked.get("model", DEFAULT_MODEL)
        wanted = _wanted(asked)
        name, data = await self._upload(request)
        queue = slow_queue() if wanted.question.method.is_slow else self.queue
        found = await asyncio.wrap_future(queue.submit(self._explain, model, name, data, wanted))
        # A header holds plain letters only, so the class that was explained is percent-encoded.
        return Response(found.png, media_type="image/png", headers={"X-Target": quote(found.question.target or "")})

    def _explain(self, model: str, name: str, data: bytes, wanted: Wanted) -> Explained:
        return explain_bytes(self._model(model), name, data, wanted)

    async def _upload(self, request: Request) -> tuple[str, bytes]:
        """Name and bytes of the uploaded photo; a body over the cap is refused while it arrives."""
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise HTTPException(415, "Send the photo as multipart/form-data in a part named 'file'.")
        cap = self.limits.max_bytes + _ENVELOPE_BYTES
        message = f"The upload is larger than {self.limits.max_bytes / 1e6:g} MB."
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > cap:
            raise ImageTooLargeError(message)
        limited = Request(request.scope, _at_most(cap, request.receive, message))
        async with limited.form(max_files=1, max_fields=8) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise HTTPException(400, "The request has no part named 'file' that holds a photo.")
            return file.filename or "photo", await file.read()


def _at_most(cap: int, receive: Receive, message: str) -> Receive:
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


def _wanted(asked: QueryParams) -> Wanted:
    """What the query of a request to explain asks for; what depends on the model is checked with it."""
    try:
        opacity = check_opacity(float(asked.get("opacity", DEFAULT_OPACITY)))
    except ValueError:
        raise SneakerError(f"opacity is {asked['opacity'][:80]!r}; it must be a number.") from None
    method = checked_method(asked.get("method", Method.GRADCAM))
    question = Question(asked.get("target"), asked.get("versus"), method, asked.get("layer"))
    return Wanted(question, opacity, _LARGEST_PICTURE)


async def _no_route(request: Request) -> Response:
    raise HTTPException(404, f"There is no {request.method} {request.url.path}.")


def _said_plainly(handler: Handler) -> Handler:
    """Turn whatever goes wrong into one JSON sentence."""

    @wraps(handler)
    async def handled(request: Request) -> Response:
        try:
            return await handler(request)
        except HTTPException as error:
            return JSONResponse({"error": str(error.detail)}, error.status_code)
        except SneakerError as error:
            code = next(code for kind, code in _STATUS_CODES if isinstance(error, kind))
            return JSONResponse({"error": str(error)}, code)

    return handled
