"""Errors as JSON: ``{"error": "one sentence"}`` with the status that fits."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypedDict

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from sneaker_core.errors import BusyError, CheckpointError, ImageTooLargeError, ModelNotFoundError, SneakerError

JSON = "application/json"
# What each status means, for people who read the description.
MEANINGS = {
    304: "What you have is still current; only with `If-None-Match`.",
    400: "The body can't be read: no photo in it, or broken multipart or JSON.",
    404: "There is nothing of that name; the error names what there is.",
    405: "The address exists, but not with this method; `Allow` names those that do.",
    413: "The photos are larger than the limit.",
    415: "The body is neither `multipart/form-data` nor `application/json`.",
    422: "A photo can't be read, or a parameter or a field of the body doesn't fit.",
    429: "Too many photos at once, or from one address in a minute. Try again after `Retry-After` seconds.",
    500: "SoleScope failed; the server's log says why.",
    503: "The model is damaged. Try again after `Retry-After` seconds, when somebody has repaired it.",
}
_STATUS_CODES: tuple[tuple[type[SneakerError], int], ...] = (
    (ModelNotFoundError, 404),
    (ImageTooLargeError, 413),
    (BusyError, 429),
    (CheckpointError, 503),
    (SneakerError, 422),
)
# Seconds after which a program may ask again: a queue empties quickly, a damaged model has to be mended by somebody.
_RETRY_AFTER = {429: 5, 503: 60}
RETRYING = tuple(_RETRY_AFTER)
# Sentences for statuses that the server library raises by itself.
_PLAIN = {404: "There is nothing at {path}.", 405: "{path} doesn't take {method}."}


class ErrorValues(TypedDict):
    """What went wrong.

    Attributes
    ----------
    error : str
        One sentence: what happened, and what to do.
    """

    error: str


def json_response(values: Any, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Plain values as JSON; numbers that JSON doesn't have become null."""
    return Response(msgspec.json.encode(values), code, headers, JSON)


def error_response(message: str, code: int, headers: dict[str, str] | None = None) -> Response:
    """An error as JSON, with the time after which to try again where that helps."""
    values: ErrorValues = {"error": message}
    retry = {"Retry-After": str(_RETRY_AFTER[code])} if code in _RETRY_AFTER else {}
    return json_response(values, code, {**retry, **(headers or {})})


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message = error.status_code, str(error.detail)
    if code in _PLAIN and message == HTTPStatus(code).phrase:
        message = _PLAIN[code].format(path=request.url.path, method=request.method)
    return error_response(message, code, dict(error.headers or {}))


async def _core_error(_: Request, error: Exception) -> Response:
    return error_response(str(error), next(code for kind, code in _STATUS_CODES if isinstance(error, kind)))


async def _nobody(_: Request, __: Exception) -> Response:
    return Response(status_code=400)  # the client has left, so nobody reads it


async def _failure(_: Request, __: Exception) -> Response:
    """The answer to an unforeseen error, which still goes to the server's log."""
    return error_response("SoleScope failed. The server's log says why.", 500)


ERROR_HANDLERS: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _http_error,
    SneakerError: _core_error,
    ClientDisconnect: _nobody,
    Exception: _failure,
}
