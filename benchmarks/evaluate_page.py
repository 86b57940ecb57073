"""Measure the Evaluate page with 10,500 photos: ``python -m benchmarks.evaluate_page`` in the project folder.

Creates a dataset of random images and an evaluation with random predictions (80% correct), then drives a real server
with Chromium. Measures how long the page takes to open and to show the photos of a cell, and how much the memory of the
server grows. Needs Chromium; memory is measured on Linux only.
"""

import argparse
import io
import re
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from playwright.sync_api import Page, expect

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.evaluation.evaluation_files import write_evaluation
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import prediction_table
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.decision import Outputs
from sneaker_core.networks.model_registry import open_model
from sneaker_core.workspace.paths import evaluations_folder
from tests.browser import open_browser, serve

NAME = "large"
ACCURACY = 0.8
# The last card of the section "Summary".
LAST_CARD = "Baseline"
_TIMEOUT = 60_000


def random_dataset(home: Path, photos: int) -> Dataset:
    """A dataset of noise images, with the classes of the bundled model."""
    rng, classes = np.random.default_rng(0), open_model(home, DEFAULT_MODEL).spec.classes
    folder = home / "photos"
    for number in range(photos):
        buffer = io.BytesIO()
        pixels = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((200, 150), Image.Resampling.BICUBIC).save(buffer, "JPEG")
        place = folder / classes[number % len(classes)] / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(buffer.getvalue())
    dataset = create_dataset(home, "shoes")
    import_photos(dataset, folder)
    return dataset


def random_evaluation(home: Path, dataset: Dataset) -> pd.DataFrame:
    """Save an evaluation of a dataset with random predictions; returns its table."""
    rng, model = np.random.default_rng(1), open_model(home, DEFAULT_MODEL)
    samples = read_samples(dataset)[["sample", "path", "label"]]
    numbers = samples["label"].map({label: place for place, label in enumerate(model.spec.classes)}).to_numpy()
    predicted = np.where(
        rng.random(len(samples)) < ACCURACY, numbers, rng.integers(0, len(model.spec.classes), len(samples))
    )
    logits = rng.normal(0, 1, (len(samples), len(model.spec.classes))).astype(np.float32)
    logits[np.arange(len(samples)), predicted] += rng.uniform(1, 8, len(samples)).astype(np.float32)
    embeddings = rng.normal(0, 1, (len(samples), model.references.shape[1])).astype(np.float32)
    table = prediction_table(model, samples, Outputs(logits, np.zeros(len(samples), np.float32) - 9, embeddings))
    evaluation = Evaluation(
        NAME,
        Kind.STORED,
        evaluations_folder(home) / NAME,
        model=DEFAULT_MODEL,
        data=dataset.name,
        dataset_folder=dataset.folder,
        n=len(table),
        top1=float((table["label"] == table["predicted"]).mean()),
        created=time.time(),
    )
    write_evaluation(evaluation, table, embeddings)
    return table


def memory(log: Path) -> float:
    """Resident memory of the server in megabytes."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if b"streamlit" in arguments and (process / "fd" / "1").resolve() == log.resolve():
                return int(re.findall(r"VmRSS:\s+(\d+)", (process / "status").read_text())[0]) / 1024
        except (OSError, IndexError):
            continue
    return float("nan")


def settled(page: Page) -> None:
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)


def open_page(page: Page, address: str, query: str, shown: str) -> float:
    """Seconds until an address shows a text."""
    started = time.perf_counter()
    page.goto(f"{address}/{query}")
    page.get_by_text(shown).first.wait_for(timeout=_TIMEOUT)
    return time.perf_counter() - started


def switch(page: Page, name: str, shown: str) -> float:
    """Seconds from a click on a section until it shows a text."""
    settled(page)
    started = time.perf_counter()
    page.get_by_role("radio", name=name, exact=True).or_(
        page.get_by_role("button", name=name, exact=True)
    ).first.click()
    page.get_by_text(shown).first.wait_for(timeout=_TIMEOUT)
    return time.perf_counter() - started


def click_pair(page: Page, place: int) -> float:
    """Seconds from a click on a common error, which selects its cell, to its photos."""
    settled(page)
    pair = page.get_by_role("button", name=re.compile(r" predicted as ")).nth(place)
    label, predicted, count = re.match(r"(.*) predicted as (.*) \((\d+) of", pair.inner_text()).groups()  # type: ignore[union-attr]
    started = time.perf_counter()
    pair.click()
    page.get_by_text(
        re.compile(rf"^{count} of [\d,]+ photos of {re.escape(label)} predicted as {re.escape(predicted)}")
    ).wait_for()
    page.get_by_role("button", name="Look closer").first.wait_for()
    return time.perf_counter() - started


def main() -> None:
    """Print how long the page takes and how much memory it needs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=10_500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, log = Path(folder) / "home", Path(folder) / "server.log"
        table = random_evaluation(home, random_dataset(home, options.photos))
        started = time.perf_counter()
        summary(table)
        print(f"{len(table):,} photos; all metrics: {time.perf_counter() - started:.2f} s")
        with serve(log, {"SOLESCOPE_WORKSPACE": str(home)}) as address, open_browser() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            small = "evaluate?evaluation=street72%2C+built+in"
            # Imports are not part of the measurement.
            open_page(page, address, small, LAST_CARD)
            switch(page, "Mistakes", "Most common errors")
            settled(page)
            before = memory(log)
            large = f"evaluate?evaluation={NAME}"
            print(f"first open: {open_page(page, address, large, LAST_CARD):.2f} s")
            settled(page)
            again = [open_page(page, address, large, LAST_CARD) for _ in range(5)]
            print(f"open again: {statistics.median(again):.2f} s")
            shell = [open_page(page, address, "", "Identify") for _ in range(5)]
            print(f"the app's first page, for comparison: {statistics.median(shell):.2f} s")
            inside = []
            for _ in range(5):
                open_page(page, address, "runs", "Runs")
                settled(page)
                started = time.perf_counter()
                page.get_by_role("link", name="Evaluate").click()
                page.get_by_text(LAST_CARD).first.wait_for()
                inside.append(time.perf_counter() - started)
            print(f"open from another page: {statistics.median(inside):.2f} s")
            print(f"matrix: {switch(page, 'Mistakes', 'Most common errors'):.2f} s")
            cells = [click_pair(page, place) for place in range(9)]
            print(f"photos of a cell: median {statistics.median(cells):.2f} s, longest {max(cells):.2f} s")
            print(f"mistakes: {switch(page, 'Mistakes', 'mistakes reviewed'):.2f} s")
            settled(page)
            print(f"server memory: +{memory(log) - before:.0f} MB, from {before:.0f} MB")


if __name__ == "__main__":
    main()
