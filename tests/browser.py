"""A real server and a real Chromium for tests and screenshots."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
NO_CHROMIUM = (
    "These tests drive a real browser and found no Chromium. Install it ('apt-get install chromium' on Debian and "
    "Ubuntu, 'brew install --cask chromium' on a Mac) and run them again."
)
_STARTS_WITHIN = 90.0
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Where Chromium is.

    Raises
    ------
    RuntimeError
        It is not installed.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError(NO_CHROMIUM)


@contextlib.contextmanager
def open_browser(*more: str) -> Iterator[Browser]:
    """A Chromium without a window, started with more arguments where a test needs them."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *more])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def serve(log: Path, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start the app as `make app` does, on a free port; gives its address.

    Parameters
    ----------
    log : Path
        Takes what the server says.
    environment : mapping, optional
        Variables beside those of this process.
    """
    entry = "asgi.py" if (PROJECT / "asgi.py").is_file() else "streamlit_app.py"
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", entry, f"--server.port={port}", "--server.headless=true"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **(environment or {})}, stdout=output, stderr=subprocess.STDOUT
        )
    address = f"http://localhost:{port}"
    try:
        _wait_until_healthy(address, server, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')}")
