"""Which websites' pages may read the API's answers in a visitor's browser (CORS): none but the named ones."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from sneaker_core.api.openapi_document import PREFIX

# Headers of answers that a page may read, and of requests that it may set, beyond those that every page may.
_READABLE = ("ETag", "Retry-After", "X-Note", "X-Target")
_SETTABLE = ("Authorization", "Content-Type", "If-None-Match")


def cross_origin(origins: tuple[str, ...]) -> list[Middleware]:
    """The middleware that lets these websites in; nothing if none is named.

    It belongs in front of all checks: a browser asks first, without a password, whether it may send the page's request,
    and the page can read an error only with these headers. Cookies and passwords that a browser keeps are never asked
    for, so a page can do no more than its visitor could without them.

    Parameters
    ----------
    origins : tuple of str
        From `ApiSettings`.
    """
    return [Middleware(_CrossOrigin, origins=origins)] if origins else []


class _CrossOrigin:
    """The headers for named websites, on the API's answers only."""

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._pages = app
        self._api = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=_SETTABLE,
            expose_headers=_READABLE,
            allow_private_network=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        is_api = scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/")
        await (self._api if is_api else self._pages)(scope, receive, send)
