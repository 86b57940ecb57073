"""The Datasets page in a real Chromium on a real server: a newcomer's whole way, by mouse, by keyboard, on a phone."""

import csv
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sneaker_core.datasets.dataset_collection import create_dataset, datasets_of, find_dataset, list_datasets
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.review_log import history
from sneaker_core.datasets.synthetic.demo_dataset import make_synthetic
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import open_model
from sneaker_core.workspace.jobs import list_jobs, stop_job
from tests.browser import DESKTOP, PHONE, new_page, settle
from tests.factories import draw_dataset, jpeg, photo

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def ready(tmp_path_factory) -> Path:
    """A workspace with a drawn dataset that was scanned, to be copied."""
    workspace = tmp_path_factory.mktemp("ready")
    dataset = create_dataset(workspace, "drawn")
    make_synthetic(dataset, per_class=8)
    scan(dataset, open_model(workspace, DEFAULT_MODEL))
    return workspace


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(home, app_server) -> Iterator[str]:
    with app_server.show(home) as address:
        yield address


@pytest.fixture
def workspace(home) -> Path:
    """The server's workspace, empty."""
    for dataset in list_datasets(home):
        for job in list_jobs(dataset.folder / "jobs"):
            stop_job(job.folder)
    for path in home.iterdir():
        shutil.rmtree(path, ignore_errors=True)
    return home


@pytest.fixture
def drawn(workspace, ready) -> Dataset:
    shutil.copytree(ready, workspace, dirs_exist_ok=True)
    return find_dataset(workspace, "drawn")


def opened(browser: Browser, address: str, query: str = "", size: tuple[int, int] = DESKTOP) -> Page:
    page = new_page(browser, size)
    page.goto(f"{address}/datasets{query}")
    expect(page.get_by_role("heading", name="Datasets", exact=True)).to_be_visible()
    settle(page)
    return page


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def section(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).or_(button(page, name)).first.click()
    settle(page)


def ticks(page: Page) -> Locator:
    """What people click to choose a photo; the box itself is hidden behind its drawing."""
    return page.locator("[data-testid=stCheckbox] label")


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*.jpg")):
            archive.write(path, path.relative_to(folder.parent).as_posix())
        archive.writestr("shoes/boot/notes.txt", "no photo")
    return buffer.getvalue()


class TestFirstVisit:
    def test_from_nothing_to_findings(self, browser, address, workspace):
        page = opened(browser, address)
        button(page, "Create a synthetic dataset").click()
        # The work outlives a reload, and what is there when it is stopped can be used.
        expect(page.get_by_role("progressbar").first).to_be_visible()
        page.reload()
        expect(page.get_by_text(re.compile(r"[1-9]\d* of \d+"))).to_be_visible()
        # Streamlit has a "Stop" of its own, in its header, while the app runs.
        button(page, "Stop").last.click()
        expect(button(page, "Check photos")).to_be_visible()
        assert len(read_samples(find_dataset(workspace, list_datasets(workspace)[0].name))) > 0
        page.close()

    def test_an_archive_of_ones_own(self, browser, address, workspace, tmp_path):
        create_dataset(workspace, "mine")
        shoes = draw_dataset(tmp_path / "shoes", {"boot": 4, "<script>": 3})
        page = opened(browser, address, "?dataset=mine")
        page.get_by_role("radio", name="Zip file").click()
        expect(page.locator("input[type=file]")).to_have_count(1)
        settle(page)
        page.locator("input[type=file]").set_input_files(
            {"name": "shoes.zip", "mimeType": "application/zip", "buffer": zipped(shoes)}
        )
        expect(button(page, "Import")).to_be_enabled()
        settle(page)
        button(page, "Import").click()
        expect(page.get_by_text("7 photos imported, 1 file rejected.")).to_be_visible()
        samples = read_samples(find_dataset(workspace, "mine"))
        assert samples["label"].value_counts().to_dict() == {"boot": 4, "<script>": 3}
        page.close()


class TestReview:
    def test_exclude_and_undo(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn&section=Findings")
        ticks(page).first.click()
        settle(page)
        button(page, "Exclude").click()
        expect(page.get_by_text("1 photo excluded.")).to_be_visible()
        assert read_samples(drawn)["excluded"].sum() == 1
        button(page, "Undo").first.click()
        expect(page.get_by_text("1 photo excluded.")).to_have_count(0)
        assert read_samples(drawn)["excluded"].sum() == 0
        page.close()

    def test_by_keyboard_alone(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn&section=Photos")
        page.locator("[data-testid=stCheckbox] input").first.focus()
        page.keyboard.press("Space")
        settle(page)
        button(page, "Exclude").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 photo excluded.")).to_be_visible()
        assert read_samples(drawn)["excluded"].sum() == 1
        page.close()

    def test_two_people_at_once_lose_nothing(self, browser, address, drawn):
        pages = [opened(browser, address, "?dataset=drawn&section=Photos") for _ in range(2)]
        for page, tick in zip(pages, (0, 3), strict=True):
            ticks(page).nth(tick).click()
            settle(page)
        for page in pages:
            button(page, "Exclude").click()
            expect(page.get_by_text("1 photo excluded.")).to_be_visible()
        assert read_samples(drawn)["excluded"].sum() == 2
        assert history(drawn)["author"].nunique() == 2
        for page in pages:
            page.close()

    def test_a_closer_look_and_another_class(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn&section=Photos")
        button(page, "Look closer").first.click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        expect(dialog.get_by_text("384 × 288").or_(dialog.get_by_text("pixels")).first).to_be_visible()
        page.close()


class TestAddress:
    def test_follows_the_section_and_survives_a_reload(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn")
        section(page, "Splits")
        expect(page).to_have_url(re.compile("dataset=drawn.*section=Splits|section=Splits.*dataset=drawn"))
        page.reload()
        expect(page.get_by_role("heading", name=re.compile("Create a"))).to_be_visible()
        page.close()

    def test_the_open_photo_is_in_the_address(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn&section=Photos")
        dialog = page.get_by_role("dialog")
        button(page, "Look closer").first.click()
        expect(dialog.get_by_text(re.compile("^1 of "))).to_be_visible()
        expect(page).to_have_url(re.compile("photo=[0-9a-f]+"))
        first = page.url
        page.keyboard.press("ArrowRight")
        expect(dialog.get_by_text(re.compile("^2 of "))).to_be_visible()
        page.reload()
        expect(dialog.get_by_text(re.compile("^2 of "))).to_be_visible()
        page.go_back()
        expect(dialog.get_by_text(re.compile("^1 of "))).to_be_visible()
        assert page.url == first
        page.go_forward()
        expect(dialog.get_by_text(re.compile("^2 of "))).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(page).not_to_have_url(re.compile("photo="))
        page.close()

    def test_a_link_to_what_is_gone_says_so(self, browser, address, drawn, workspace):
        page = opened(browser, address, "?dataset=drawn&section=Photos&photo=gone")
        expect(page.get_by_role("dialog").get_by_text("This photo isn't in the dataset.")).to_be_visible()
        page.close()
        shutil.rmtree(drawn.folder)
        page = opened(browser, address, "?dataset=drawn")
        expect(page.get_by_text("which isn't here")).to_be_visible()
        expect(button(page, "Create a synthetic dataset")).to_be_visible()
        page.close()


class TestMap:
    def test_a_box_drawn_on_the_map_shows_its_photos(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn&section=Map")
        plot = page.locator(".js-plotly-plot .nsewdrag").first
        expect(plot).to_be_visible()
        page.wait_for_timeout(1000)
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        page.locator("[data-title='Box Select']").click()
        page.mouse.move(box["x"] + 3, box["y"] + 3)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] - 3, steps=8)
        page.mouse.up()
        expect(button(page, "Look closer").first).to_be_visible()
        page.close()


class TestTakingAlong:
    def test_the_table_holds_what_is_in_use(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn&section=Export")
        with page.expect_download() as waiting:
            page.get_by_role("button", name=re.compile("CSV")).first.click()
        rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
        assert {row["sample"] for row in rows} == set(read_samples(drawn)["sample"])
        page.close()

    def test_to_the_bin_and_back(self, browser, address, drawn, workspace):
        page = opened(browser, address, "?dataset=drawn")
        button(page, "More").click()
        page.get_by_role("menuitem", name="Delete").or_(page.get_by_text("Delete", exact=True)).first.click()
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        expect(button(page, "Create a synthetic dataset")).to_be_visible()
        assert not list_datasets(workspace) and len(datasets_of(workspace).deleted()) == 1
        page.close()


class TestLooks:
    def test_nothing_is_wider_than_a_phone(self, browser, address, drawn):
        page = opened(browser, address, "?dataset=drawn", PHONE)
        for name in ("Overview", "Photos", "Findings", "Map", "Splits", "History", "Export"):
            section(page, name)
            width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
            problems = page.locator("[data-testid=stException]").count()
            assert (width <= PHONE[0], problems) == (True, 0), name
        page.close()

    def test_a_damaged_index_is_told_kindly(self, browser, address, drawn):
        (drawn.folder / "index.sqlite").write_bytes(jpeg(photo(0)))
        page = opened(browser, address)
        expect(page.get_by_text("damaged", exact=False).first).to_be_visible()
        page.close()
