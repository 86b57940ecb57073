"""The Train page in a real Chromium on a real server: started, left, found again, stopped, gone on with, used."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic
from sneaker_core.training.run_collection import find_run, list_runs
from sneaker_core.workspace.jobs import stop_job
from sneaker_core.workspace.paths import run_job_folder, runs_folder
from tests.browser import DESKTOP, PHONE, go_to, new_page, settle

RUN = "by-hand"
# Long enough to be stopped while it learns.
EPOCHS = 1000

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Iterator[Path]:
    workspace = tmp_path_factory.mktemp("home")
    make_synthetic(create_dataset(workspace, "drawn"), per_class=8)
    yield workspace
    for run in list_runs(workspace):
        stop_job(run_job_folder(run.folder))


@pytest.fixture(scope="module")
def address(home, app_server) -> Iterator[str]:
    with app_server.show(home, forbidden="Uncaught app") as address:
        yield address


def opened(browser: Browser, address: str, query: str = "", size: tuple[int, int] = DESKTOP) -> Page:
    page = new_page(browser, size)
    page.goto(f"{address}/train{query}")
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    settle(page)
    return page


def button(page: Page, name: str) -> Locator:
    # Streamlit has a "Stop" of its own, in its header, while the app runs.
    return page.get_by_role("button", name=name, exact=True).and_(page.locator("button:not([kind=header])"))


def fill(page: Page, label: str, value: object) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    settle(page)


class TestWay:
    """One person's way, in the order of the tests."""

    def test_start_leave_and_come_back(self, browser, address, home):
        page = opened(browser, address)
        page.locator("[data-testid=stCheckbox] label").filter(has_text="Advanced").click()
        settle(page)
        fill(page, "Photo size in pixels", 32)
        fill(page, "Epochs", EPOCHS)
        fill(page, "Batch size", 2)
        fill(page, "Run name", RUN)
        button(page, "Start training").click()
        expect(page.get_by_role("progressbar").first).to_be_visible()
        expect(page).to_have_url(re.compile(rf"run={RUN}"), timeout=30_000)
        # By itself, without a click, the page tells of the first epochs.
        expect(page.get_by_text("Validation accuracy is").first).to_be_visible()
        expect(page.locator(".js-plotly-plot")).to_have_count(2)
        go_to(page, "Datasets")
        go_to(page, "Train")
        expect(page.locator(".js-plotly-plot")).to_have_count(2)
        assert not find_run(home, RUN).state.ended
        page.close()

    def test_another_browser_stops_it(self, browser, address, home):
        page = opened(browser, address, f"?run={RUN}")
        button(page, "Stop").click()
        button(page, "Stop and keep the best model").click()
        expect(page.get_by_text("The best model so far is ready to use")).to_be_visible()
        assert find_run(home, RUN).has_model
        page.close()

    def test_it_goes_on_and_is_stopped_again(self, browser, address, home):
        page = opened(browser, address, f"?run={RUN}")
        button(page, "Resume").click()
        # "Epoch" also stands beside the charts of the stopped run; a reload before the run starts would lose the click.
        expect(button(page, "Stop")).to_be_visible()
        page.reload()
        button(page, "Stop").click()
        button(page, "Stop and keep the best model").click()
        expect(button(page, "Resume")).to_be_visible()
        page.close()

    def test_use_in_identify(self, browser, address, home):
        page = opened(browser, address, f"?run={RUN}")
        page.get_by_role("link", name="Use in Identify").click()
        expect(page.get_by_role("heading", name="What are those?")).to_be_visible()
        settle(page)
        expect(page.get_by_role("combobox", name="Model")).to_have_value(RUN)
        photo = read_samples(find_dataset(home, "drawn"))["path"].iloc[0]
        page.locator("input[type=file]").first.set_input_files(photo)
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        page.close()


class TestLooks:
    @pytest.mark.parametrize("query", ["", f"?run={RUN}"])
    def test_nothing_is_wider_than_a_phone(self, browser, address, home, query):
        page = opened(browser, address, query, PHONE)
        if query:
            expect(page.locator(".js-plotly-plot")).to_have_count(2)
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= PHONE[0]
        assert not page.locator("[data-testid=stException]").count()
        page.close()

    def test_a_run_that_goes_away_while_it_is_watched(self, browser, address, home):
        page = opened(browser, address, f"?run={RUN}")
        expect(page.locator(".js-plotly-plot")).to_have_count(2)
        shutil.rmtree(runs_folder(home) / RUN)
        page.reload()
        expect(button(page, "Start training")).to_be_visible()
        page.close()
