"""What only a browser shows of pages that keep their place: its history, reloads, and links in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.networks.checkpoint import save_model
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.browser import PHONE, AppServer, new_page, settle
from tests.factories import draw_dataset, jpeg, lively_model, photo_of_class

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pages")
    for name, classes in (("alpha", {"boot": 2, "clog": 2}), ("shoes", {"boot": 6, "clog": 6, "sandal": 6})):
        import_photos(create_dataset(root / "workspace", name), draw_dataset(root / name, classes))
    folder = run_model_folder(runs_folder(root / "workspace") / "lively")
    save_model(lively_model(size=64), folder)
    for name, data in (("kept", "shoes"), ("newer", "alpha")):
        evaluate(folder, data, root / "workspace", name=name, neighbors=False)
    return root / "workspace"


@pytest.fixture(scope="module")
def address(workspace: Path, app_server: AppServer) -> Iterator[str]:
    with app_server.show(workspace) as address:
        yield address


def visit(page: Page, name: str) -> None:
    title = "What are those?" if name == "Identify" else name
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    settle(page)


def query(page: Page) -> str:
    return page.url.partition("?")[2]


def test_leaving_returning_back_forward_and_reload(browser: Browser, address: str):
    page = new_page(browser)
    page.goto(f"{address}/datasets")
    settle(page)
    expect(page).to_have_url(f"{address}/datasets?dataset=alpha")
    start = page.evaluate("history.length")
    box = page.get_by_test_id("stSelectbox").first.locator("input")
    box.click()
    page.get_by_role("option", name="shoes").click()
    settle(page)
    page.get_by_text("Photos", exact=True).first.click()
    settle(page)
    visit(page, "Evaluate")
    visit(page, "Datasets")
    # Four steps are four addresses; returning shows what was left.
    shown = ["dataset=alpha", "dataset=shoes", "dataset=shoes&section=Photos", "evaluation=newer"]
    assert (query(page), page.evaluate("history.length")) == (shown[2], start + 4)
    for expected in reversed(shown):
        page.go_back()
        settle(page)
        assert query(page) == expected
        if expected.startswith("dataset"):
            expect(box).to_have_value(expected.split("&")[0].removeprefix("dataset="))
    for expected in shown[1:]:
        page.go_forward()
        settle(page)
        assert query(page) == expected
    page.go_back()
    page.reload()
    settle(page)
    assert query(page) == shown[2] and box.input_value() == "shoes"
    page.close()


def test_photos_of_identify_over_page_changes_back_and_reload(browser: Browser, address: str):
    page = new_page(browser)
    page.goto(f"{address}/?model=lively")
    data = jpeg(photo_of_class(1, 3, (200, 150)))
    page.locator("input[type=file]").set_input_files([{"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": data}])
    photo = page.get_by_alt_text("Your photo mine.jpg")
    expect(photo).to_be_visible()
    settle(page)
    there = page.url
    answer = page.get_by_role("heading", level=2).inner_text()
    visit(page, "Datasets")
    visit(page, "Identify")
    expect(photo).to_be_visible()
    visit(page, "Datasets")
    page.go_back()
    expect(photo).to_be_visible()
    page.reload()
    expect(photo).to_be_visible()
    settle(page)
    assert (page.url, page.get_by_role("heading", level=2).inner_text()) == (there, answer)
    other = new_page(browser)
    other.goto(f"{address}/?model=lively")
    expect(other.get_by_role("heading", name="sneakers the model knows")).to_be_visible()
    assert other.get_by_alt_text("Your photo mine.jpg").count() == 0
    other.close()
    page.close()


def test_from_a_cell_to_its_photos_and_on_to_explain(browser: Browser, address: str, workspace: Path):
    wrong = misclassified(read_table(find_evaluation(workspace, "kept"))).iloc[0]
    page = new_page(browser)
    # Explain has shown something else before.
    page.goto(f"{address}/explain?dataset=alpha")
    settle(page)
    visit(page, "Evaluate")
    cell = f"true={wrong['label']}&predicted={wrong['predicted']}"
    page.goto(f"{address}/evaluate?evaluation=kept&view=Mistakes&{cell}")
    closer = page.get_by_role("button", name="Look closer").first
    expect(closer).to_be_visible()
    settle(page)
    # Beside the matrix, within the window.
    matrix, photos = page.locator(".js-plotly-plot").bounding_box(), closer.bounding_box()
    assert photos["x"] > matrix["x"] + matrix["width"] - 20 and photos["y"] < 900
    closer.click()
    page.get_by_role("link", name="Open in Explain").click()
    expect(page.get_by_alt_text("The photo, colored by evidence for").first).to_be_visible()
    settle(page)
    for part in ("evaluation=kept", "sample=", f"target={wrong['predicted']}", f"versus={wrong['label']}"):
        assert part in page.url
    expect(page.get_by_text(f"labeled {wrong['label']}")).to_be_visible()
    page.close()
    phone = new_page(browser, PHONE)
    phone.goto(f"{address}/evaluate?evaluation=kept&view=Mistakes&{cell}")
    # The heading of the cell's photos; the finding above the matrix is scrolled past.
    expect(phone.get_by_text(f"of {wrong['label']} predicted as {wrong['predicted']}").first).to_be_in_viewport()
    phone.close()
