"""The Runs page in a real Chromium on a real server: compared, renamed, deleted, brought back, used."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.run_collection import list_runs, runs_of
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import runs_folder
from tests.browser import AppServer, new_page, settle
from tests.factories import draw_dataset

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two finished runs."""
    folder = tmp_path_factory.mktemp("workspace")
    photos = draw_dataset(folder / "photos", {"boot": 12, "clog": 12})
    small = {"init": "none", "size": 32, "small_size": 32, "batch": 8, "val_share": 0.2, "test_share": 0.2, "epochs": 2}
    for name, rate in (("slow", 1e-4), ("fast", 5e-3)):
        made = make_recipe("quick", {**small, "learning_rate": rate})
        train(photos, made, runs_folder(folder) / name, folder)
    return folder


@pytest.fixture(scope="module")
def address(workspace: Path, app_server: AppServer) -> Iterator[str]:
    with app_server.show(workspace) as address:
        yield address


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).last.click()
    settle(page)


def test_compare_rename_delete_restore_and_use(browser: Browser, address: str, workspace: Path):
    page = new_page(browser)
    page.goto(f"{address}/runs")
    grid = page.locator("[data-testid=stDataFrameResizable]").first
    expect(grid).to_be_visible()
    settle(page)

    # The boxes before the first two rows, one right after the other.
    for row in (1, 2):
        grid.click(position={"x": 17, "y": 35 * row + 17})
    expect(page.get_by_text("1 setting differs")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace")).to_have_count(2)
    assert "runs=fast" in page.url
    assert "runs=slow" in page.url

    # The same after a reload; then one alone, by its name.
    page.reload()
    expect(page.get_by_text("1 setting differs")).to_be_visible()
    page.goto(f"{address}/runs?runs=slow")
    expect(page.get_by_role("heading", name="slow", exact=True)).to_be_visible()
    settle(page)
    page.get_by_label("Note").fill("the first try")
    press(page, "Save note")
    expect(page.get_by_text("Note saved.")).to_be_visible()
    assert next(run.note for run in list_runs(workspace) if run.name == "slow") == "the first try"

    press(page, "Rename")
    page.get_by_label("Name", exact=True).fill("steady")
    press(page, "Rename")
    expect(page.get_by_role("heading", name="steady", exact=True)).to_be_visible()
    assert {run.name for run in list_runs(workspace)} == {"fast", "steady"}

    press(page, "Delete")
    expect(page.get_by_text("will be moved to the bin with curves, notes and models")).to_be_visible()
    press(page, "Delete")
    expect(page.get_by_role("button", name="Bin (1)")).to_be_visible()
    assert [run.name for run in runs_of(workspace).deleted()] == ["steady"]
    press(page, "Bin (1)")
    press(page, "Restore")
    expect(page.get_by_role("heading", name="steady", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Bin (1)")).to_have_count(0)
    assert {run.name for run in list_runs(workspace)} == {"fast", "steady"}

    page.get_by_role("link", name="Use in Identify").click()
    expect(page.get_by_role("heading", name="What are those?")).to_be_visible()
    expect(page.get_by_role("combobox", name="Model")).to_have_value("steady")
    expect(page).to_have_url(f"{address}/?model=steady")
    page.close()
