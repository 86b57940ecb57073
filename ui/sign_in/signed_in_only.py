"""Middleware: where people must sign in for the pages, they must have for everything else that the app serves too."""

from http import HTTPStatus

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sneaker_core.errors import SneakerError
from ui.sign_in.providers import provider_names

NEEDED = "Sign in on the app's first page, in this browser."
# What answers without: the check of health, which says nothing about the workspace.
OPEN = ("/api/health",)
CLOSED = ("/api", "/phone")


class SignedInOnly:
    """Refuses requests to the JSON API and to `/phone` by browsers in which nobody has signed in.

    The pages themselves ask people to sign in. Without a configured provider, everything gets through.

    Parameters
    ----------
    app : ASGI app
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and _is_closed(scope["path"]) and (refusal := _refusal(scope)):
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _refusal(scope: Scope) -> JSONResponse | None:
    """The answer to a browser in which nobody has signed in, or to all if it isn't known who may."""
    try:
        if not provider_names() or _is_signed_in(scope):
            return None
    except SneakerError as error:
        return JSONResponse({"error": str(error)}, HTTPStatus.SERVICE_UNAVAILABLE)
    return JSONResponse({"error": NEEDED}, HTTPStatus.UNAUTHORIZED)


def _is_closed(path: str) -> bool:
    return path not in OPEN and any(path == closed or path.startswith(f"{closed}/") for closed in CLOSED)


def _is_signed_in(scope: Scope) -> bool:
    """Whether the cookie that Streamlit signs after a login is there and valid."""
    from streamlit.web.server.server_util import get_cookie_secret
    from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    value = HTTPConnection(scope).cookies.get(USER_COOKIE_NAME, "")
    secret = get_cookie_secret()
    return (
        bool(secret) and decode_signed_value(secret, USER_COOKIE_NAME, value.encode("latin-1", "replace")) is not None
    )
