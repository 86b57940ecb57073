"""The example page in docs/examples/web, served from another website than the API's."""

import contextlib
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.api_server import open_to, serving
from tests.browser import PHONE, PROJECT, new_page

SAMPLES = PROJECT / "data" / "samples"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


@contextlib.contextmanager
def website(folder: Path) -> Iterator[str]:
    """A folder as a website of its own; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_page_of_a_named_website_gets_answers_and_another_one_a_plain_error(
    browser: Browser, workspace: Path, tmp_path: Path
) -> None:
    with (
        website(PROJECT / "docs" / "examples" / "web") as site,
        serving(open_to(site, workspace), log_level="error") as opened,
        serving(open_to("http://other.example", workspace), log_level="error") as closed,
    ):
        page = new_page(browser, PHONE)
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(site)
        page.get_by_label("Address of the API").fill(closed)
        page.get_by_role("button", name="Connect").click()
        refused = f"No answer from {closed}. Either SoleScope isn't running there, or it doesn't let this page in."
        expect(page.get_by_role("status")).to_contain_text(refused)
        expect(page.get_by_role("status")).to_contain_text(f"SOLESCOPE_API_ORIGINS={site}")

        page.get_by_label("Address of the API").fill(opened)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("status")).to_have_text("Connected.")
        page.reload()
        expect(page.get_by_label("Address of the API")).to_have_value(opened)
        expect(page.get_by_role("status")).to_have_text("Connected.")
        page.get_by_label("Model").select_option("synthetic12")
        (tmp_path / "notes.png").write_bytes(b"no photo")
        page.get_by_label("Choose photos").set_input_files([SAMPLES / "High-Top.jpg", tmp_path / "notes.png"])
        answers = page.get_by_role("article")
        expect(answers.nth(0).get_by_role("heading")).to_contain_text("High-Top")
        expect(answers.nth(0).get_by_role("listitem")).to_have_count(3)
        expect(answers.nth(1)).to_contain_text("This is not a photo in a format SoleScope can read")
        answers.nth(0).get_by_role("button", name="Show why").click()
        expect(answers.nth(0)).to_contain_text("Marked areas speak for High-Top.")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert wrong == []
        page.close()
