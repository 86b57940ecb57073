"""A server that serves only the API, over real HTTP on a loopback port."""

import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware

from sneaker_core.api.api_routes import routes
from sneaker_core.api.cross_origin import cross_origin
from sneaker_core.settings import ApiSettings


def jpeg(size: tuple[int, int] = (120, 80), color: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def open_to(origin: str, workspace: Path, photos_per_minute: int = 0, checks: Sequence[Middleware] = ()) -> Starlette:
    """The API as the app serves it to the pages of a website, behind other checks if there are any."""
    settings = ApiSettings((origin,), photos_per_minute)
    return Starlette(routes=routes(workspace, settings), middleware=[*cross_origin(settings.origins), *checks])


@contextlib.contextmanager
def serving(app: Starlette, **options: object) -> Iterator[str]:
    """A running server; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, **options))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
