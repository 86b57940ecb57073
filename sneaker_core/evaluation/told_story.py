"""The story that is told on a stage, read from its folder: it needs no model, no workspace and no network."""

from dataclasses import dataclass
from pathlib import Path

from sneaker_core.errors import DamagedError
from sneaker_core.records.reading import damaged, read_record
from sneaker_core.records.story_records import StoryFile
from sneaker_core.workspace.paths import STORY

STORY_FILE = "story.json"
_REMEDY = "Install SoleScope again, or make the story again with: python docs/make_story.py"


@dataclass(frozen=True)
class Story:
    """The story with its pictures.

    Attributes
    ----------
    facts : StoryFile
        Every figure that it shows.
    pictures : dict of str to bytes
        File name -> WebP.
    """

    facts: StoryFile
    pictures: dict[str, bytes]


def read_story(folder: Path = STORY) -> Story:
    """Read the story and all its pictures.

    Raises
    ------
    DamagedError
        The record or a picture is missing or damaged.
    """
    try:
        facts = read_record(folder / STORY_FILE, StoryFile)
        return Story(facts, {name: _picture(folder / name) for name in facts.pictures()})
    except DamagedError as error:
        raise DamagedError(f"The story can't be told: {error} {_REMEDY}") from None


def _picture(file: Path) -> bytes:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise damaged(file, f"it can't be read ({error.strerror})") from None
    if data[:4] != b"RIFF" or int.from_bytes(data[4:8], "little") + 8 != len(data):
        raise damaged(file, "it is no complete WebP picture")
    return data
