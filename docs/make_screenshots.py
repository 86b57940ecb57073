"""Take the screenshots of every page: start the app on synthetic photos only, and drive Chromium.

``python docs/make_screenshots.py`` takes the pictures in docs/images; with ``--review FOLDER``, every page and state at
1280 and 390 px, in light and dark.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from playwright.sync_api import Browser, ConsoleMessage, Page, expect  # noqa: E402

from sneaker_core.datasets.dataset_collection import create_dataset  # noqa: E402
from sneaker_core.datasets.dataset_split import make_split  # noqa: E402
from sneaker_core.datasets.quality.scan import scan  # noqa: E402
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic  # noqa: E402
from sneaker_core.evaluation.evaluation_collection import find_evaluation  # noqa: E402
from sneaker_core.evaluation.evaluation_files import read_table  # noqa: E402
from sneaker_core.evaluation.evaluation_job import evaluate  # noqa: E402
from sneaker_core.evaluation.table_columns import misclassified  # noqa: E402
from sneaker_core.networks.bundled_models import DEFAULT_MODEL  # noqa: E402
from sneaker_core.networks.model_registry import open_model  # noqa: E402
from sneaker_core.training.recipe import make_recipe  # noqa: E402
from sneaker_core.training.train_model import train  # noqa: E402
from sneaker_core.workspace.paths import run_model_folder, runs_folder  # noqa: E402
from tests.browser import PATIENCE, new_page, open_browser, serve, settle  # noqa: E402

Scheme = Literal["light", "dark"]
IMAGES = PROJECT / "docs" / "images"
SAMPLE, KNOWS_IT = PROJECT / "data" / "samples" / "Retro Runner.jpg", "synthetic12"
DATASET, RUNS, EVALUATION = "Synthetic sneakers", ("Augmented", "Not augmented"), "Test photos"
DESKTOP, PHONE = (1280, 1100), (390, 1740)


@dataclass(frozen=True)
class Shot:
    """One screenshot.

    Attributes
    ----------
    name : str
        Of the file.
    address : str
        Relative to the app's.
    size : tuple of int
        Width and height in CSS pixels.
    prepare : callable, optional
        What to do on the page first.
    """

    name: str
    address: str
    size: tuple[int, int] = DESKTOP
    prepare: Callable[[Page], None] | None = None


def upload(page: Page) -> None:
    """Upload a synthetic sneaker, which the model of the address knows, and open "Why?"."""
    file = {"name": "my sneaker.jpg", "mimeType": "image/jpeg", "buffer": SAMPLE.read_bytes()}
    page.locator("input[type=file]").set_input_files([file])
    expect(page.locator(".annotation-text").first).to_be_visible()
    page.get_by_text("Why?", exact=True).click()
    expect(page.get_by_text("Opacity of the map").first).to_be_visible()


def upload_text(page: Page) -> None:
    """Upload a file that is not a photo."""
    page.locator("input[type=file]").set_input_files(
        [{"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"not a photo"}]
    )
    expect(page.get_by_text("notes.jpg").last).to_be_visible()


def address_of(page: str, **query: str | tuple[str, ...]) -> str:
    """The address of a page, relative to the app's."""
    return f"{page}?{urlencode(query, doseq=True)}"


def make_workspace(folder: Path) -> Path:
    """A workspace with a synthetic dataset, split and scanned, two models trained on it, and an evaluation."""
    dataset = create_dataset(folder, DATASET)
    make_synthetic(dataset)
    scan(dataset, open_model(folder, DEFAULT_MODEL))
    make_split(dataset, 0.15, 0.15)
    for name, changes in zip(RUNS, ({}, {"augmentation": "none"}), strict=True):
        train(DATASET, make_recipe("quick", changes), runs_folder(folder) / name, folder)
    evaluate(run_model_folder(runs_folder(folder) / RUNS[1]), DATASET, folder, "test", name=EVALUATION)
    return folder


def published_shots(workspace: Path) -> Iterator[Shot]:
    """The pictures that ship with the documentation."""
    wrong = str(misclassified(read_table(find_evaluation(workspace, EVALUATION)))["sample"].iloc[0])
    yield Shot("identify-desktop", address_of("", model=KNOWS_IT), (1280, 1200), prepare=upload)
    yield Shot("identify-phone", address_of("", model=KNOWS_IT), PHONE, prepare=upload)
    for section in ("Overview", "Findings", "Map"):
        yield Shot(f"datasets-{section.lower()}", address_of("datasets", dataset=DATASET, section=section))
    yield Shot("train", address_of("train", run=RUNS[0]))
    yield Shot("runs", address_of("runs", runs=RUNS))
    for name, section in (("summary", "Summary"), ("mistakes", "Mistakes"), ("trust", "Trust")):
        yield Shot(f"evaluate-{name}", address_of("evaluate", evaluation=EVALUATION, view=section))
    yield Shot("explain", address_of("explain", evaluation=EVALUATION, kind="stored", sample=wrong))


def reviewed_shots(workspace: Path) -> Iterator[Shot]:
    """Every page and section, with data and with links that lead nowhere."""
    wrong = str(misclassified(read_table(find_evaluation(workspace, EVALUATION)))["sample"].iloc[0])
    yield Shot("identify", "")
    yield Shot("identify-answer", address_of("", model=KNOWS_IT), prepare=upload)
    yield Shot("identify-unreadable", "", prepare=upload_text)
    for section in ("Overview", "Photos", "Findings", "Map", "Splits", "History", "Export"):
        yield Shot(f"datasets-{section.lower()}", address_of("datasets", dataset=DATASET, section=section))
    yield Shot("train-new", "train")
    yield Shot("train-watch", address_of("train", run=RUNS[0]))
    yield Shot("runs", "runs")
    yield Shot("runs-compared", address_of("runs", runs=RUNS))
    yield Shot("runs-search", address_of("runs", part="Hyperparameter search"))
    for section in ("Summary", "Mistakes", "Classes", "Trust", "Compare", "All evaluations"):
        name = f"evaluate-{section.lower().replace(' ', '-')}"
        yield Shot(name, address_of("evaluate", evaluation=EVALUATION, view=section))
    yield Shot("evaluate-photo", address_of("evaluate", evaluation=EVALUATION, view="Mistakes", photo=wrong))
    yield Shot("explain", "explain")
    yield Shot("explain-photo", address_of("explain", evaluation=EVALUATION, kind="stored", sample=wrong))
    for show in ("class-averages", "many"):
        yield Shot(f"explain-{show}", address_of("explain", show=show))
    for name, answers in (("question", ""), ("answer", "1"), ("score", "1" * 10)):
        question = "11" if name == "score" else "1"
        query = {"evaluation": EVALUATION, "seed": "1", "question": question, "answers": answers}
        yield Shot(f"quiz-{name}", address_of("quiz", **query))


def lost_shots() -> Iterator[Shot]:
    """Pages of an empty workspace, and links to what is gone."""
    for page in ("datasets", "train", "runs", "evaluate", "explain", "quiz"):
        yield Shot(f"empty-{page}", page)
    yield Shot("gone-dataset", address_of("datasets", dataset="gone"))
    yield Shot("gone-run", address_of("train", run="gone"))
    yield Shot("gone-runs", address_of("runs", runs="gone"))
    yield Shot("gone-evaluation", address_of("evaluate", evaluation="gone"))
    yield Shot("gone-explain", address_of("explain", dataset="gone", sample="gone", model="gone"))


def _is_ours(message: ConsoleMessage) -> bool:
    """Whether the page complains; Streamlit looks for its server below the page's address before the root."""
    return message.type == "error" and "_stcore" not in str(message.location.get("url"))


def take(browser: Browser, address: str, shot: Shot, file: Path, scheme: Scheme) -> None:
    """Open a page and save what it shows; print what the browser complains about."""
    page = new_page(browser, shot.size, scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if _is_ours(message) else None)
    page.goto(f"{address}/{shot.address}")
    page.get_by_role("heading").first.wait_for()
    settle(page)
    if shot.prepare:
        shot.prepare(page)
    page.mouse.move(0, shot.size[1] - 1)
    page.wait_for_timeout(2000)
    settle(page)
    page.wait_for_timeout(700)
    page.screenshot(path=file, timeout=PATIENCE)
    if page.evaluate("document.documentElement.scrollWidth") > shot.size[0]:
        complaints.append("wider than the window")
    if page.locator("[data-testid=stException]").count():
        complaints.append("an exception is shown")
    for complaint in complaints:
        print(f"{file.name}: {complaint}")
    page.close()


@contextmanager
def running(workspace: Path, log: Path) -> Iterator[tuple[str, Browser]]:
    """The app on a workspace, and a browser."""
    with serve(log, {"SOLESCOPE_WORKSPACE": str(workspace)}) as address, open_browser() as browser:
        yield address, browser


def review(workspace: Path, log: Path, out: Path) -> None:
    """Take every page and state at two widths in two color schemes."""
    out.mkdir(parents=True, exist_ok=True)
    tours = ((workspace, list(reviewed_shots(workspace))), (workspace.parent / "empty", list(lost_shots())))
    for folder, shots in tours:
        with running(folder, log) as (address, browser):
            for scheme in ("light", "dark"):
                for size in (DESKTOP, PHONE):
                    for shot in shots:
                        sized = Shot(shot.name, shot.address, size, shot.prepare)
                        take(browser, address, sized, out / f"{shot.name}-{size[0]}-{scheme}.png", scheme)
        print(log.read_text()[-500:] if "Traceback" in log.read_text() else "")


def main() -> None:
    """Take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--review", type=Path, metavar="FOLDER")
    parser.add_argument("--workspace", type=Path, help="reuse this workspace, or make it there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = asked.workspace or Path(folder) / "workspace"
        if not (workspace / "evaluations").is_dir():
            make_workspace(workspace)
        log = Path(folder) / "server.log"
        if asked.review:
            review(workspace, log, asked.review)
            return
        IMAGES.mkdir(parents=True, exist_ok=True)
        with running(workspace, log) as (address, browser):
            for shot in published_shots(workspace):
                take(browser, address, shot, IMAGES / f"{shot.name}.png", "light")


if __name__ == "__main__":
    main()
