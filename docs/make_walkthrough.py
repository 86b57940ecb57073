"""Walk through the app as three people do, and write docs/WALKTHROUGH.md.

``python docs/make_walkthrough.py`` starts the app on an empty workspace, and drives Chromium at 1280 and at 390 px.
Somebody with a shoe, the owner of a folder of photos, and somebody on a stage: each step is what they do next, the
taps that it takes, and the seconds until the page shows what it promises. ``tests/test_walkthrough.py`` takes the same
steps.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from playwright.sync_api import Locator, Page, expect  # noqa: E402

from sneaker_core.datasets.synthetic.rendering import draw_photo  # noqa: E402
from sneaker_core.number_text import counted  # noqa: E402
from tests.browser import DESKTOP, PHONE, new_page, open_browser, serve, settle  # noqa: E402
from ui.identify.identify_keys import Key as IdentifyKey  # noqa: E402
from ui.kit.state_keys import KitKey  # noqa: E402

PICTURES = PROJECT / "docs" / "images" / "walkthrough"
WORDS = PROJECT / "docs" / "WALKTHROUGH.md"
SIZES = {"desktop": DESKTOP, "phone": PHONE}
CLASSES, PER_CLASS = ("Air Runner One", "Court Low", "High-Top", "Slip-On", "Hoops Mid"), 40
# Every this many photos, one lies in the folder of the next class.
WRONG_EVERY = 14
# A training, with the machine busy.
LONG = 400_000
_QUALITY, _PICTURE_WIDTH = 60, 640
_SUGGESTED = f"[class*=st-key-{KitKey.SUGGESTED}] button"
_VERDICT = f".st-key-{KitKey.FINDING} h2"


@dataclass(frozen=True)
class Step:
    """What somebody did.

    Attributes
    ----------
    person, text : str
    taps : int
        Clicks, taps and choices; typing a name counts as one.
    seconds : float
        Until the page showed what the step promises.
    picture : str
        File name.
    """

    person: str
    text: str
    taps: int
    seconds: float
    picture: str


@dataclass
class Walk:
    """A walk through the app.

    Attributes
    ----------
    page : Page
    address : str
    pictures : Path or None
        Folder for a picture of each step; None to take none.
    size : str
        A key of `SIZES`.
    steps : list of Step
        Those taken so far.
    """

    page: Page
    address: str
    pictures: Path | None
    size: str
    person: str = ""
    steps: list[Step] = field(default_factory=list)

    def step(self, text: str, act: Callable[[], object], shown: Locator, taps: int = 1, limit: int = LONG) -> None:
        """Do something, wait for what it promises, and take a picture."""
        started = time.perf_counter()
        act()
        expect(shown.first).to_be_visible(timeout=limit)
        seconds = time.perf_counter() - started
        settle(self.page)
        name = f"{self.size}-{len(self.steps) + 1:02}.jpg"
        if self.pictures is not None:
            self._take(self.pictures / name)
        self.steps.append(Step(self.person, text, taps, seconds, name))

    def _take(self, file: Path) -> None:
        self.page.screenshot(path=file, type="jpeg", quality=90)
        with Image.open(file) as picture:
            picture.thumbnail((_PICTURE_WIDTH, _PICTURE_WIDTH))
            picture.save(file, quality=_QUALITY)

    def go(self, place: str = "") -> None:
        """Open a page by its address."""
        self.page.goto(f"{self.address}/{place}")

    def button(self, name: str) -> Locator:
        """A button by its words."""
        return self.page.get_by_role("button", name=name)

    def text(self, text: str) -> Locator:
        """Any text on the page."""
        return self.page.get_by_text(text)

    def next(self, text: str) -> Callable[[], None]:
        """Follow the offer of a next step."""
        return lambda: self.page.locator(f".st-key-{KitKey.NEXT_STEP}").get_by_text(text).first.click()


def draw_folder(folder: Path, per_class: int = PER_CLASS) -> Path:
    """A folder of drawn photos per class, some of them in the wrong one."""
    for number, label in enumerate(CLASSES):
        for photo in range(per_class):
            is_wrong = photo % WRONG_EVERY == WRONG_EVERY - 1
            there = folder / CLASSES[(number + is_wrong) % len(CLASSES)]
            there.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng([number, photo])
            draw_photo(label, rng).save(there / f"IMG_{number}{photo:03}.jpg", quality=88)
    return folder


def visit(walk: Walk) -> None:
    """Somebody with a phone, and a shoe in front of them."""
    walk.person, page = "Somebody with a shoe", walk.page
    walk.step("Open SoleScope.", walk.go, walk.text("Tap a drawn one"), taps=0)
    sample = page.locator(f"[class*=st-key-{IdentifyKey.SAMPLE}] img").first
    walk.step("Tap a sample photo: the answer.", lambda: tap(page, sample), page.locator(_VERDICT))
    why = page.get_by_text("Why?", exact=True).first
    walk.step("Ask why: the heat map.", why.click, walk.text("Color in a sensible place"))


def tap(page: Page, target: Locator) -> None:
    """Tap on the middle of something, whatever lies over it."""
    box = target.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def own(walk: Walk, photos: Path) -> None:
    """Somebody with a folder of photos and no model."""
    walk.person, page = "The owner of a folder of photos", walk.page
    walk.step("Open Datasets.", lambda: walk.go("datasets"), walk.button("Use my own photos"), taps=0)
    walk.step("Use your own photos.", walk.button("Use my own photos").click, page.get_by_role("dialog"))

    def create() -> None:
        page.get_by_role("dialog").get_by_role("textbox").fill("My sneakers")
        page.get_by_role("dialog").get_by_role("button", name="Create").click()

    walk.step("Name the dataset.", create, walk.text("has no photos yet"), taps=2)

    def drop() -> None:
        page.locator("input[type=file]").first.set_input_files(str(photos))
        start = page.get_by_role("button", name="Import", exact=True)
        expect(start).to_be_enabled(timeout=LONG)
        start.click()

    walk.step("Drop the folder and import it.", drop, walk.button("Check photos"), taps=2)
    walk.step("Check the photos.", walk.button("Check photos").click, walk.text("may have problems"))
    walk.step("Review what was found.", walk.next("Review"), walk.button("Look closer"))
    closer = walk.button("Look closer").first
    walk.step("Look closer at the first one.", closer.click, walk.text("which looks like this"))

    def relabel() -> None:
        page.get_by_role("dialog").locator(_SUGGESTED).last.click()

    walk.step("Accept the suggested class.", relabel, page.get_by_role("dialog").get_by_text("relabeled to"))

    def split() -> None:
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        settle(page)
        walk.next("Split the photos")()

    walk.step("Go on to the split.", split, walk.button("Create split"), taps=2)
    made = page.get_by_role("heading", name="Current split")
    walk.step("Create the split.", walk.button("Create split").click, made)
    walk.step("Go on to training.", walk.next("Train a model"), walk.button("Start training"))
    mistakes = walk.text("See the mistakes of")
    walk.step("Train a model.", walk.button("Start training").click, mistakes)
    walk.step("See its mistakes.", walk.next("See the mistakes"), walk.text("All mistakes"))
    findings = "datasets?dataset=My+sneakers&section=Findings"
    walk.step("Return to the findings.", lambda: walk.go(findings), walk.button("Look closer"), taps=2)
    mend_rest(walk)
    walk.step("Go on to train again.", walk.next("again"), walk.button("Train again"))
    gained = page.locator(f".st-key-{KitKey.NEXT_STEP}").get_by_text("See what")
    walk.step("Train again on the corrected photos.", walk.button("Train again").click, gained)
    walk.step("See what that gained.", walk.next("See what"), walk.text("Compared with"))


def mend_rest(walk: Walk) -> None:
    """Accept every suggestion for photos that look like another class."""
    page = walk.page

    def accept() -> None:
        walk.button("Look closer").first.click()
        dialog = page.get_by_role("dialog")
        while True:
            suggested = dialog.locator(_SUGGESTED).last
            expect(suggested).to_be_visible()
            suggested.click()
            expect(dialog.get_by_text("relabeled to")).to_be_visible()
            settle(page)
            onward = dialog.get_by_role("button", name="Next")
            if onward.is_disabled():
                break
            onward.click()
            settle(page)
            if dialog.locator(_SUGGESTED).count() == 0:
                break
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    walk.step("Accept the other suggestions, one by one.", accept, walk.text("again"), taps=10)


def tell(walk: Walk) -> None:
    """Somebody on a stage."""
    walk.person, page = "Somebody on a stage", walk.page
    first = page.locator("section.step[data-step='1']")
    walk.step("Open the story.", lambda: walk.go("?story=1"), first, taps=0)
    walk.step("The audience votes.", page.locator("[data-vote=A]").click, page.locator("[data-total]"))
    for number in range(2, 8):
        shown = page.locator(f"section.step[data-step='{number}']")
        title = f"Turn to page {number}."
        walk.step(title, lambda: page.keyboard.press("ArrowRight"), shown)


def walk_through(page: Page, address: str, size: str, photos: Path, pictures: Path | None = None) -> list[Step]:
    """Take all steps of all three.

    Parameters
    ----------
    page : Page
        Empty, of that size.
    address : str
        Of the app on an empty workspace.
    size : str
        A key of `SIZES`.
    photos : Path
        From `draw_folder`.
    pictures : Path, optional
        Folder for a picture of each step.
    """
    walk = Walk(page, address, pictures, size)
    visit(walk)
    own(walk, photos)
    tell(walk)
    return walk.steps


def _page(steps: dict[str, list[Step]]) -> Iterator[str]:
    yield "# Three people, step by step\n"
    yield (
        "Made by `docs/make_walkthrough.py`, which takes these steps in Chromium on an empty workspace, at 1280 and at "
        "390 px. Seconds are until the page shows what the step promises, on two cores without a GPU. The photos are "
        f"drawn: {len(CLASSES) * PER_CLASS} of {len(CLASSES)} sneakers, some of them in the folder of another one.\n"
    )
    person = ""
    for wide, narrow in zip(steps["desktop"], steps["phone"], strict=True):
        if wide.person != person:
            person = wide.person
            mine = [step for step in steps["desktop"] if step.person == person]
            taps, seconds = sum(step.taps for step in mine), sum(step.seconds for step in mine)
            yield f"## {person}\n\n{len(mine)} steps, {taps} taps, {counted(round(seconds), 'second')} of waiting.\n"
        tapped = counted(wide.taps, "tap")
        yield f"**{wide.text}** {tapped}; {wide.seconds:.1f} s at 1280 px, {narrow.seconds:.1f} s at 390 px.\n"
        pictures = ((wide, 480), (narrow, 150))
        yield (
            "".join(
                f'<img src="images/walkthrough/{step.picture}" width="{width}" alt="{step.text}"> '
                for step, width in pictures
            ).rstrip()
            + "\n"
        )


def main() -> None:
    """Walk at both sizes and write the page."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.jpg"):
        old.unlink()
    steps = {}
    with tempfile.TemporaryDirectory() as home, open_browser() as browser:
        photos = draw_folder(Path(home) / "photos")
        for size, pixels in SIZES.items():
            workspace = {"SOLESCOPE_WORKSPACE": str(Path(home) / size)}
            with serve(Path(home) / "server.log", workspace) as address:
                page = new_page(browser, pixels)
                steps[size] = walk_through(page, address, size, photos, PICTURES)
                page.close()
    WORDS.write_text("\n".join(_page(steps)), encoding="utf-8")


if __name__ == "__main__":
    main()
