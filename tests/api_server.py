"""A server that serves only the API, over real HTTP on a loopback port."""

import contextlib
import io
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn
from PIL import Image
from starlette.applications import Starlette


def jpeg(size: tuple[int, int] = (120, 80), color: str = "teal") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


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
