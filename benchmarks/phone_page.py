"""The page for phones in Chromium: ``python -m benchmarks.phone_page --home FOLDER`` in the project folder.

For street72's exports in both formats: how far the page's answers to test photos are from those of Python, and how
many frames of a camera it answers in a second, with a drawn clip as the camera. The photos are the first of each world.
``--shots FOLDER`` keeps a picture of each live page. ``--home`` is the workspace that ``benchmarks.street72`` prepared;
needs npm and ``SOLESCOPE_REAL_DATA``.
"""

import argparse
import functools
import http.server
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from playwright.sync_api import Page, sync_playwright

from benchmarks.export_formats import formats
from benchmarks.street72 import photos_of
from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import Split
from sneaker_core.inference.phone_page.page_build import build_page
from sneaker_core.inference.predictor import MAX_TOP, predict_file
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.video.sample_clip import write_sample_clip
from sneaker_core.workspace.paths import BUNDLED_MODELS
from tests.browser import PATIENCE, PHONE
from tests.fake_camera import open_with_camera

PER_WORLD, SECONDS = 17, 20
ANSWER = """async path => {
    const {model} = await import("./page.js");
    const {answer, failure} = await model.photo(await (await fetch(path)).blob());
    return failure ?? answer;
}"""
# The number of frames that are answered in so many milliseconds, from the first answer on.
COUNT = """async milliseconds => {
    const {model} = await import("./page.js"), frame = model.frame.bind(model);
    let count = -1, first;
    const started = new Promise(resolve => (first = resolve));
    model.frame = async (...given) => {
        const reply = await frame(...given);
        if (++count === 0) first();
        return reply;
    };
    document.getElementById("camera").click();
    await started;
    await new Promise(resolve => setTimeout(resolve, milliseconds));
    return count;
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder as a web host does; yields its address."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def disagreement(page: Page, model: SneakerModel, photos: pd.DataFrame) -> tuple[int, float]:
    """Of how many photos the first guess differs from Python's, and the largest difference of a probability."""
    different, farthest = 0, 0.0
    for number, path in enumerate(photos["path"]):
        ours = predict_file(model, Path(path), MAX_TOP).top
        found: Any = page.evaluate(ANSWER, f"../photos/{number}{Path(path).suffix}")
        theirs = {guess["label"]: guess["probability"] for guess in found["top"]}
        different += ours[0].label != found["top"][0]["label"]
        farthest = max(farthest, *(abs(guess.probability - theirs.get(guess.label, 0)) for guess in ours))
    return different, farthest


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--shots", type=Path)
    asked = parser.parse_args()
    test = photos_of(asked.home, BUNDLED_MODELS / DEFAULT_MODEL)[0][Split.TEST].sort_values("sample")
    photos = test.groupby(WORLD).head(PER_WORLD)
    print(f"| format | different first guess, of {len(photos)} | largest difference | frames a second |")
    print("| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        root = Path(place)
        write_sample_clip(root / "clip.mp4")
        (root / "photos").mkdir()
        for number, path in enumerate(photos["path"]):
            (root / "photos" / f"{number}{Path(path).suffix}").symlink_to(Path(path).resolve())
        models = formats(BUNDLED_MODELS / DEFAULT_MODEL, root)
        with open_with_camera(playwright.chromium, root / "clip.mp4", root) as browser, serve_folder(root) as address:
            for name in ("onnx", "onnx-int8"):
                build_page(root, root / f"{name}.onnx", root / name)
                page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
                page.set_default_timeout(PATIENCE)
                page.goto(f"{address}{name}/")
                page.get_by_role("progressbar").wait_for(state="hidden")
                different, farthest = disagreement(page, models[name][0], photos)
                answered = page.evaluate(COUNT, 1000 * SECONDS)
                if asked.shots:
                    asked.shots.mkdir(parents=True, exist_ok=True)
                    time.sleep(0.5)
                    page.screenshot(path=asked.shots / f"{name}.png")
                page.close()
                print(f"| {name} | {different} | {farthest:.4f} | {answered / SECONDS:.1f} |", flush=True)


if __name__ == "__main__":
    main()
