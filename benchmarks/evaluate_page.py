"""The Evaluate page with 10,500 photos: ``python -m benchmarks.evaluate_page`` from the project's folder.

A dataset of made-up photos, an evaluation of them with random answers (eight in ten right), a real server and a real
Chromium: how long the page takes to open, and from a click on a cell to its photos, and by how much the server's memory
grows. Needs Chromium, and Linux for the memory.
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
from sneaker_core.evaluation.evaluation_collection import Evaluation, Kind, write_evaluation
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import prediction_table
from sneaker_core.networks.decision import Outputs
from sneaker_core.networks.model_registry import DEFAULT_MODEL, open_model
from sneaker_core.workspace.paths import evaluations_folder
from tests.browser import open_browser, serve

NAME = "large"
RIGHT = 0.8
# The last thing that the part "Headline" shows.
LAST_CARD = "Baseline"
_PATIENCE = 60_000


def made_up(home: Path, photos: int) -> Dataset:
    """A dataset of photos of noise, in the classes of the bundled model."""
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


def answered(home: Path, dataset: Dataset) -> pd.DataFrame:
    """An evaluation of all its photos, with answers drawn at random; gives the table."""
    rng, model = np.random.default_rng(1), open_model(home, DEFAULT_MODEL)
    samples = read_samples(dataset)[["sample", "path", "label"]]
    numbers = samples["label"].map({label: place for place, label in enumerate(model.spec.classes)}).to_numpy()
    said = np.where(rng.random(len(samples)) < RIGHT, numbers, rng.integers(0, len(model.spec.classes), len(samples)))
    logits = rng.normal(0, 1, (len(samples), len(model.spec.classes))).astype(np.float32)
    logits[np.arange(len(samples)), said] += rng.uniform(1, 8, len(samples)).astype(np.float32)
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
    """Megabytes that the server has in memory."""
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
    page.get_by_text(shown).first.wait_for(timeout=_PATIENCE)
    return time.perf_counter() - started


def switch(page: Page, name: str, shown: str) -> float:
    """Seconds from a click on a part of the page until it shows a text."""
    settled(page)
    started = time.perf_counter()
    page.get_by_role("radio", name=name, exact=True).or_(
        page.get_by_role("button", name=name, exact=True)
    ).first.click()
    page.get_by_text(shown).first.wait_for(timeout=_PATIENCE)
    return time.perf_counter() - started


def click_pair(page: Page, place: int) -> float:
    """Seconds from a click on a confused pair, which is a click on its cell, to its photos."""
    settled(page)
    pair = page.get_by_role("button", name=re.compile(r"is taken for")).nth(place)
    label, predicted, count = re.match(r"(.*) is taken for (.*) in (\d+) of", pair.inner_text()).groups()  # type: ignore[union-attr]
    started = time.perf_counter()
    pair.click()
    page.get_by_text(
        re.compile(rf"^{count} of [\d,]+ photos of {re.escape(label)} taken for {re.escape(predicted)}")
    ).wait_for()
    page.get_by_role("button", name="Look closer").first.wait_for()
    return time.perf_counter() - started


def main() -> None:
    """Print what the page costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=10_500)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, log = Path(folder) / "home", Path(folder) / "server.log"
        table = answered(home, made_up(home, asked.photos))
        started = time.perf_counter()
        summary(table)
        print(f"{len(table):,} photos; all figures from the table: {time.perf_counter() - started:.2f} s")
        with serve(log, {"SOLESCOPE_WORKSPACE": str(home)}) as address, open_browser() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            small = "evaluate?evaluation=street22%2C+built+in"
            # What is imported once is no cost of this evaluation.
            open_page(page, address, small, LAST_CARD)
            switch(page, "Matrix", "Most confused pairs")
            settled(page)
            before = memory(log)
            large = f"evaluate?evaluation={NAME}"
            print(f"opens, for the first time: {open_page(page, address, large, LAST_CARD):.2f} s")
            settled(page)
            again = [open_page(page, address, large, LAST_CARD) for _ in range(5)]
            print(f"opens again: {statistics.median(again):.2f} s")
            shell = [open_page(page, address, "", "Identify") for _ in range(5)]
            print(f"the app's first page, to compare with: {statistics.median(shell):.2f} s")
            inside = []
            for _ in range(5):
                open_page(page, address, "runs", "Runs")
                settled(page)
                started = time.perf_counter()
                page.get_by_role("link", name="Evaluate").click()
                page.get_by_text(LAST_CARD).first.wait_for()
                inside.append(time.perf_counter() - started)
            print(f"opens from another page of the app: {statistics.median(inside):.2f} s")
            print(f"matrix: {switch(page, 'Matrix', 'Most confused pairs'):.2f} s")
            cells = [click_pair(page, place) for place in range(9)]
            print(f"a cell to its photos: median {statistics.median(cells):.2f} s, longest {max(cells):.2f} s")
            print(f"gallery: {switch(page, 'Gallery', 'mistakes reviewed'):.2f} s")
            settled(page)
            print(f"the server's memory grew by {memory(log) - before:.0f} MB, from {before:.0f} MB")


if __name__ == "__main__":
    main()
