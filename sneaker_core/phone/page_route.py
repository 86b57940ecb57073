"""The page that names sneakers on a phone by itself, as the app serves it under /phone."""

from collections.abc import Callable
from pathlib import Path, PurePath

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketClose

from sneaker_core.workspace.paths import phone_page_folder

_AT = "/phone"
# Written last by the build.
_BUILT = "built.js"
# Systems differ in what they take these for, and browsers run scripts and WebAssembly under their right type only.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}


def page_routes(workspace: Callable[[], Path], not_built: Callable[[], str]) -> list[BaseRoute]:
    """Routes of the page.

    Parameters
    ----------
    workspace : callable
        Where the page was built, or will be; asked at each request.
    not_built : callable
        HTML to show until it is.
    """
    return [Route(_AT, _with_slash), Mount(_AT, _Page(workspace, not_built))]


async def _with_slash(_: object) -> Response:
    # Relative, so that it also holds where the app is served below a path.
    return RedirectResponse("phone/")


class _Page:
    def __init__(self, workspace: Callable[[], Path], not_built: Callable[[], str]) -> None:
        self._workspace, self._not_built = workspace, not_built

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        response = WebSocketClose() if scope["type"] == "websocket" else await self._response(scope)
        await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        folder = phone_page_folder(self._workspace())
        if not (folder / _BUILT).is_file():
            return HTMLResponse(self._not_built(), 404, {"Cache-Control": "no-store"})
        files = StaticFiles(directory=folder, html=True)
        path = files.get_path(scope)
        try:
            response = await files.get_response(path, scope)
        except HTTPException as error:
            return PlainTextResponse(str(error.detail), error.status_code)
        name = PurePath("index.html" if path == "." else path)
        if response.status_code == 200:
            response.headers["Content-Type"] = _TYPES.get(name.suffix, "application/octet-stream")
        # A new build shows at the next visit; unchanged files aren't sent again.
        response.headers["Cache-Control"] = "no-cache"
        return response
