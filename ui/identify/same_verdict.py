"""One answer to several photos of the same sneaker, above the answers to each."""

from collections.abc import Sequence

import streamlit as st

from sneaker_core.images import Photo
from sneaker_core.inference.same_sneaker import Role, SameSneakerAnswer
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import ModelEntry
from ui.identify.answer_cards import FEW_GUESSES, confidence_of, draw_headline
from ui.identify.answer_text import own_guess
from ui.identify.identify_keys import Key
from ui.identify.probability_bars import draw_guess_bars
from ui.identify.teach_link import draw_teach_link
from ui.kit import model_cache, photo_previews
from ui.kit.address import choose_switch
from ui.kit.text import escape_markdown

_LABEL = "These show the same sneaker"
_HELP = "Adds one answer for all the photos together; it is right more often than the answer for a single photo."
_TILES, _NARROWEST = 6, 100
_STYLE = f"""<style>
.st-key-{Key.VERDICT} [class*="st-key-{Key.VERDICT_PHOTO}"] img {{aspect-ratio: 4 / 3; object-fit: cover;}}
.st-key-{Key.VERDICT} [class*="st-key-{Key.VERDICT_PHOTO}"] p {{overflow-wrap: anywhere;}}
</style>"""


def draw_same_sneaker(model: ModelEntry, photos: Sequence[Photo]) -> SameSneakerAnswer | None:
    """Draw the switch and, if it is on, the answer to all photos together; returns the answer.

    Parameters
    ----------
    model : ModelEntry
    photos : sequence of Photo
        Two or more.
    """
    if not choose_switch(Key.SAME, _LABEL, help=_HELP):
        return None
    together = model_cache.same_sneaker(model_cache.ModelKey(str(model.folder), model.version), photos)
    if together.answer.status is not Status.ERROR:
        _draw_verdict(model, photos, together)
    return together


def _draw_verdict(model: ModelEntry, photos: Sequence[Photo], together: SameSneakerAnswer) -> None:
    answer = together.answer
    st.html(_STYLE)
    with st.container(border=True, key=Key.VERDICT):
        # How often it is right says nothing of photos of different sneakers.
        confidence = "" if together.disagree else confidence_of(model, answer)
        agreement, left_out = (
            f"{escape_markdown(note)}." if note else "" for note in (together.agreement(), together.left_out())
        )
        text = "\n\n".join(part for part in (confidence, agreement) if part)
        draw_headline(answer, text, left_out)
        if warning := together.warning():
            st.warning(warning, icon=":material/call_split:")
        if not answer.refused:
            shown = answer.top[:FEW_GUESSES]
            draw_guess_bars(shown, answer.status, Key.VERDICT_BARS)
        if not together.disagree:
            draw_teach_link(model, answer, [photos[place] for place in together.shoes])
        with st.grid(_TILES, min_column_width=_NARROWEST, gap="small"):
            for number, (photo, own, role) in enumerate(
                zip(photos, together.photos, together.roles, strict=True), start=1
            ):
                with st.container(gap="xxsmall", key=Key.VERDICT_PHOTO.of(f"{number}")):
                    if role is not Role.UNREADABLE:
                        st.image(photo_previews.preview(photo), width="stretch", alt=f"Photo {number}: {photo.name}")
                    st.caption(escape_markdown(f"{number}. {_tile_text(own_guess(own), role)}"))


def _tile_text(guess: str, role: Role) -> str:
    return {Role.COPY: "A copy", Role.NO_SHOE: "No shoe"}.get(role, guess)
