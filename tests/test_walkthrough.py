"""The whole way of three people, step by step, as docs/WALKTHROUGH.md shows it."""

import re

import pytest

from docs.make_walkthrough import WORDS, draw_folder, walk_through
from tests.browser import DESKTOP, new_page

pytestmark = pytest.mark.timeout(900)


def test_three_people_come_to_their_ends(browser, app_server, tmp_path):
    photos = draw_folder(tmp_path / "photos", per_class=28)
    with app_server.show(tmp_path / "home") as address:
        page = new_page(browser, DESKTOP)
        steps = walk_through(page, address, "desktop", photos)
        page.close()
    assert steps[1].taps == 1 and "answer" in steps[1].text
    assert re.findall(r"^\*\*(.*?)\*\*", WORDS.read_text(encoding="utf-8"), re.MULTILINE) == [one.text for one in steps]
