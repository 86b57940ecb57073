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
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from streamlit.testing.v1 import AppTest

from sneaker_core import images
from sneaker_core.decoding import photo_decoder
from sneaker_core.inference.explanation.attributions import gradcam
from sneaker_core.inference.predictor import predict_bytes
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import open_model
from sneaker_core.workspace.paths import PROJECT, workspace

# The beginning of every answer that isn't an error.
_ANSWER = re.compile("Almost certainly|Probably|, probably|Not sure|This doesn.t look like|There is no|A shoe, but")
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
def server(environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[tuple[str, float]]:
    """Serve the app as `make app` does, without opening a browser; yield its address and start time."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = time.perf_counter()
    command = [sys.executable, "-m", "streamlit", "run", "asgi.py", "--server.headless=true", f"--server.port={port}"]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
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


def answers_per_second(data: bytes, clients: int = 10, seconds: float = 15.0) -> tuple[float, float]:
    """Answers per second of the JSON API for clients that ask again at once; alone, and beside hostile photos.

    Half of the decoding processes are kept busy by a photo that takes longer than the limit.
    """
    environment = {"SOLESCOPE_MAX_MEGAPIXELS": "1000", "SOLESCOPE_MAX_DECODE_SECONDS": "5", "SOLESCOPE_API_RATE": "0"}
    with server(environment) as (url, _):
        _wait_until_served(url)
        ask_api(url, data)
        alone = _rate(url, data, clients, seconds)
        hostile = threading.Thread(target=lambda: [ask_api(url, _slow_photo()) for _ in range(int(seconds / 5) + 1)])
        hostile.start()
        beside = _rate(url, data, clients, seconds)
        hostile.join()
    return alone, beside


def ask_api(url: str, data: bytes) -> int:
    """Status of the API's answer for a photo."""
    return httpx.post(f"{url}/api/predict", files={"file": ("photo", data)}, timeout=120).status_code


def _rate(url: str, data: bytes, clients: int, seconds: float) -> float:
    end = time.perf_counter() + seconds

    def ask_until_the_end(_: int) -> int:
        count = 0
        while time.perf_counter() < end:
            count += ask_api(url, data) == 200
        return count

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        answered = sum(pool.map(ask_until_the_end, range(clients)))
    return answered / (time.perf_counter() - started)


def _slow_photo(side: int = 10_000) -> bytes:
    """A run-length BMP of few bytes and many pixels, which Pillow unpacks in Python."""
    rows = b"\1\0\0\0" * side
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(rows), 0, 0, 1078) + header + bytes(1024) + rows


def main() -> None:
    data = photo()
    model = open_model(workspace(), DEFAULT_MODEL)
    decoded = images.decode(data)
    page = AppTest.from_file(str(PROJECT / "streamlit_app.py"), default_timeout=60).run()
    rows = [
        ("decode a 1-megapixel JPEG", milliseconds(lambda: images.decode(data), 50)),
        ("the same in a decoding process", milliseconds(lambda: photo_decoder.decode(data), 50)),
        ("bytes to top-3, 1-megapixel JPEG", milliseconds(lambda: predict_bytes(model, "photo", data), 100)),
        ("Grad-CAM of one class", milliseconds(lambda: gradcam(model, decoded, model.spec.classes[0]), 30)),
        ("page rerun, nothing changed", milliseconds(page.run, 20)),
    ]
    alone, beside = answers_per_second(data)
    to_page, answers = first_page_and_upload(data)
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print("| what | p50 | p95 |\n| --- | --- | --- |")
    for name, (p50, p95) in rows:
        print(f"| {name} | {p50:.1f} ms | {p95:.1f} ms |")
    print(f"| answers per second of the API, 10 clients | {alone:.1f} | |")
    print(f"| the same beside a client that sends photos that take too long | {beside:.1f} | |")
    print(f"| start to first page in the browser | {to_page:.1f} s | |")
    print(f"| upload to answer in the browser | {statistics.median(answers):.2f} s | {max(answers):.2f} s |")


if __name__ == "__main__":
    main()
