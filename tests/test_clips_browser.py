"""A clip in Chromium, from the upload to its marked video, which plays."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sneaker_core.datasets.synthetic.drawn_clips import ClipPlan, Scene, plan_clip
from sneaker_core.video.sample_clip import write_drawn_clip
from tests.browser import PHONE, AppServer, new_page, settle
from ui.clips.clips_keys import Key
from ui.kit.page_links import Page, page_address

pytestmark = pytest.mark.timeout(600)

PLAYS = """async video => {
    video.muted = true;
    await video.play();
    await new Promise(done => video.requestVideoFrameCallback(done));
    return video.videoWidth;
}"""
SMALL = (240, 180)


def test_an_uploaded_clip_is_followed_and_its_marked_video_plays(
    browser: Browser, app_server: AppServer, tmp_path: Path
):
    plan = plan_clip(Scene.PANNING, ("Court Low",), seed=3, fps=8.0, size=SMALL)
    write_drawn_clip(tmp_path / "my walk.mp4", ClipPlan(**{**vars(plan), "seconds": 0.75}))
    with app_server.show(tmp_path / "home") as address:
        page = new_page(browser, PHONE)
        page.goto(f"{address}/{page_address(Page.CLIPS, model='synthetic12')}")
        settle(page)
        page.locator("input[type=file]").set_input_files(tmp_path / "my walk.mp4")
        page.locator(f".st-key-{Key.CLIP_START}").get_by_role("button").click()
        expect(page.get_by_role("heading", name="Court Low")).to_be_visible()
        video = page.locator("video")
        expect(video).to_be_visible()
        assert video.evaluate(PLAYS) == SMALL[0]
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        address = page.url
        page.reload()
        expect(page.get_by_role("heading", name="Court Low")).to_be_visible()
        assert page.url == address
        page.close()
