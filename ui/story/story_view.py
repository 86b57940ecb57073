"""Draws the story over the whole window. The steps change in the browser; the server is needed only to begin."""

from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.kit.page_frame import draw_error
from ui.kit.page_links import STORY_PARAMS, Page, draw_page_link
from ui.story.story_cache import told_story
from ui.story.story_keys import Key

_HERE = Path(__file__).parent
_FRAME = """
<div class="story" tabindex="-1" role="group" aria-roledescription="story" aria-label="The story in seven steps">
  <div class="steps"></div>
  <div class="controls">
    <div><button data-do="leave" title="Leave the story (Esc)" aria-label="Leave the story">✕</button></div>
    <div>
      <button data-do="back" title="Previous step (←)" aria-label="Previous step">←</button>
      <span class="place"></span>
      <button data-do="next" title="Next step (→)" aria-label="Next step">→</button>
    </div>
    <div>
      <button data-do="notes" title="Speaker notes (N)" aria-label="Speaker notes" aria-pressed="false">Notes</button>
      <button data-do="fill" title="Full screen (F)" aria-label="Full screen">
        <svg viewBox="0 0 16 16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8">
          <path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4"/>
        </svg>
      </button>
    </div>
  </div>
  <div class="live" aria-live="polite"></div>
</div>
"""
# The app's own bars would lie behind the story, and the keyboard would reach them.
_ALONE = "<style>header, [data-testid=stHeader], [data-testid=stToolbar] {display: none !important;}</style>"


def is_told() -> bool:
    """Whether the address asks for the story."""
    return all(st.query_params.get(name) == value for name, value in STORY_PARAMS.items())


def draw_story() -> None:
    """Draw the story; if it is missing or damaged, say so in a sentence and lead back to the app.

    Not inside `page_body`: the address of the story must not become that of Identify.
    """
    try:
        markup = told_story()
    except SneakerError as error:
        draw_error(error)
        draw_page_link("Identify a sneaker", Page.IDENTIFY)
        return
    st.html(_ALONE)
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("story.css", "story.js"))
    stage = st.components.v2.component("solescope_story", html=_FRAME, css=style, js=script)
    stage(data={"markup": markup}, key=Key.STAGE, on_left_change=st.query_params.clear)
