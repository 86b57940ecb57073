"""The story, read once for as long as its files stay as they are."""

import streamlit as st

from sneaker_core.evaluation.told_story import STORY_FILE, read_story
from sneaker_core.workspace.paths import STORY
from ui.story.story_markup import story_markup


def told_story() -> str:
    """The markup of the story.

    Raises
    ------
    DamagedError
        The record or a picture is missing or damaged.
    """
    return _markup(_state())


@st.cache_data(max_entries=2, show_spinner=False)
def _markup(state: tuple[tuple[str, int], ...]) -> str:
    return story_markup(read_story())


def _state() -> tuple[tuple[str, int], ...]:
    """The files of the story and when each was changed."""
    files = [*sorted(STORY.glob("*.webp")), STORY / STORY_FILE]
    return tuple((file.name, file.stat().st_mtime_ns) for file in files if file.is_file())
