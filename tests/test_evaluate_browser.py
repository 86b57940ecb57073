"""The Evaluate page in Chromium on a real server: from a cell to its photos, to the details, to a corrected label."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.index import Dataset, read_samples, set_fact
from sneaker_core.datasets.review_log import history
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.evaluation.confusion_matrix import confusion_matrix
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.evaluation_record import EVALUATION_FILE
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.networks.checkpoint import save_model
from sneaker_core.workspace.paths import evaluations_folder, run_model_folder, runs_folder
from tests.browser import DESKTOP, PHONE, new_page, settle
from tests.factories import draw_dataset, lively_model
from ui.evaluate.evaluate_sections import ALL_EVALUATIONS, SECTIONS

NAME = "first"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def ready(tmp_path_factory) -> Path:
    """A workspace with a dataset, a model and its evaluation, to be copied."""
    root = tmp_path_factory.mktemp("ready")
    workspace, model = root / "workspace", run_model_folder(runs_folder(root / "workspace") / "first run")
    import_photos(
        create_dataset(workspace, "shoes"), draw_dataset(root / "photos", {"boot": 8, "clog": 8, "sandal": 6})
    )
    save_model(lively_model(), model)
    evaluate(model, "shoes", workspace, name=NAME)
    return workspace


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(home, app_server) -> Iterator[str]:
    with app_server.show(home) as address:
        yield address


@pytest.fixture
def shoes(home, ready) -> Dataset:
    """The dataset, in a fresh copy of the server's workspace."""
    for path in home.iterdir():
        # The server may close a database meanwhile, and its files go away.
        shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(ready, home, dirs_exist_ok=True)
    file = evaluations_folder(home) / NAME / EVALUATION_FILE
    file.write_text(file.read_text().replace(str(ready), str(home)))
    dataset = find_dataset(home, "shoes")
    # The server distinguishes a dataset from an earlier one in the same folder by its creation time.
    with dataset.changing() as db:
        set_fact(db, "created", time.time())
    return dataset


@pytest.fixture
def worst(home, shoes) -> dict[str, object]:
    """The most frequently confused pair."""
    return summary(read_table(find_evaluation(home, NAME)))["confusions"][0]


def opened(browser: Browser, address: str, query: str, size: tuple[int, int] = DESKTOP) -> Page:
    page = new_page(browser, size)
    go(page, f"{address}/evaluate{query}", "Evaluate")
    return page


def go(page: Page, address: str, title: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    settle(page)


def button(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def cell(page: Page, label: str, predicted: str) -> Locator:
    """The square of a cell; marks are in the order of the figure's data."""
    page.locator(".js-plotly-plot .scatterlayer path.point").first.wait_for()
    place = page.evaluate(
        """([label, predicted]) => {
            const marks = document.querySelector(".js-plotly-plot").data.flatMap(trace => trace.customdata || []);
            return marks.findIndex(mark => mark[0] === label && mark[1] === predicted);
        }""",
        [label, predicted],
    )
    assert place >= 0
    return page.locator(".js-plotly-plot .scatterlayer path.point").nth(place)


def click_cell(page: Page, label: str, predicted: str) -> None:
    square = cell(page, label, predicted)
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.wait_for_timeout(200)
    page.mouse.down()
    page.mouse.up()
    settle(page)


def choose_by_keyboard(page: Page, box: str, label: str) -> None:
    page.get_by_role("combobox", name=re.compile(box)).focus()
    page.keyboard.type(label)
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    settle(page)


def undo_on_the_datasets_page(page: Page, address: str, *, by_keyboard: bool) -> None:
    go(page, f"{address}/datasets?dataset=shoes&section=History", "Datasets")
    if by_keyboard:
        button(page, "Undo").first.focus()
        page.keyboard.press("Enter")
    else:
        button(page, "Undo").first.click()
    expect(button(page, "Undo").first).to_be_disabled()


class TestFromCellToLabel:
    def test_by_mouse(self, browser, address, shoes, worst):
        label, predicted, count = worst["label"], worst["predicted"], worst["count"]
        page = opened(browser, address, f"?evaluation={NAME}&view=Mistakes")
        framed = (
            "[...document.querySelectorAll('.point')].filter(e => getComputedStyle(e).strokeWidth === '3px').length"
        )
        square = cell(page, label, predicted)
        assert page.evaluate(framed) == 0
        click_cell(page, label, predicted)
        # Only the selected cell is outlined.
        expect(square).to_have_css("stroke-width", "3px")
        assert page.evaluate(framed) == 1
        expect(button(page, "Look closer")).to_have_count(count)
        button(page, "Look closer").first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Evidence for", exact=False)).to_have_count(2)
        button(dialog, "Label is wrong: relabel").click()
        page.get_by_role("button", name="Relabel", exact=True).click()
        expect(dialog.get_by_text(f"1 photo relabeled to {predicted}.")).to_be_visible()
        before = (read_samples(shoes)["original_label"] == label).sum()
        assert (read_samples(shoes)["label"] == label).sum() == before - 1
        undo_on_the_datasets_page(page, address, by_keyboard=False)
        assert (read_samples(shoes)["label"] == label).sum() == before
        page.close()

    def test_by_keyboard_alone(self, browser, address, shoes, worst):
        label, predicted, count = worst["label"], worst["predicted"], worst["count"]
        page = opened(browser, address, f"?evaluation={NAME}&view=Mistakes")
        choose_by_keyboard(page, "True class", label)
        choose_by_keyboard(page, "Predicted class", predicted)
        expect(button(page, "Look closer")).to_have_count(count)
        button(page, "Look closer").first.focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("Evidence for", exact=False)).to_have_count(2)
        button(dialog, "Label is wrong: relabel").focus()
        page.keyboard.press("Enter")
        relabel = page.get_by_role("button", name="Relabel", exact=True)
        relabel.wait_for()
        relabel.focus()
        page.keyboard.press("Enter")
        expect(dialog.get_by_text(f"1 photo relabeled to {predicted}.")).to_be_visible()
        assert history(shoes)["label"].tolist() == [predicted]
        settle(page)
        # The focused button disappeared with its popover, so the focus moves back to the dialog.
        dialog.get_by_role("button", name="Close").focus()
        page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)
        undo_on_the_datasets_page(page, address, by_keyboard=True)
        page.close()

    def test_every_cell_opens_as_many_photos_as_it_counts(self, browser, address, home, shoes):
        counts = confusion_matrix(read_table(find_evaluation(home, NAME)))
        page = opened(browser, address, f"?evaluation={NAME}&view=Mistakes")
        for label in counts.index:
            for predicted in counts.columns[counts.loc[label] > 0]:
                click_cell(page, label, predicted)
                expect(button(page, "Look closer")).to_have_count(int(counts.loc[label, predicted]))
        page.close()

    def test_a_desktop_shows_all_of_the_matrix(self, browser, address, shoes):
        page = opened(browser, address, "?evaluation=street72,+built+in&view=Mistakes")
        frame = page.locator("[class*=st-key-evaluate_matrix][class*=-frame]").first
        frame.locator(".js-plotly-plot .scatterlayer path.point").first.wait_for()
        assert frame.evaluate("one => one.scrollWidth <= one.clientWidth")
        page.close()

    def test_the_selection_survives_a_new_figure_and_a_reload(self, browser, address, home, shoes, worst):
        page = opened(browser, address, f"?evaluation={NAME}&view=Mistakes")
        click_cell(page, worst["label"], worst["predicted"])
        page.get_by_text("Only errors").click()
        settle(page)
        page.get_by_role("radio", name="Percentages").or_(button(page, "Percentages")).first.click()
        settle(page)
        expect(button(page, "Look closer")).to_have_count(worst["count"])
        page.reload()
        expect(button(page, "Look closer")).to_have_count(worst["count"])
        # The same cell opens again after the selection was cleared.
        button(page, "Clear selection").click()
        expect(button(page, "Look closer")).to_have_count(len(misclassified(read_table(find_evaluation(home, NAME)))))
        click_cell(page, worst["label"], worst["predicted"])
        expect(button(page, "Look closer")).to_have_count(worst["count"])
        page.close()


class TestPhotoDetails:
    def test_the_address_survives_a_reload_and_is_cleared_on_close(self, browser, address, shoes):
        page = opened(browser, address, f"?evaluation={NAME}&view=Mistakes")
        button(page, "Look closer").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        expect(page).to_have_url(re.compile("photo="))
        page.reload()
        expect(page.get_by_role("dialog")).to_be_visible()
        settle(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page).not_to_have_url(re.compile("photo="))
        page.close()


class TestLayout:
    def test_nothing_is_wider_than_a_phone(self, browser, address, shoes):
        page = opened(browser, address, "?evaluation=street72,+built+in", PHONE)
        for view in (*SECTIONS, ALL_EVALUATIONS):
            page.get_by_role("radio", name=view, exact=True).or_(button(page, view)).first.click()
            settle(page)
            width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
            problems = page.locator("[data-testid=stException]").count()
            assert (width <= PHONE[0], problems) == (True, 0), view
        page.close()

    def test_on_a_phone_the_matrix_scrolls_sideways(self, browser, address, shoes):
        page = opened(browser, address, "?evaluation=street72,+built+in&view=Mistakes", PHONE)
        frame = page.locator("[class*=st-key-evaluate_matrix][class*=-frame]").first
        frame.locator(".js-plotly-plot .scatterlayer path.point").first.wait_for()
        assert frame.evaluate("one => one.scrollWidth > one.clientWidth")
        # Cells keep their width, so marks do not overlap.
        assert frame.locator(".js-plotly-plot").evaluate("one => one.clientWidth") > PHONE[0]
        page.close()

    def test_the_report_can_be_downloaded(self, browser, address, shoes, tmp_path):
        page = opened(browser, address, f"?evaluation={NAME}&view=Summary")
        with page.expect_download() as waiting:
            page.get_by_role("button", name=re.compile("Download report")).click()
        text = Path(waiting.value.path()).read_text(encoding="utf-8")
        assert "lively on shoes" in text
        page.close()
