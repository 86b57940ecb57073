"""The page that names sneakers on a phone by itself, in a real browser, from a folder that any web host could serve."""

import functools
import http.server
import random
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import ExifTags, Image
from playwright.sync_api import Browser, Page, Request, expect

from sneaker_core.datasets.synthetic.drawn_clips import Scene, plan_clip
from sneaker_core.errors import SneakerError
from sneaker_core.inference.export.onnx_writer import onnx_model
from sneaker_core.inference.phone_page.page_build import build_page
from sneaker_core.inference.predictor import MAX_TOP, predict_file
from sneaker_core.networks.checkpoint import SneakerModel, load_model
from sneaker_core.video.sample_clip import write_drawn_clip
from sneaker_core.workspace.paths import BUNDLED_MODELS, SAMPLE_PHOTOS
from tests.browser import DESKTOP, PATIENCE, PHONE
from tests.drawing import draw_sneaker
from tests.fake_camera import open_with_camera

PHOTOS = 50
# The browser's decoder of JPEGs isn't Pillow's, so a probability may differ by this much.
CLOSE = 0.02
_SIZES = ((480, 360), (640, 480), (1600, 1200), (2400, 1000), (500, 1400), (160, 160), (120, 90), (801, 603))
_ANSWERS = """async names => {
    const {model} = await import("./page.js"), {sentenceOf} = await import("./sentences.js");
    const page = await (await fetch("page.json")).json(), replies = [];
    for (const name of names) {
        const {answer, failure} = await model.photo(await (await fetch("../photos/" + name)).blob());
        replies.push(failure ?? {...answer, sentence: sentenceOf(answer, page)});
    }
    return replies;
}"""
# Resolves when the page has answered so many frames of the camera.
_WATCH = """async count => {
    const {model} = await import("./page.js"), frame = model.frame.bind(model);
    const enough = new Promise(resolve => (model.frame = async (...given) => {
        const reply = await frame(...given);
        if (!reply.failure && --count === 0) resolve();
        return reply;
    }));
    document.getElementById("camera").click();
    await enough;
}"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@dataclass(frozen=True)
class Site:
    """The page on a web host, the photos beside it, and the model that it was built for."""

    address: str
    photos: Path
    model: SneakerModel


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if shutil.which("npm") is None:
        pytest.skip("npm, which fetches ONNX Runtime for browsers, isn't installed")
    root = tmp_path_factory.mktemp("site")
    model = load_model(BUNDLED_MODELS / "synthetic12")
    exported = tmp_path_factory.mktemp("export") / "model.onnx"
    exported.write_bytes(onnx_model(model, "0" * 64).SerializeToString())
    try:
        build_page(root, exported, root / "phone")
    except SneakerError as error:
        if "npm can't fetch" not in str(error):
            raise
        pytest.skip(str(error))
    (root / "photos").mkdir()
    _make_photos(root / "photos")
    handler = functools.partial(_Handler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(f"http://127.0.0.1:{server.server_port}/phone/", root / "photos", model)
        server.shutdown()


def test_only_what_the_build_did_not_write_keeps_it_from_being_replaced(site: Site) -> None:
    page = site.photos.parent / "phone"
    (page / "CNAME").write_text("example.org")
    with pytest.raises(SneakerError, match=r"no build of the page wrote: CNAME\. A build"):
        build_page(page.parent, site.photos, page)
    (page / "CNAME").unlink()


def _make_photos(folder: Path) -> None:
    """Sample photos, and drawn sneakers in all shapes, turned, transparent, gray and noisy."""
    for sample in sorted(SAMPLE_PHOTOS.glob("*.jpg")):
        shutil.copyfile(sample, folder / sample.name)
    dice = random.Random(3)
    for number in range(PHOTOS - len(list(folder.iterdir()))):
        width, height = dice.choice(_SIZES)
        noise = np.random.default_rng(number).normal(0, dice.choice((0, 4, 10)), (height, width, 3))
        pixels = np.clip(np.array(draw_sneaker(number, (width, height))) + noise, 0, 255)
        _save(Image.fromarray(pixels.astype(np.uint8)), folder / f"drawn {number:02}", number)


def _save(image: Image.Image, file: Path, number: int) -> None:
    kind = number % 5
    if kind == 0:
        image.save(file.with_suffix(".png"))
    elif kind == 1:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
        image.save(file.with_suffix(".png"))
    elif kind == 2:
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 1 + number // 5 % 8
        image.save(file.with_suffix(".jpg"), exif=exif, quality=88)
    elif kind == 3:
        image.save(file.with_suffix(".webp"), quality=85)
    else:
        image.convert("L").save(file.with_suffix(".jpg"), quality=75)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """The page, loaded in a profile of its own; what it asked for must come from its host."""
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    context.set_default_timeout(PATIENCE)
    asked: list[str] = []
    wrong: list[str] = []
    context.on("request", lambda request: asked.append(_sender(request)))
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(site.address)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    yield page
    context.close()
    host = urlsplit(site.address).netloc
    assert {urlsplit(url).netloc for url in asked if not url.startswith("blob:")} == {host}
    assert wrong == []


def _sender(request: Request) -> str:
    assert request.method == "GET", request.url
    return request.url


def _choose(page: Page, photo: Path) -> None:
    page.get_by_label("Choose a photo").set_input_files(photo)


def test_answers_are_those_of_python(page: Page, site: Site) -> None:
    names = sorted(file.name for file in site.photos.iterdir())
    assert len(names) == PHOTOS
    wrong = {}
    for name, found in zip(names, page.evaluate(_ANSWERS, names), strict=True):
        if differences := _differences(site, name, found):
            wrong[name] = differences
    assert wrong == {}
    # And what the page shows of one.
    answer = predict_file(site.model, site.photos / "High-Top.jpg", MAX_TOP)
    _choose(page, site.photos / "High-Top.jpg")
    expect(page.get_by_role("heading", level=2)).to_have_text(answer.sentence())
    expect(page.get_by_role("listitem")).to_have_count(3)
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("listitem")).to_have_count(min(MAX_TOP, len(site.model.spec.classes)))
    page.get_by_role("switch", name="Where the model looked").check()
    expect(page.get_by_role("img", name=f"Colored where the photo speaks for {answer.top[0].label}.")).to_be_visible()
    for width, height in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": height})
        assert [found["id"] for found in Axe().run(page).response["violations"]] == []


def _differences(site: Site, name: str, found: Any) -> dict[str, object]:
    """What differs in an answer: name -> Python's and the page's."""
    answer = predict_file(site.model, site.photos / name, MAX_TOP)
    if not isinstance(found, dict):
        return {"answer": (answer.sentence(), found)}
    chances = {guess["label"]: guess["probability"] for guess in found["top"]}
    both = {
        "status": (answer.status.value, found["status"]),
        "reason": (answer.reason and answer.reason.value, found["reason"]),
        "best": (answer.top[0].label, found["top"][0]["label"]),
        "sentence": (answer.sentence(), found["sentence"]),
        "group": (answer.group and answer.group.name, found["group"] and found["group"]["name"]),
        "footwear type": (answer.footwear_type, found["footwear_type"]),
    }
    far = max(abs(guess.probability - chances.get(guess.label, 0)) for guess in answer.top)
    return {
        **({"probability": far} if far > CLOSE else {}),
        **{key: two for key, two in both.items() if two[0] != two[1]},
    }


def test_works_offline_and_live(page: Page, site: Site, tmp_path: Path) -> None:
    expect(page.get_by_text("Works offline")).to_be_visible()
    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("progressbar")).to_be_hidden()
    _choose(page, site.photos / "Slip-On.jpg")
    sentence = predict_file(site.model, site.photos / "Slip-On.jpg").sentence()
    expect(page.get_by_role("heading", level=2)).to_have_text(sentence)
    page.evaluate(_WATCH, 6)
    expect(page.get_by_label("What the camera sees")).to_be_visible()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_role("img", name="Your photo")).to_be_visible()
    expect(page.get_by_label("What the camera sees")).to_be_hidden()
    note = tmp_path / "shoe.jpg"
    note.write_text("no photo")
    _choose(page, note)
    expect(page.get_by_role("heading", level=2)).to_contain_text("isn't a photo")


def test_the_camera_names_the_sneaker_and_a_box_follows_it(browser: Browser, site: Site, tmp_path: Path) -> None:
    plan = plan_clip(Scene.MOVING, ("Court Low",), seed=3, fps=8.0)
    write_drawn_clip(tmp_path / "clip.mp4", plan)
    with open_with_camera(browser.browser_type, tmp_path / "clip.mp4", tmp_path) as filming:
        page = filming.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
        page.set_default_timeout(PATIENCE)
        page.goto(site.address)
        expect(page.get_by_role("progressbar")).to_be_hidden()
        page.get_by_role("button", name="Open the camera").click()
        expect(page.get_by_role("heading", level=2)).to_contain_text("Court Low")
        box = page.locator("#box")
        expect(box).to_be_visible()
        before = box.bounding_box()
        page.wait_for_function(
            "before => document.getElementById('box').getBoundingClientRect().left !== before",
            arg=before and before["x"],
        )
        page.get_by_role("button", name="Close camera").click()
        expect(page.get_by_label("What the camera sees")).to_be_hidden()
