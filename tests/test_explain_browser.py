"""The Explain page in a real Chromium on a real server: chosen, asked, passed on, checked, taken along."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sneaker_core import images
from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset
from sneaker_core.datasets.index import read_samples
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.table_columns import misclassified
from sneaker_core.inference.explanation.attributions import gradcam
from sneaker_core.networks.checkpoint import load_model, save_model
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.browser import DESKTOP, PHONE, AppServer, new_page, settle
from tests.factories import draw_dataset, jpeg, lively_model, photo_of_class
from tests.test_browser import check_looks
from ui.kit import page_links

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a model of its own, a dataset, and an evaluation of the one on the other."""
    root = tmp_path_factory.mktemp("house")
    folder = run_model_folder(runs_folder(root / "workspace") / "lively")
    save_model(lively_model(size=64), folder)
    import_photos(
        create_dataset(root / "workspace", "shoes"),
        draw_dataset(root / "photos", {"boot": 7, "clog": 5, "sandal": 14}),
    )
    evaluate(folder, "shoes", root / "workspace", name="kept", neighbors=False)
    return root / "workspace"


@pytest.fixture(scope="module")
def address(workspace: Path, app_server: AppServer) -> Iterator[str]:
    with app_server.show(workspace) as address:
        yield address


def opened(browser: Browser, address: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Page:
    page = new_page(browser, size, scheme)
    page.goto(address)
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible()
    settle(page)
    return page


def maps(page: Page) -> Locator:
    """The pictures that explain; the first is the large one."""
    return page.get_by_alt_text("The photo, colored by evidence for")


def explain_link(**query: str) -> str:
    return page_links.page_address(page_links.Page.EXPLAIN, dataset="shoes", model="lively", **query)


def telling(address: str, workspace: Path) -> str:
    """A link to a photo and a class whose map marks something: in a network that learnt nothing, not all do."""
    model = load_model(run_model_folder(runs_folder(workspace) / "lively"))
    for row in read_samples(find_dataset(workspace, "shoes")).itertuples():
        photo = images.load(Path(str(row.path)))
        for target in model.spec.classes:
            if gradcam(model, photo, target).max() > 0:
                return f"{address}/{explain_link(sample=str(row.sample), target=target)}"
    raise AssertionError("no map marks anything")


def link(address: str, workspace: Path, label: str = "boot", **query: str) -> str:
    table = read_samples(find_dataset(workspace, "shoes"))
    sample = table.loc[table["label"] == label, "sample"].iloc[0]
    return f"{address}/{explain_link(sample=sample, **query)}"


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["light-desktop", "dark-phone"])
def test_a_link_to_a_photo_and_its_looks(browser: Browser, address: str, workspace: Path, size, scheme):
    page = opened(browser, link(address, workspace, target="sandal", versus="clog"), size, scheme)
    expect(maps(page)).to_have_count(4)
    assert maps(page).first.get_attribute("alt").endswith("sandal compared with clog")
    expect(maps(page).first).to_have_js_property("complete", True)
    assert maps(page).first.evaluate("e => e.naturalWidth") > 0
    expect(page.get_by_alt_text("Color scale")).to_be_visible()
    check_looks(page)
    # On a desktop the photo stands beside its map, on a phone above it.
    photo = page.get_by_alt_text(re.compile(r"^The photo .*\d\d\.jpg$")).bounding_box()
    heat = maps(page).first.bounding_box()
    assert photo is not None
    assert heat is not None
    assert (photo["x"] + photo["width"] <= heat["x"]) == (size == DESKTOP)
    assert (photo["y"] + photo["height"] <= heat["y"]) == (size == PHONE)
    page.close()


def test_chosen_by_keyboard_reloaded_and_passed_on(browser: Browser, address: str):
    page = opened(browser, f"{address}/explain")
    expect(page.get_by_text("26 photos to choose from")).to_be_visible()
    button = page.get_by_role("button", name="Explain", exact=True).nth(2)
    button.focus()
    page.keyboard.press("Enter")
    expect(maps(page).first).to_be_visible()
    settle(page)
    assert "sample=" in page.url
    first = maps(page).first.get_attribute("src")
    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    settle(page)
    expect(maps(page).first).not_to_have_attribute("src", first or "")
    shown, there = page.url, maps(page).first.get_attribute("alt")
    page.reload()
    expect(maps(page).first).to_be_visible()
    settle(page)
    assert (page.url, maps(page).first.get_attribute("alt")) == (shown, there)
    # The browser's "Back" leads to the photo before.
    other = opened(browser, shown)
    expect(maps(other).first).to_be_visible()
    assert maps(other).first.get_attribute("alt") == there
    for each in (page, other):
        each.close()


def test_strength_and_method_change_the_picture(browser: Browser, address: str, workspace: Path):
    page = opened(browser, link(address, workspace))
    expect(maps(page).first).to_be_visible()
    settle(page)
    before = maps(page).first.get_attribute("src")
    slider = page.get_by_role("slider", name="Opacity of the map")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(maps(page).first).not_to_have_attribute("src", before or "")
    settle(page)
    page.get_by_role("radio", name="Occlusion").click()
    expect(page.get_by_text("Covers one area after another")).to_be_visible()
    settle(page)
    expect(maps(page)).to_have_count(1)
    assert "method=occlusion" in page.url
    page.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_map_is_checked_beside_the_page(browser: Browser, address: str, workspace: Path, size):
    page = opened(browser, telling(address, workspace), size)
    expect(maps(page).first).to_be_visible()
    page.get_by_text("Check this map").click()
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(3)
    expect(page.get_by_text("With shuffled weights the map")).to_be_visible()
    settle(page)
    check_looks(page)
    page.close()


def test_a_class_on_the_whole(browser: Browser, address: str):
    page = opened(browser, f"{address}/explain?show=class-averages&evaluation=kept")
    page.get_by_role("button", name="Average").click()
    expect(page.get_by_alt_text("Average map of").first).to_be_visible()
    expect(page.get_by_alt_text("Average photo of").first).to_be_visible()
    settle(page)
    check_looks(page)
    # Found again, without a word, in another browser.
    other = opened(browser, page.url, PHONE)
    expect(other.get_by_alt_text("Average map of").first).to_be_visible()
    check_looks(other)
    for each in (page, other):
        each.close()


def test_a_class_taken_along(browser: Browser, address: str, tmp_path: Path):
    page = opened(browser, f"{address}/explain?show=many")
    page.get_by_role("button", name="Explain 7 photos").click()
    save = page.get_by_role("button", name="Download zip file")
    expect(save).to_be_visible()
    settle(page)
    check_looks(page)
    with page.expect_download() as download:
        save.click()
    download.value.save_as(tmp_path / "maps.zip")
    with zipfile.ZipFile(tmp_path / "maps.zip") as archive:
        assert archive.testzip() is None
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 7
    page.get_by_role("button", name="Delete").click()
    expect(save).to_have_count(0)
    page.close()


def test_from_why_to_this_page_and_back(browser: Browser, address: str):
    page = new_page(browser)
    page.goto(address)
    expect(page.get_by_role("heading", name="What are those?")).to_be_visible()
    data = jpeg(photo_of_class(1, 3, (200, 150)))
    page.locator("input[type=file]").set_input_files([{"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": data}])
    page.get_by_text("Why?", exact=True).first.click()
    expect(page.get_by_text("Color in a sensible place")).to_be_visible()
    settle(page)
    page.get_by_role("link", name="More on the Explain page").click()
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible()
    settle(page)
    expect(page.get_by_text("mine.jpg")).to_be_visible()
    expect(maps(page).first).to_be_visible()
    settle(page)
    check_looks(page)
    page.go_back()
    expect(page.get_by_role("heading", name="What are those?")).to_be_visible()
    # Forward leads to the uploaded photo again.
    page.go_forward()
    expect(maps(page).first).to_be_visible()
    expect(page.get_by_role("radio", name="Upload")).to_be_checked()
    page.close()


def test_from_an_evaluation_to_this_page_and_back(browser: Browser, address: str, workspace: Path):
    wrong = misclassified(read_table(find_evaluation(workspace, "kept"))).iloc[0]
    page = new_page(browser)
    page.goto(f"{address}/evaluate?evaluation=kept&view=Mistakes&photo={wrong['sample']}")
    page.get_by_text("Open in Explain").click()
    expect(maps(page).first).to_be_visible()
    settle(page)
    assert "evaluation=kept" in page.url
    assert f"sample={wrong['sample']}" in page.url
    assert "view=" not in page.url
    # Evaluated with another model than the default one.
    expect(page.get_by_role("combobox", name="Model")).to_have_value("lively")
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_role("heading", name="Evaluate", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", name="Mistakes")).to_be_checked()
    expect(page.get_by_role("combobox", name="Evaluation")).to_have_value("kept")
    page.close()


def test_one_press_of_back_leads_to_the_page_before(browser: Browser, address: str):
    page = new_page(browser)
    page.goto(f"{address}/evaluate")
    page.get_by_role("radio", name="Trust").click()
    for title in ("Datasets", "Runs", "Explain"):
        settle(page)
        page.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    for title in ("Runs", "Datasets", "Evaluate"):
        settle(page)
        page.go_back()
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    expect(page.get_by_role("radio", name="Trust")).to_be_checked()
    page.close()


def test_back_and_forward_restore_what_was_shown(browser: Browser, address: str, workspace: Path):
    page = opened(browser, link(address, workspace))
    expect(maps(page).first).to_be_visible()
    settle(page)
    first = page.url
    page.get_by_role("radio", name="Guided Grad-CAM").click()
    expect(page).to_have_url(re.compile("method=guided_gradcam"))
    settle(page)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("2 of 26")).to_be_visible()
    settle(page)
    last = page.url
    page.go_back()
    expect(page.get_by_text("1 of 26")).to_be_visible()
    settle(page)
    expect(page.get_by_role("radio", name="Guided Grad-CAM")).to_be_checked()
    page.go_back()
    expect(page.get_by_role("radio", name="Grad-CAM", exact=True)).to_be_checked()
    settle(page)
    assert page.url.startswith(first)
    page.go_forward()
    settle(page)
    page.go_forward()
    expect(page.get_by_text("2 of 26")).to_be_visible()
    assert page.url == last
    page.close()
