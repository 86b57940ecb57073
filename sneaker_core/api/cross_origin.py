"""Which websites' pages may read the API's answers in a visitor's browser (CORS): none but the named ones."""

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

# Headers of answers that a page may read, and of requests that it may set, beyond those that every page may.
_READABLE = ("ETag", "Retry-After", "X-Note", "X-Target")
_SETTABLE = ("Content-Type", "If-None-Match")


def cross_origin(origins: tuple[str, ...]) -> list[Middleware]:
    """The middleware that lets these websites in; nothing if none is named.

    Cookies and passwords of visitors are never asked for, so a page can do no more than its visitor could without them.

    Parameters
    ----------
    origins : tuple of str
        From `ApiSettings`.
    """
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=_SETTABLE,
            expose_headers=_READABLE,
            allow_private_network=True,
        )
    ]
