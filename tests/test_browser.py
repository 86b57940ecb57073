"""The Identify page in a real Chromium on a real server: what can only be tested in a browser."""

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sneaker_core.inference.predictor import Answer, predict_file
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import load_model, save_model
from sneaker_core.networks.decision import Reason, Status
from sneaker_core.workspace.paths import BUNDLED_MODELS, run_model_folder, runs_folder
from tests.browser import DESKTOP, PATIENCE, PHONE, new_page, settle
from tests.drawing import draw_sneaker
from ui.kit.state_keys import KitKey

ANY_ANSWER = re.compile(
    r"^(Almost certainly an? |Probably an? |An? .*, probably |Not sure: "
    r"|This doesn't look like a sneaker the model knows|There is no shoe in this photo"
    r"|A shoe, but not a sneaker this model knows)"
)

VERDICT = f".st-key-{KitKey.FINDING} h2"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def address(tiny_model, app_server, tmp_path_factory) -> Iterator[str]:
    """The app with the bundled models and, in a separate workspace, the tiny one."""
    workspace = tmp_path_factory.mktemp("workspace")
    save_model(tiny_model, run_model_folder(runs_folder(workspace) / "tiny"))
    with app_server.show(workspace) as address:
        yield address


def file(name: str, data: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def drawn(seed: int = 0) -> bytes:
    buffer = BytesIO()
    draw_sneaker(seed).save(buffer, "JPEG")
    return buffer.getvalue()


def real_photo() -> Path | None:
    """A photo of an Air Jordan 4 from SOLESCOPE_REAL_DATA, if it is set."""
    folder = os.environ.get("SOLESCOPE_REAL_DATA")
    return min((Path(folder) / "sneakers40" / "Air Jordan 4").iterdir()) if folder else None


def opened(
    browser: Browser, address: str, size: tuple[int, int] = DESKTOP, scheme: str = "light", model: str = DEFAULT_MODEL
) -> Page:
    page = new_page(browser, size, scheme)
    page.goto(f"{address}?model={model}")
    expect(page.get_by_role("heading", name="sneakers the model knows")).to_be_visible()
    return page


def upload(page: Page, *files: dict[str, object]) -> None:
    page.locator("input[type=file]").set_input_files(list(files))


def open_why(page: Page) -> None:
    page.get_by_text("Why?", exact=True).first.click()
    expect(page.get_by_text("Color in a sensible place")).to_be_visible()


def check_looks(page: Page) -> None:
    """The page doesn't scroll sideways, shows no stack trace, and every picture has alternative text."""
    assert "Traceback" not in page.inner_text("body")
    assert (
        page.evaluate(
            "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).overflowX !== 'visible'"
            " && ['auto', 'scroll'].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth + 1"
            # The sidebar while it is closed.
            " && !e.closest('[data-testid=stSidebar][data-collapsed=true]'))"
            ".map(e => e.outerHTML.slice(0, 200))"
        )
        == []
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.querySelectorAll('section img')].filter(e => e.alt === '').length") == 0


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["light-desktop", "dark-phone"])
def test_from_photo_to_answer_to_explanation(browser, address, size, scheme):
    photo = real_photo()
    page = opened(browser, address, size, scheme, DEFAULT_MODEL if photo else "tiny")
    check_looks(page)
    upload(page, file("mine.jpg", photo.read_bytes() if photo else drawn()))
    headline = page.locator(VERDICT)
    expect(headline).to_have_text(ANY_ANSWER)
    chart = page.get_by_test_id("stPlotlyChart")
    expect(chart.locator(".annotation-text").first).to_be_visible()
    if photo:
        assert "Air Jordan 4" in chart.inner_text()
    open_why(page)
    overlay = page.get_by_alt_text("Your photo, colored where it speaks for")
    expect(overlay).to_be_visible()
    assert 0 < overlay.evaluate("e => e.naturalWidth") <= 640
    assert page.get_by_alt_text("Your photo mine.jpg").evaluate("e => e.naturalWidth") <= 640
    check_looks(page)
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_labels_of_the_bars_can_be_read(browser, address, scheme):
    # The tiny model names everything; the bundled one may see no sneaker in a drawing, and shows no bars then.
    page = opened(browser, address, scheme=scheme, model="tiny")
    upload(page, file("a.jpg", drawn()))
    label = page.locator(".annotation-text").first
    expect(label).to_be_visible()
    fill = label.evaluate("e => getComputedStyle(e).fill")
    brightness = sum(map(int, re.findall(r"\d+", fill)[:3])) / 3
    assert brightness < 90 if scheme == "light" else brightness > 165
    page.close()


def test_broken_file_beside_a_good_one(browser, address):
    page = opened(browser, address, PHONE)
    upload(page, file("holiday.jpg", b"not a photo"), file("good.jpg", drawn()), file("empty.png", b""))
    expect(page.get_by_role("heading", name=re.compile(r"^3 photos: 1 .*, 2 unreadable$"))).to_be_visible()
    expect(page.get_by_text("holiday.jpg: This is not a photo")).to_be_visible()
    expect(page.get_by_text("empty.png: The file is empty.")).to_be_visible()
    expect(page.get_by_role("heading", level=3).filter(has_text=ANY_ANSWER)).to_have_count(1)
    check_looks(page)
    page.close()


def test_names_are_shown_literally(browser, address):
    name = "1. :material/check: :joy: **b** _c_ <b>&lt; $x$ www.a.b.jpg".replace("/", "∕")
    page = opened(browser, address)
    upload(page, file(name, drawn()))
    caption = page.get_by_test_id("stCaptionContainer").filter(has_text="www").first
    expect(caption).to_be_visible()
    assert caption.inner_text().replace("\u2060", "").strip() == name
    assert caption.locator("a, b, strong, .katex, [role=img]").count() == 0
    page.close()


def test_download_of_many(browser, address):
    page = opened(browser, address)
    upload(page, file("=cmd.jpg", drawn()), file("b.jpg", drawn(1)))
    expect(page.get_by_role("heading", name="2 photos: ")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download CSV").click()
    assert "'=cmd.jpg" in saved.value.path().read_text()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download JSON").click()
    answers = json.loads(saved.value.path().read_text())
    assert [found["image"] for found in answers] == ["=cmd.jpg", "b.jpg"]
    page.close()


def test_keyboard_alone_opens_why(browser, address):
    page = opened(browser, address)
    upload(page, file("a.jpg", drawn()))
    expect(page.get_by_text("Why?", exact=True)).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('[class*=identify_why]') !== null"):
            break
    page.keyboard.press("Space")
    expect(page.get_by_text("Color in a sensible place")).to_be_visible()
    page.close()


def test_nothing_is_fetched_from_elsewhere(browser, address):
    page = browser.new_context().new_page()
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(address) else None)
    page.goto(address)
    expect(page.get_by_role("heading", name="sneakers the model knows")).to_be_visible(timeout=PATIENCE)
    assert [url for url in elsewhere if not url.startswith(("data:", "blob:", "ws://localhost"))] == []
    page.context.close()


def test_a_deep_link_as_the_first_request_gets_the_whole_app(browser, address):
    page = new_page(browser)
    page.goto(f"{address}/identify")
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()
    expect(page.get_by_test_id("stHeaderLogo")).to_be_visible()
    assert page.title().startswith("SoleScope")
    page.close()


def test_the_camera_takes_a_photo_and_it_is_answered(browser, address):
    # Chromium's fake camera shows a moving test pattern, not a sneaker.
    page = opened(browser, address, PHONE)
    assert page.locator("video").count() == 0
    page.get_by_role("button", name="Use the camera").click()
    settle(page)  # a run that ends now would draw the camera anew
    page.wait_for_function("document.querySelector('video')?.readyState >= 2")
    page.get_by_role("button", name="Take Photo").click()
    expect(page.locator(VERDICT)).to_have_text(ANY_ANSWER)
    expect(page.get_by_alt_text("Your photo Camera photo.jpg")).to_be_visible()
    check_looks(page)
    page.close()


_SHIFTS = """window.shift = 0;
new PerformanceObserver(list => { for (const one of list.getEntries()) window.shift += one.value; })
    .observe({type: 'layout-shift', buffered: true});"""
_GIVE = """([kind, data]) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const given = new DataTransfer();
    given.items.add(new File([bytes], 'given.jpg', {type: 'image/jpeg'}));
    const event = kind === 'paste'
        ? new ClipboardEvent(kind, {clipboardData: given, bubbles: true, cancelable: true})
        : new DragEvent(kind, {dataTransfer: given, bubbles: true, cancelable: true});
    document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_the_verdict_of_a_given_photo_is_in_sight_and_stays_where_it_is(browser, address, kind):
    page = opened(browser, address, PHONE, model="tiny")
    settle(page)
    # Slowly, so that what is drawn one after the other can be told apart.
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    page.evaluate(_SHIFTS)
    page.evaluate(_GIVE, [kind, base64.b64encode(drawn()).decode()])
    headline = page.locator(VERDICT)
    page.wait_for_function(f"document.querySelector('{VERDICT}')")
    page.evaluate("window.shift = 0")
    expect(headline).to_have_text(ANY_ANSWER)
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    settle(page)
    box = headline.bounding_box()
    assert box is not None and box["y"] + box["height"] <= PHONE[1]
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("window.shift") <= 0.02
    expect(page.get_by_role("status").filter(has_text=headline.inner_text())).to_be_attached()
    page.close()


def test_many_photos_are_answered_one_by_one(browser, address):
    page = opened(browser, address, PHONE)
    upload(page, *(file(f"{seed}.jpg", drawn(seed)) for seed in range(24)))
    # The first cards are there while the others are still being answered.
    page.wait_for_function(
        "document.querySelector('[role=progressbar]') && document.querySelectorAll('h3').length > 2",
        timeout=PATIENCE,
    )
    expect(page.get_by_role("heading", name="24 photos: ")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    check_looks(page)
    page.close()


REAL_CASES: dict[str, tuple[str, Callable[[Answer], bool]]] = {
    "phone": ("phone/Nike Air Force 1", lambda answer: answer.status is Status.KNOWN),
    "other footwear": ("other_footwear", lambda answer: answer.reason is Reason.OTHER_FOOTWEAR),
    "lamp": ("not_sneakers", lambda answer: answer.reason is Reason.NOT_FOOTWEAR),
    "look-alikes": ("sneakers50", lambda answer: answer.group is not None),
}


@pytest.mark.skipif("SOLESCOPE_REAL_DATA" not in os.environ, reason="needs real photos: set SOLESCOPE_REAL_DATA")
@pytest.mark.parametrize("case", REAL_CASES)
def test_each_kind_of_answer_on_a_phone(browser, address, case):
    folder, wanted = REAL_CASES[case]
    photos = sorted((Path(os.environ["SOLESCOPE_REAL_DATA"]) / folder).rglob("*.jpg"))
    photos.sort(key=lambda photo: "lamp" not in photo.name)
    model = load_model(BUNDLED_MODELS / DEFAULT_MODEL)
    # Some photos in turn, not all of one class.
    tried = (predict_file(model, photo) for photo in photos[:: max(1, len(photos) // 150)])
    answer = next(found for found in tried if wanted(found))
    page = opened(browser, address, PHONE)
    upload(page, file("mine.jpg", Path(answer.image).read_bytes()))
    expect(page.locator(VERDICT)).to_have_text(answer.sentence())
    bars = page.get_by_test_id("stPlotlyChart")
    if answer.status is Status.UNKNOWN:
        expect(page.get_by_text("Why?", exact=True)).to_be_visible()
        assert bars.count() == 0
    else:
        expect(bars).to_be_visible()
    if answer.reason is Reason.OTHER_FOOTWEAR:
        expect(page.get_by_text(f"Closest look-alikes: {', '.join(answer.look_alikes)}.")).to_be_visible()
    check_looks(page)
    page.close()
