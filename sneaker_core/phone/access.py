"""Who gets through to the app: middleware that is in front of the pages, the JSON API and the WebSocket alike.

`OwnAddress` answers at one address only, so that a foreign website can't reach the app by pointing its own name to this
computer (DNS rebinding). `PasswordGate` asks for a password.
"""

import base64
import binascii
import hashlib
import hmac
import html
import secrets
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sneaker_core.phone.password_tries import PasswordTries
from sneaker_core.settings import AccessSettings

COOKIE = "solescope_login"
MESSAGE_MARK = "<!-- message -->"
WRONG_ADDRESS = "SoleScope answers only at the address that it printed when it was started."
WRONG = "That isn't the password. Try again."
TOO_MANY = "Too many wrong passwords. Wait a minute, then try again."
_NEEDED = "This SoleScope has a password. Send it as a bearer token, or as the password of basic authentication."
_LARGEST_FORM = 4096
# The page has no scripts, and nothing on it comes from elsewhere.
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}


def access_middleware(settings: AccessSettings, login_page: Callable[[], str]) -> list[Middleware]:
    """The checks that the settings ask for, outermost first.

    Parameters
    ----------
    settings : AccessSettings
    login_page : callable
        HTML of the login page, with `MESSAGE_MARK` where an error goes.
    """
    checks = []
    if settings.address is not None:
        checks.append(Middleware(OwnAddress, address=settings.address))
    if settings.password is not None:
        checks.append(Middleware(PasswordGate, password=settings.password, login_page=login_page()))
    return checks


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer instead of the app; a WebSocket is closed before it opens."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await response(scope, receive, send)


class OwnAddress:
    """Refuses requests for another host, and those that another website makes in a visitor's browser.

    Parameters
    ----------
    app : ASGI app
    address : str
        Such as https://192.168.1.20:8501.
    """

    def __init__(self, app: ASGIApp, address: str) -> None:
        self.app = app
        self._host, self._origin = urlsplit(address).netloc, address.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] in ("http", "websocket"):
            headers = Headers(scope=scope)
            if headers.getlist("host") != [self._host] or headers.get("origin", self._origin) != self._origin:
                await _refuse(PlainTextResponse(WRONG_ADDRESS, HTTPStatus.FORBIDDEN), scope, receive, send)
                return
        await self.app(scope, receive, send)


class PasswordGate:
    """Lets only those through who know the password.

    Browsers get a login page, and then a cookie that is valid until the server ends. Programs send the password with
    each request, as a bearer token or by basic authentication.

    Parameters
    ----------
    app : ASGI app
    password : str
    login_page : str
        As in `access_middleware`.
    tries : PasswordTries, optional
    """

    def __init__(self, app: ASGIApp, password: str, login_page: str, tries: PasswordTries | None = None) -> None:
        self.app = app
        self._password, self._page = password, login_page
        self._tries = tries or PasswordTries()
        self._token = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] not in ("http", "websocket") or self._has_cookie(scope):
            await self.app(scope, receive, send)
            return
        given, is_login = _sent_password(Headers(scope=scope)), False
        if given is None and _is_login(scope):
            given, is_login = await _form_password(Request(scope, receive)), True
        error = self._error(given, scope)
        if error is not None:
            await _refuse(self._refusal(*error, scope), scope, receive, send)
        elif is_login:
            await self._logged_in(scope)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _has_cookie(self, scope: Scope) -> bool:
        return _same(HTTPConnection(scope).cookies.get(COOKIE, ""), self._token)

    def _error(self, given: str | None, scope: Scope) -> tuple[HTTPStatus, str] | None:
        """Why a password, or none, isn't accepted; None if it is the right one."""
        client = str((scope.get("client") or ("",))[0])
        if given is None:
            return HTTPStatus.UNAUTHORIZED, ""
        if self._tries.must_wait(client):
            return HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY
        if not _same(given, self._password):
            self._tries.note_wrong(client)
            return HTTPStatus.UNAUTHORIZED, WRONG
        self._tries.forget(client)
        return None

    def _refusal(self, status: HTTPStatus, message: str, scope: Scope) -> Response:
        headers = {"Retry-After": "60"} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
        if _is_for_people(scope):
            alert = f'<p role="alert">{html.escape(message)}</p>' if message else ""
            return HTMLResponse(self._page.replace(MESSAGE_MARK, alert), status, {**headers, **_PAGE_HEADERS})
        if status == HTTPStatus.UNAUTHORIZED and not _is_of_a_page(scope):
            headers["WWW-Authenticate"] = 'Basic realm="SoleScope", charset="UTF-8"'
        return JSONResponse({"error": message or _NEEDED}, status, headers)

    def _logged_in(self, scope: Scope) -> Response:
        """The way back to what was asked for; a path only, so that it can't lead to another site."""
        path, query = "/" + scope["path"].lstrip("/\\"), scope["query_string"].decode("latin-1")
        response = RedirectResponse(quote(path) + (f"?{query}" if query else ""), HTTPStatus.SEE_OTHER)
        is_secure = scope["scheme"] == "https"
        response.set_cookie(COOKIE, self._token, httponly=True, secure=is_secure, samesite="lax")
        return response


def _same(given: str, right: str) -> bool:
    """Whether two texts are the same, in a time that says nothing about them."""
    return hmac.compare_digest(*(hashlib.sha256(text.encode(errors="replace")).digest() for text in (given, right)))


def _sent_password(headers: Headers) -> str | None:
    """The password in the header Authorization; None if there is none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def _is_for_people(scope: Scope) -> bool:
    """Whether a browser asks for a page, rather than a program or a script for data."""
    accepted = Headers(scope=scope).get("accept", "")
    return scope["type"] == "http" and "text/html" in accepted and not scope["path"].startswith("/api/")


def _is_of_a_page(scope: Scope) -> bool:
    """Whether a browser asks for an open page: told how to log in, it would ask in a window of its own."""
    headers = Headers(scope=scope)
    return "sec-fetch-mode" in headers or "cookie" in headers


def _is_login(scope: Scope) -> bool:
    kind = Headers(scope=scope).get("content-type", "")
    return _is_for_people(scope) and scope["method"] == "POST" and kind == "application/x-www-form-urlencoded"


async def _form_password(request: Request) -> str:
    """The password that the login page sent; empty if the form is too large to be its."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            return ""
    return parse_qs(body.decode(errors="replace")).get("password", [""])[0]
