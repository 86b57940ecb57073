"""The Teach page in Chromium, whose fake camera shows a moving test pattern: shots, live answers and a reload."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser import PHONE, AppServer, new_page, settle
from ui.kit.page_links import Page, page_address
from ui.teach.teach_choices import EMPTY

pytestmark = pytest.mark.timeout(600)

NAMES = ("Left Shoe", "Right Shoe")
# What is tapped on the page and in the camera, by its text, if it is smaller than a finger.
SMALL = """() => [
    ...document.querySelectorAll('.st-key-teach_page :is(button, a):not([aria-label^="Help for"])'),
    ...[...document.querySelectorAll('.st-key-teach_camera *')].flatMap(
        one => [...(one.shadowRoot?.querySelectorAll('button') ?? [])]),
].map(one => [one.textContent, one.getBoundingClientRect()])
    .filter(([, box]) => box.width && Math.min(box.width, box.height) < 44).map(([text]) => text)"""

# Press a hidden button the moment it appears, before the camera's picture could have come by chance.
PRESS_AT_ONCE = """button => new MutationObserver((changes, observer) => {
    if (button.hidden) return;
    observer.disconnect();
    button.click();
}).observe(button, {attributes: true})"""


@pytest.fixture
def address(tmp_path: Path, app_server: AppServer) -> Iterator[str]:
    with app_server.show(tmp_path) as address:
        yield address


def test_two_sneakers_are_shown_to_the_camera_and_told_apart_live(browser: Browser, address: str):
    page = new_page(browser, PHONE)
    page.goto(f"{address}/{page_address(Page.TEACH, start=EMPTY)}")
    settle(page)
    assert page.locator("video").count() == 0 or not page.locator("video").is_visible()
    for number, name in enumerate(NAMES):
        page.get_by_label("Name of the sneaker").nth(number).fill(name)
        page.keyboard.press("Tab")
        settle(page)
    page.locator(".shoot").first.evaluate(PRESS_AT_ONCE)
    page.get_by_role("button", name="Use the camera").click()
    for count in (1, 2, 3):
        for place, name in enumerate(NAMES):
            if (count, place) != (1, 0):
                page.get_by_role("button", name=f"Photo of {name}").click()
            tray = page.locator("[class*=st-key-teach_photos]").nth(place)
            expect(tray.locator("[class*=st-key-teach_remove] button")).to_have_count(count)
    expect(page.get_by_text("Once the model is taught")).to_be_visible()
    settle(page)  # the address names the photos at the end of a run, which the next shot may cut short
    page.reload()
    expect(page.get_by_text("3 photos")).to_have_count(2)
    settle(page)
    assert [page.get_by_label("Name of the sneaker").nth(place).input_value() for place in (0, 1)] == list(NAMES)
    page.get_by_role("button", name="Teach it", exact=True).click()
    for name in NAMES:
        expect(page.get_by_role("heading", name=f"{name}: taught with 3 photos.")).to_be_visible()
    page.get_by_role("button", name="Use the camera").click()
    answers = re.compile("Left Shoe|Right Shoe|A shoe, but|no shoe|doesn.t look like")
    expect(page.locator(".sentence")).to_have_text(answers)
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert page.evaluate(SMALL) == []
    assert Axe().run(page, options={"runOnly": ["heading-order"]}).response["violations"] == []
    page.get_by_role("button", name="Turn the camera off").click()
    expect(page.locator("video")).not_to_be_visible()
    page.close()
