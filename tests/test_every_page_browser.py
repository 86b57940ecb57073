"""Every page in Chromium, with class and file names that hold markup: names as they are written, and texts to read."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from sneaker_core.datasets.dataset_collection import create_dataset
from sneaker_core.datasets.quality.scan import scan
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.evaluation.evaluation_job import evaluate
from sneaker_core.evaluation.quiz.questions import choose_questions
from sneaker_core.evaluation.quiz.votes import add_vote
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import open_model
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.browser import DESKTOP, PHONE, AppServer, new_page, settle
from tests.factories import draw_dataset
from ui.evaluate.evaluate_sections import ALL_EVALUATIONS, SECTIONS
from ui.kit import page_links
from ui.kit.page_links import page_address
from ui.teach.teach_choices import EMPTY

pytestmark = pytest.mark.timeout(900)

MARKUP = 'Air "One" <b>&amp;</b> $x$ :joy: **50%**'.replace("/", "∕")
# As Plotly, Markdown, HTML, LaTeX or a formula would show parts of it.
MISREAD = re.compile(r"&quot;|&lt;|&#|&amp;amp;|Air \"One\" &|<b>& |😂|:joy: 50%|\*\*50%\\\*")
# A class that a chart could take for a number.
NUMBER = "574"

DATASET_SECTIONS = ("Overview", "Photos", "Findings", "Map", "Splits", "History", "Export")
ADDRESSES = [
    *(page_address(page_links.Page.DATASETS, dataset="shoes", section=section) for section in DATASET_SECTIONS),
    page_address(page_links.Page.TEACH, model="first"),
    page_address(page_links.Page.TEACH, start=EMPTY),
    page_address(page_links.Page.CATALOG, brand="Converse"),
    page_address(page_links.Page.CATALOG, shoe="Air Jordan 2"),
    page_address(page_links.Page.TRAIN),
    page_address(page_links.Page.TRAIN, run="first"),
    page_address(page_links.Page.RUNS),
    page_address(page_links.Page.RUNS, runs="first") + "&runs=second",
    page_address(page_links.Page.RUNS, runs_part="Hyperparameter search"),
    *(page_address(page_links.Page.EVALUATE, evaluation="kept", view=view) for view in (*SECTIONS, ALL_EVALUATIONS)),
    *(
        page_address(page_links.Page.EXPLAIN, dataset="shoes", model="first", show=show)
        for show in ("one", "class-averages", "many")
    ),
    *(
        page_address(page_links.Page.QUIZ, evaluation="kept", seed="1", answers=answers, question=question)
        for answers, question in ((None, None), ("1", "1"), ("1" * 10, "11"))
    ),
]

# Texts in charts, which axe doesn't check: text, its color, and the color of the page or the mark behind it.
CHART_TEXTS = """() => [...document.querySelectorAll('.js-plotly-plot text')]
    .filter(text => text.textContent.trim() && text.getBoundingClientRect().width)
    .map(text => [text.textContent, getComputedStyle(text).fill, getComputedStyle(document.querySelector('.stApp'))
        .backgroundColor])"""
WHITE = "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, app_server: AppServer) -> Iterator[str]:
    """A workspace with two trained runs, a scanned dataset and an evaluation, all with such names."""
    home = tmp_path_factory.mktemp("markup")
    photos = draw_dataset(home / "photos", {MARKUP: 14, NUMBER: 14, "clog": 8})
    for path in list(photos.rglob("*.jpg")):
        path.rename(path.with_name(f"{MARKUP} {path.name}"))
    dataset = create_dataset(home, "shoes")
    import_photos(dataset, photos)
    small = {"init": "none", "network": "mobilenet_v2", "size": 32, "small_size": 32, "batch": 8, "epochs": 2}
    for seed, name in enumerate(("first", "second")):
        recipe = make_recipe("quick", {**small, "val_share": 0.2, "test_share": 0.2, "seed": seed})
        train("shoes", recipe, runs_folder(home) / name, home)
    scan(dataset, open_model(home, DEFAULT_MODEL))
    kept = evaluate(run_model_folder(runs_folder(home) / "first"), "shoes", home, name="kept")
    for question in 4 * choose_questions(kept.table, seed=1):
        add_vote(home, kept.evaluation, question, MARKUP if MARKUP in question.options else NUMBER)
    with app_server.show(home) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One page for all addresses."""
    page = new_page(browser)
    yield page
    page.close()


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colors written as rgb(…), after WCAG 2.2."""

    def luminance(color: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("scheme", "place"), [*(("light", place) for place in ADDRESSES), *(("dark", place) for place in ADDRESSES[::4])]
)
def test_names_are_shown_as_written_and_texts_can_be_read(page: Page, address: str, scheme: str, place: str):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/{place}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settle(page)
    text = page.inner_text("body")
    assert "Traceback" not in text
    assert MISREAD.findall(text) == []
    assert page.locator(".katex").count() == 0

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical") or each["id"] == "heading-order"]
    assert [(each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"]) for each in serious] == []
    # White is for counts on cells, whose colors are dark in both themes.
    texts = [each for each in page.evaluate(CHART_TEXTS) if each[1] != WHITE]
    assert [each for each in texts if contrast(each[1], each[2]) < 4.5] == []


def test_a_question_of_the_quiz_fits_a_phone_and_is_answered_with_a_key(browser: Browser, address: str):
    page = new_page(browser, PHONE)
    page.goto(f"{address}/{page_address(page_links.Page.QUIZ, evaluation='kept', seed='1')}")
    options = page.locator("[class*=st-key-quiz_option-] button")
    expect(options).to_have_count(3)
    settle(page)
    for box in [options.nth(number).bounding_box() for number in range(3)]:
        assert box["height"] >= 44 and box["width"] > 300 and box["y"] + box["height"] <= PHONE[1]
    picture = page.locator("[class*=st-key-quiz_photo] img").bounding_box()
    page.keyboard.press("2")
    expect(page.get_by_text("You said")).to_be_visible()
    expect(page.get_by_alt_text("Heat map of the photo")).to_be_visible()
    settle(page)
    assert page.locator("[class*=st-key-quiz_photo] img").bounding_box() == picture
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("2 of ")).to_be_visible()
    settle(page)  # the address is in the browser's history once the page has run
    page.go_back()
    expect(page.get_by_text("You said")).to_be_visible()
    settle(page)
    page.reload()
    expect(page.get_by_text("You said")).to_be_visible()
    page.close()


def test_the_catalog_on_a_phone(page: Page, address: str):
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    for shown in ({"list": "Shoe types"}, {"shoe": "Air Jordan 2"}):
        page.goto(f"{address}/{page_address(page_links.Page.CATALOG, **shown)}")
        expect(page.get_by_role("heading", level=2)).to_be_visible()
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
