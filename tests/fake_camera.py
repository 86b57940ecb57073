"""A clip as the camera of a Chromium."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserType

from sneaker_core.video.clip_reader import ClipReader
from tests.browser import ARGUMENTS, chromium

_LONGEST_SIDE = 1280


@contextlib.contextmanager
def open_with_camera(kind: BrowserType, clip: Path, folder: Path) -> Iterator[Browser]:
    """Start a Chromium whose camera shows a clip, again and again.

    Parameters
    ----------
    kind : BrowserType
        Of Playwright: Chromium.
    clip : Path
    folder : Path
        Where the clip is kept in the form that Chromium takes: JPEGs, one after the other.
    """
    camera = folder / "camera.mjpeg"
    with camera.open("wb") as file, ClipReader(clip, _LONGEST_SIDE) as reader:
        for frame in reader.frames():
            Image.fromarray(frame.pixels).save(file, "JPEG", quality=92)
    browser = kind.launch(executable_path=chromium(), args=[*ARGUMENTS, f"--use-file-for-fake-video-capture={camera}"])
    try:
        yield browser
    finally:
        browser.close()
