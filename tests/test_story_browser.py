"""The story in a browser: turned by keys and by taps, its address, votes, notes, and the way out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sneaker_core.evaluation.told_story import read_story
from tests.browser import PHONE, AppServer, new_page, settle
from ui.story.story_text import story_text

pytestmark = pytest.mark.timeout(600)
TITLES = [text.title for text in story_text(read_story().facts)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, app_server: AppServer) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("story")
    with app_server.show(home) as address:
        yield address


def expect_step(page: Page, number: int) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text([TITLES[number - 1]])
    expect(page.get_by_text(f"{number} / 7", exact=True)).to_be_visible()
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)


def test_all_steps_by_keys(browser: Browser, address: str):
    page = new_page(browser, (1280, 720))
    page.goto(address)
    page.get_by_role("link", name="Start the story").click()
    expect_step(page, 1)
    settle(page)
    expect(page).to_have_url(f"{address}/?story=1")
    expect(page.get_by_role("banner")).to_be_hidden()
    for number, key in enumerate(("ArrowRight", " ", "PageDown", "ArrowDown", "ArrowRight", "ArrowRight"), start=2):
        page.keyboard.press(key)
        expect_step(page, number)
        expect(page.locator(".live")).to_have_text(f"Step {number} of 7: {TITLES[number - 1]}")
    page.keyboard.press("ArrowRight")
    expect_step(page, 7)
    page.reload()
    expect_step(page, 7)
    page.go_back()
    expect_step(page, 6)
    settle(page)
    page.keyboard.press("Home")
    expect_step(page, 1)
    page.keyboard.press("n")
    expect(page.get_by_role("complementary", name="Speaker notes")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Speaker notes")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="What are those?")).to_be_visible()
    expect(page).to_have_url(f"{address}/")
    page.close()


def test_all_steps_by_taps_with_votes_and_without_a_network(browser: Browser, address: str):
    page = new_page(browser, PHONE)
    page.goto(f"{address}/?story=1")
    expect_step(page, 1)
    settle(page)
    page.context.set_offline(True)
    try:
        vote_and_tap(page)
    finally:
        page.context.set_offline(False)
    page.close()


def vote_and_tap(page: Page) -> None:
    for letter in "AAB":
        page.locator(f"[data-vote={letter}]").click()
    expect(page.get_by_text("3 votes")).to_be_visible()
    for number in range(2, 8):
        page.mouse.click(PHONE[0] - 8, PHONE[1] // 2)
        expect_step(page, number)
        if number == 2:
            rows = page.locator("[data-votes]")
            expect(rows.nth(0)).to_contain_text("2")
            expect(rows.nth(1)).to_contain_text("1")
    page.mouse.click(8, PHONE[1] // 2)
    expect_step(page, 6)
