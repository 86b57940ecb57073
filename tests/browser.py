"""A real server and a real Chromium, for tests and screenshots."""

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
from typing import Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
NO_CHROMIUM = (
    "These tests drive a real browser and found no Chromium. Install it ('apt-get install chromium' on Debian and "
    "Ubuntu, 'brew install --cask chromium' on a Mac) and run them again."
)
_STARTS_WITHIN = 90.0
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Render WebGL without a GPU, and provide a fake camera that shows a moving test pattern.
    "--enable-unsafe-swiftshader",
    "--use-angle=swiftshader",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
DESKTOP, PHONE = (1280, 900), (390, 844)
# Milliseconds. Generous, because the machine may be busy: tests check results, not durations.
PATIENCE = 120_000


def chromium() -> str:
    """Path of Chromium.

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
def open_browser() -> Iterator[Browser]:
    """Start a headless Chromium."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        browser.new_context(accept_downloads=True)  # the first one, which all pages of `new_page` share
        expect.set_options(timeout=PATIENCE)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser, size: tuple[int, int] = DESKTOP, scheme: Literal["light", "dark"] = "light") -> Page:
    """Open an empty page. All pages share a browser profile, so that the app's code is loaded once.

    Parameters
    ----------
    browser : Browser
    size : tuple of int
        Width and height in CSS pixels.
    scheme : {"light", "dark"}
    """
    page = browser.contexts[0].new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    return page


# True once the app has been idle for a while, with everything drawn: elements whose code still loads are skeletons.
_IS_IDLE = """() => {
    const app = document.querySelector('[data-test-script-state]');
    const loading = document.querySelector('[data-testid=stSkeleton]');
    if (!app || app.dataset.testScriptState !== 'notRunning' || loading) { window.idleSince = undefined; return false; }
    window.idleSince ??= performance.now();
    return performance.now() - window.idleSince > 300;
}"""


def settle(page: Page) -> None:
    """Wait until the app has stopped running and its page is drawn."""
    page.evaluate("() => { window.idleSince = undefined; }")
    page.wait_for_function(_IS_IDLE)


def go_to(page: Page, name: str) -> None:
    """Go to another page by the navigation, as a user does who clicks again if nothing happens.

    Streamlit loses a click on a link to a page if it meets the end of a run of the present page, which a page that
    follows a job starts by itself.
    """
    heading = page.get_by_role("heading", name=name, exact=True)
    for _ in range(3):
        page.get_by_role("link", name=name, exact=True).first.click()
        try:
            expect(heading).to_be_visible(timeout=PATIENCE / 10)
            return
        except AssertionError:
            continue
    expect(heading).to_be_visible()


class AppServer:
    """One running app for many workspaces: a symbolic link selects the one it shows.

    The app reads its workspace's path on every run, so changing the link's target is like starting it with another
    ``SOLESCOPE_WORKSPACE``, without waiting for a start.

    Attributes
    ----------
    address : str
    log : Path
        Output of the server.
    """

    def __init__(self, address: str, log: Path, link: Path) -> None:
        self.address, self.log, self._link = address, log, link

    @contextlib.contextmanager
    def show(self, workspace: Path, *, forbidden: str = "Traceback") -> Iterator[str]:
        """Serve a workspace; yields the app's address.

        Parameters
        ----------
        workspace : Path
        forbidden : str
            Must not appear in the log while the body runs.
        """
        printed = self.log.stat().st_size
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(workspace, target_is_directory=True)
        yield self.address
        assert forbidden not in self.log.read_bytes()[printed:].decode(errors="replace")


@contextlib.contextmanager
def serve_workspaces(folder: Path) -> Iterator[AppServer]:
    """Start one app whose workspace can be switched.

    Parameters
    ----------
    folder : Path
        An empty folder for the log and the link.
    """
    link, log = folder / "workspace", folder / "server.log"
    with serve(log, {"SOLESCOPE_WORKSPACE": str(link)}) as address:
        yield AppServer(address, log, link)


@contextlib.contextmanager
def serve(log: Path, environment: Mapping[str, str] | None = None, *, port: int | None = None) -> Iterator[str]:
    """Start the app as `make app` does, on a free port; yields its address.

    Parameters
    ----------
    log : Path
        File for the server's output.
    environment : mapping, optional
        Variables in addition to those of this process.
    port : int, optional
    """
    entry = "asgi.py" if (PROJECT / "asgi.py").is_file() else "streamlit_app.py"
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", entry, f"--server.port={port}", "--server.headless=true"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **(environment or {})}, stdout=output, stderr=subprocess.STDOUT
        )
    address = f"http://localhost:{port}"
    try:
        wait_until_healthy(address, server, log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def free_port() -> int:
    """A port that no server uses."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_healthy(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a server answers; shows its log if it doesn't."""
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=5).close()
            return
        except urllib.error.HTTPError as error:
            if error.code < 500:  # it asks for a password
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.2)
    raise RuntimeError(f"The server did not start:\n{log.read_text(errors='replace')}")
