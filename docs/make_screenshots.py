"""Make the screenshots of the documents: run the app in Chromium, with synthetic photos only.

Run ``python docs/make_screenshots.py [light|dark]`` in the project folder.
"""

import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from playwright.sync_api import Browser, Page, expect  # noqa: E402

from sneaker_core.datasets.dataset_collection import create_dataset  # noqa: E402
from sneaker_core.datasets.dataset_split import make_split  # noqa: E402
from sneaker_core.datasets.quality.scan import scan  # noqa: E402
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic  # noqa: E402
from sneaker_core.evaluation.evaluation_collection import find_evaluation  # noqa: E402
from sneaker_core.evaluation.evaluation_files import read_table  # noqa: E402
from sneaker_core.evaluation.evaluation_job import evaluate  # noqa: E402
from sneaker_core.evaluation.table_columns import misclassified  # noqa: E402
from sneaker_core.networks.model_registry import DEFAULT_MODEL, open_model  # noqa: E402
from sneaker_core.training.recipe import make_recipe  # noqa: E402
from sneaker_core.training.train_model import train  # noqa: E402
from sneaker_core.workspace.paths import run_model_folder, runs_folder  # noqa: E402
from tests.browser import open_browser, serve  # noqa: E402
from tests.drawing import draw_sneaker  # noqa: E402

Scheme = Literal["light", "dark"]
IMAGES = PROJECT / "docs" / "images"
PATIENCE = 180_000
SEED = 6
EVALUATION = "whole on drawn"
SIZES = {"desktop": (1280, 1200), "phone": (390, 1740)}


def drawn(seed: int) -> bytes:
    """A synthetic photo of a sneaker as JPEG."""
    buffer = BytesIO()
    draw_sneaker(seed).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def settled(page: Page) -> None:
    """Wait until the app has stopped running and the chart has been drawn."""
    expect(page.locator(".annotation-text").first).to_be_visible()
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)
    page.wait_for_timeout(500)


def take(browser: Browser, address: str, name: str, scheme: Scheme) -> None:
    """Upload a synthetic photo, open "Why?" and save a screenshot."""
    width, height = SIZES[name]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator("input[type=file]").set_input_files(
        {"name": "my sneaker.jpg", "mimeType": "image/jpeg", "buffer": drawn(SEED)}
    )
    settled(page)
    page.get_by_text("Why?", exact=True).click()
    expect(page.get_by_alt_text("Your photo with colours")).to_be_visible()
    settled(page)
    page.mouse.move(0, height - 1)
    page.screenshot(path=IMAGES / f"identify-{name}{'' if scheme == 'light' else '-dark'}.png", timeout=PATIENCE)
    context.close()


def take_page(browser: Browser, address: str, heading: str, name: str, size: tuple[int, int], scheme: Scheme) -> None:
    """Open a page with the synthetic dataset and save a screenshot."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_role("heading", name=heading, exact=True).wait_for()
    page.wait_for_timeout(3000)
    expect(page.locator("[data-test-script-state=running]")).to_have_count(0)
    page.wait_for_timeout(1000)
    page.screenshot(path=IMAGES / f"{name}{'' if scheme == 'light' else '-dark'}.png", timeout=PATIENCE)
    context.close()


def drawn_workspace(folder: Path) -> Path:
    """A workspace with the synthetic dataset, split and scanned, and two models trained on it."""
    dataset = create_dataset(folder, "drawn")
    make_synthetic(dataset)
    scan(dataset, open_model(folder, DEFAULT_MODEL))
    make_split(dataset, 0.15, 0.15)
    for name, changes in (("views", {}), ("whole", {"augmentation": "none"})):
        train(dataset.name, make_recipe("quick", changes), runs_folder(folder) / name, folder)
    evaluate(run_model_folder(runs_folder(folder) / "whole"), dataset.name, folder, name=EVALUATION)
    return folder


def addressed(page: str, **query: object) -> str:
    """The path and query of a page."""
    return f"{page}?{urlencode(query)}"


def mistake(workspace: Path) -> str:
    """The most confidently misclassified photo of the evaluation."""
    return str(misclassified(read_table(find_evaluation(workspace, EVALUATION)))["sample"].iloc[0])


def main(scheme: Scheme) -> None:
    """Make all screenshots."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder:
        workspace = drawn_workspace(Path(folder) / "workspace")
        with (
            serve(Path(folder) / "server.log", {"SOLESCOPE_WORKSPACE": str(workspace)}) as address,
            open_browser() as browser,
        ):
            for name in SIZES:
                take(browser, address, name, scheme)
            for section, size in (("Overview", (1280, 1060)), ("Findings", (1280, 1000)), ("Map", (1280, 900))):
                where = f"{address}/datasets?dataset=drawn&section={section}"
                take_page(browser, where, "Datasets", f"datasets-{section.lower()}", size, scheme)
            take_page(browser, f"{address}/train?run=views", "Train", "train-watch", (1280, 1300), scheme)
            take_page(browser, f"{address}/runs?runs=views&runs=whole", "Runs", "runs", (1280, 1100), scheme)
            for view in ("Headline", "Matrix", "Gallery"):
                where = f"{address}/{addressed('evaluate', evaluation=EVALUATION, view=view)}"
                take_page(browser, where, "Evaluate", f"evaluate-{view.lower()}", (1280, 1100), scheme)
            sample = mistake(workspace)
            where = f"{address}/{addressed('evaluate', evaluation=EVALUATION, view='Gallery', photo=sample)}"
            take_page(browser, where, "Evaluate", "evaluate-case", (1280, 1100), scheme)
            where = f"{address}/{addressed('explain', evaluation=EVALUATION, kind='stored', sample=sample)}"
            take_page(browser, where, "Explain", "explain", (1280, 1300), scheme)


if __name__ == "__main__":
    main("dark" if sys.argv[1:] == ["dark"] else "light")
