"""Measure the time from a photo to an answer, and print a table.

    python -m benchmarks.identify

Needs Chromium. On shared machines, compare numbers only within one run.
"""

import io
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from streamlit.testing.v1 import AppTest

from sneaker_core import images
from sneaker_core.inference.explanation.attributions import gradcam
from sneaker_core.inference.predictor import predict_bytes
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import open_model
from sneaker_core.workspace.paths import PROJECT, workspace

# The beginning of every answer that isn't an error.
_ANSWER = re.compile("Almost certainly|Probably|Not sure|This doesn.t look like")
_CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def photo(width: int = 1155, height: int = 866) -> bytes:
    """A one-megapixel JPEG with smooth shapes and grain, like a photo."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 12, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.normal(0, 6, (height, width, 1))
    buffer = io.BytesIO()
    Image.fromarray((np.asarray(coarse) + grain).clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def milliseconds(work: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median and 95th percentile of a call's time, after three warm-up calls."""
    times = []
    for index in range(repeats + 3):
        started = time.perf_counter()
        work()
        if index >= 3:
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), float(np.percentile(times, 95))


@contextmanager
def server() -> Iterator[tuple[str, float]]:
    """Serve the app as `make app` does, without opening a browser; yield its address and start time."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "-m", "streamlit", "run", "asgi.py", "--server.headless=true", f"--server.port={port}"]
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://localhost:{port}", started
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_served(url: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.05)


def first_page_and_upload(data: bytes) -> tuple[float, list[float]]:
    """Seconds from start to the first page in a browser, and from uploading a photo to its answer."""
    with server() as (url, started), sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_CHROMIUM_FLAGS)
        page = browser.new_page()
        _wait_until_served(url)
        page.goto(url)
        page.get_by_test_id("stFileUploader").wait_for(timeout=60_000)
        to_page = time.perf_counter() - started
        answers = [_seconds_to_answer(page, url, Path(folder) / f"{index}.jpg", data, index) for index in range(6)]
        browser.close()
    return to_page, answers[1:]


def _seconds_to_answer(page: Page, url: str, file: Path, data: bytes, index: int) -> float:
    """Open a fresh page and upload a photo that isn't cached."""
    file.write_bytes(data + bytes([index]))
    page.goto(url)
    page.get_by_test_id("stFileUploader").wait_for()
    started = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_text(_ANSWER).first.wait_for()
    return time.perf_counter() - started


def main() -> None:
    data = photo()
    model = open_model(workspace(), DEFAULT_MODEL)
    decoded = images.decode(data)
    page = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
    rows = [
        ("decode a 1-megapixel JPEG", milliseconds(lambda: images.decode(data), 50)),
        ("bytes to top-3, 1-megapixel JPEG", milliseconds(lambda: predict_bytes(model, "photo", data), 100)),
        ("Grad-CAM of one class", milliseconds(lambda: gradcam(model, decoded, model.spec.classes[0]), 30)),
        ("page rerun, nothing changed", milliseconds(page.run, 20)),
    ]
    to_page, answers = first_page_and_upload(data)
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print("| what | p50 | p95 |\n| --- | --- | --- |")
    for name, (p50, p95) in rows:
        print(f"| {name} | {p50:.1f} ms | {p95:.1f} ms |")
    print(f"| start to first page in the browser | {to_page:.1f} s | |")
    print(f"| upload to answer in the browser | {statistics.median(answers):.2f} s | {max(answers):.2f} s |")


if __name__ == "__main__":
    main()
