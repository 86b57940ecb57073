"""Make the story that comes with SoleScope: ``python docs/make_story.py``, some minutes.

Draws sneakers, asks the bundled model synthetic12, looks for wrong names and trains before and after their repair; see
``benchmarks/story_photo.py`` and ``benchmarks/story_labels.py``. Writes ``data/story`` and ``docs/STORY.md``, which has
the words of each step to print. ``--words`` writes STORY.md alone, from the story that is there.
"""

import argparse
import json
import sys
import tempfile
import textwrap
from io import BytesIO
from pathlib import Path

import msgspec
from PIL import Image

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks import story_labels, story_photo  # noqa: E402
from sneaker_core.evaluation.told_story import STORY_FILE, read_story  # noqa: E402
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL  # noqa: E402
from sneaker_core.networks.model_registry import open_model  # noqa: E402
from sneaker_core.records.reading import checked  # noqa: E402
from sneaker_core.records.story_records import StoryFile  # noqa: E402
from sneaker_core.training.recipe import make_recipe  # noqa: E402
from sneaker_core.workspace.atomic_files import write_atomically  # noqa: E402
from sneaker_core.workspace.paths import STORY  # noqa: E402
from ui.story.story_text import story_text  # noqa: E402

Pictures = dict[str, Image.Image]
WORDS = PROJECT / "docs" / "STORY.md"
QUALITY, WIDTH = 82, 120
HEAD = """# The story

Seven steps for a stage or a classroom, for people who have never heard of machine learning. Open the app and choose
*Start the story*, or add `?story=1` to its address. It needs no model, no workspace and, once it is open, no network.

Arrow keys, Space and Page Up or Down turn the pages, as remote controls do; Home and End go to the first and the last.
On a phone, swipe or tap the edges. N shows these notes, F fills the screen, Esc leaves. Every figure and picture is
made by `docs/make_story.py`, which writes this page, too.
"""


def photo_steps(home: Path) -> tuple[dict[str, object], Pictures]:
    """Steps 1 to 4."""
    model = open_model(home, SYNTHETIC_MODEL)
    flips, tried = story_photo.find_flips(model)
    flip = max(flips, key=lambda one: one.said_then.top[0].probability)
    swap, swapped = story_photo.tell_swap(flip, flips, tried)
    heat, heated = story_photo.tell_heat(model, flip)
    look_alikes, alike = story_photo.tell_look_alikes(home)
    facts = {
        "model": model.spec.name,
        "truth": flip.truth,
        # In the order of the alphabet, so that it gives nothing away.
        "options": sorted(guess.label for guess in flip.said.top[:2]),
        "photo": story_photo.answered("photo.webp", flip.said),
        "swap": swap,
        "heat": heat,
        "look_alikes": look_alikes,
    }
    made = {"photo_seed": story_photo.SEED, "photo_number": flip.number, "photos_drawn": story_photo.DRAWN}
    return {**facts, "made": made}, {"photo.webp": flip.photo, **swapped, **heated, **alike}


def name_steps(home: Path) -> tuple[dict[str, object], Pictures]:
    """Steps 5 to 7."""
    dataset = story_labels.make_collection(home)
    samples = story_labels.read_names(dataset)
    doubted = story_labels.doubted_names(dataset, samples, open_model(home, SYNTHETIC_MODEL))
    names, pictures = story_labels.tell_names(samples, doubted)
    before = story_labels.test_table(home, "before")
    story_labels.apply_new_names(dataset, doubted)
    gain = story_labels.tell_gain(before, story_labels.test_table(home, "after"))
    made = {
        "names_seed": story_labels.SEED,
        "per_class": story_labels.PER_CLASS,
        "wrong_share": story_labels.WRONG_SHARE,
        "recipe": story_labels.RECIPE,
        "init": make_recipe(story_labels.RECIPE).init,
    }
    return {"names": names, "gain": gain, "made": made}, pictures


def make_story() -> None:
    """Make everything in a temporary workspace."""
    with tempfile.TemporaryDirectory() as folder:
        first = photo_steps(Path(folder))
        print("steps 1 to 4 are made", flush=True)
        write_story(first, name_steps(Path(folder)))


def write_story(*parts: tuple[dict[str, object], Pictures]) -> None:
    """Write the pictures, and then the record."""
    facts: dict[str, object] = {"format": StoryFile.newest_format}
    made: dict[str, object] = {}
    pictures: Pictures = {}
    for told, shown in parts:
        made |= told.pop("made")  # type: ignore[arg-type]
        facts |= told
        pictures |= shown
    values = msgspec.to_builtins({**facts, "made": made})
    checked(values, StoryFile, "the story")
    STORY.mkdir(parents=True, exist_ok=True)
    for old in STORY.glob("*.webp"):
        old.unlink()
    for name, picture in pictures.items():
        stream = BytesIO()
        picture.convert("RGB").save(stream, "WEBP", quality=QUALITY, method=6)
        write_atomically(STORY / name, stream.getvalue())
    write_atomically(STORY / STORY_FILE, (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode())


def words() -> str:
    """The page with the words of each step."""
    parts = [HEAD.strip()]
    for number, text in enumerate(story_text(read_story().facts), start=1):
        parts += [f"## {number}. {text.title}", _lines(text.notes), _lines(f"*{text.small_print}*")]
    return "\n\n".join(parts) + "\n"


def _lines(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def main() -> None:
    """Make the story, or its words only."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", action="store_true", help="write only STORY.md")
    if not parser.parse_args().words:
        make_story()
    write_atomically(WORDS, words().encode())


if __name__ == "__main__":
    main()
