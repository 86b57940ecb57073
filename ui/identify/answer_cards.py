"""Answers as cards: a photo, what the model says about it, its guesses and why."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import own_evaluation
from sneaker_core.images import Photo
from sneaker_core.inference.answer_sentences import BADGES
from sneaker_core.inference.predictor import Answer
from sneaker_core.inference.same_sneaker import SameSneakerAnswer
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import ModelEntry
from ui.identify.answer_downloads import answers_csv, answers_json
from ui.identify.answer_explanation import draw_explanation
from ui.identify.answer_sharing import draw_share
from ui.identify.answer_text import confidence_text
from ui.identify.correction import draw_correction
from ui.identify.identify_keys import Key
from ui.identify.probability_bars import draw_guess_bars
from ui.identify.teach_link import draw_teach_link
from ui.identify.view_hint import view_hint
from ui.kit import photo_previews
from ui.kit.knowledge_card import draw_knowledge
from ui.kit.model_cache import ModelKey
from ui.kit.page_frame import draw_finding
from ui.kit.text import escape_markdown, truncate_middle

_PROBABLE = f":green-badge[:material/check: {BADGES['probable']}]"
_BADGES = {
    Status.KNOWN: f":green-badge[:material/check: {BADGES['known']}]",
    Status.UNSURE: f":orange-badge[:material/help: {BADGES['unsure']}]",
    Status.UNKNOWN: f":gray-badge[:material/block: {BADGES['unknown']}]",
}
_SMALL_PHOTO = 128
# Until "Show more" is tapped.
FEW_GUESSES = 3
_WHY_HELP = "Show which parts of the photo led to the answer."


@st.fragment
def draw_card(model: ModelEntry, key: ModelKey, photo: Photo, answer: Answer, compact: bool) -> None:
    """Draw a photo and its answer. A click inside reruns only this card.

    Parameters
    ----------
    model : ModelEntry
    key : ModelKey
        Of the same model.
    photo : Photo
        A readable one.
    answer : Answer
    compact : bool
        Whether the card is one of many.
    """
    with st.container(border=True):
        if compact:
            with st.container(horizontal=True, wrap=False, gap="medium"):
                with st.container(width=_SMALL_PHOTO):
                    _draw_photo(photo, width="stretch")
                with st.container(gap="xsmall"):
                    draw_headline(answer, confidence_of(model, answer), _caption(photo), compact=True)
            _draw_bars(photo, answer)
        else:
            # The verdict comes first, so that a phone shows it without scrolling.
            hint = view_hint(photo, answer)
            more = f"\n\n:material/photo_camera: {escape_markdown(hint)}" if hint else ""
            draw_headline(answer, f"{confidence_of(model, answer)}{more}", _caption(photo))
            left, right = st.columns([5, 6], gap="medium")
            with left:
                _draw_photo(photo, width="stretch")
            with right:
                _draw_bars(photo, answer)
                _draw_knowledge(answer)
                draw_correction(model, photo)
        with st.container(horizontal=True, vertical_alignment="center"):
            # Not an expander: its body, and the network with it, would run even while it is closed.
            why = st.toggle("Why?", key=Key.WHY.of(photo.key), persist_state="session", help=_WHY_HELP)
            draw_share(model, key, photo, answer)
            draw_teach_link(model, answer, [photo])
        if why:
            draw_explanation(key, photo, answer, compact)


def _draw_photo(photo: Photo, width: int | Literal["stretch"]) -> None:
    with photo_previews.photo_frame(Key.PHOTO.of(photo.key), photo_previews.preview(photo)) as picture:
        st.image(picture, width=width, alt=f"Your photo {photo.name}")


def draw_headline(answer: Answer, text: str, caption: str, *, compact: bool = False) -> None:
    """Draw what the model says.

    Parameters
    ----------
    answer : Answer
    text, caption : str
        Markdown below it; may be empty.
    compact : bool
        Whether it is one of many.
    """
    with st.container(gap=None):
        is_probable = answer.status is Status.KNOWN and not answer.almost_certain
        st.markdown(_PROBABLE if is_probable else _BADGES[answer.status])
        sentence = escape_markdown(answer.sentence())
        if compact:
            st.subheader(sentence, anchor=False)
        else:
            draw_finding(sentence)
    with st.container(gap="xxsmall"):
        if text:
            st.markdown(text)
        if caption:
            st.caption(caption)


def confidence_of(model: ModelEntry, answer: Answer) -> str:
    """How often answers of this confidence are right, as markdown."""
    tested = own_evaluation(model.folder, model.bundled)
    return confidence_text(answer, len(model.spec.classes), () if tested is None else tested.worlds)


def _caption(photo: Photo) -> str:
    return escape_markdown(truncate_middle(photo.name))


def _draw_bars(photo: Photo, answer: Answer) -> None:
    """Draw the guesses, unless the model knows none of them: then percentages of sneakers would mislead."""
    if answer.refused:
        return
    more = Key.MORE.of(photo.key)
    is_open = bool(st.session_state.get(more))
    shown = answer.top if is_open else answer.top[:FEW_GUESSES]
    draw_guess_bars(shown, answer.status, Key.BARS.of(photo.key))
    if len(answer.top) > FEW_GUESSES:
        st.button(
            "Show fewer" if is_open else "Show more",
            key=Key.MORE_BUTTON.of(photo.key),
            type="tertiary",
            icon=":material/expand_less:" if is_open else ":material/expand_more:",
            on_click=_switch,
            args=(more,),
        )


def _switch(key: str) -> None:
    st.session_state[key] = not st.session_state.get(key)


def _draw_knowledge(answer: Answer) -> None:
    """Draw what to look for in the sneaker that was recognized, or in the type of other footwear."""
    if answer.status is Status.KNOWN:
        draw_knowledge(answer.top[0].label)
    elif answer.refused and answer.footwear_type is not None:
        draw_knowledge(answer.footwear_type)


def draw_failures(answers: Sequence[Answer]) -> None:
    """Draw one sentence for each photo that could not be read."""
    failures = [escape_markdown(answer.sentence()) for answer in answers if answer.status is Status.ERROR]
    if failures:
        st.warning("\n\n".join(failures), icon=":material/broken_image:")


def draw_downloads(answers: Sequence[Answer], together: SameSneakerAnswer | None) -> None:
    """Draw buttons that download all answers as CSV or JSON."""
    with st.container(horizontal=True):
        st.download_button(
            "Download CSV",
            answers_csv(answers, FEW_GUESSES),
            "solescope-answers.csv",
            "text/csv",
            key=Key.CSV,
            on_click="ignore",
            icon=":material/table:",
        )
        st.download_button(
            "Download JSON",
            answers_json(answers, FEW_GUESSES, together),
            "solescope-answers.json",
            "application/json",
            key=Key.JSON,
            on_click="ignore",
            icon=":material/data_object:",
            help="The same format as the command line and the JSON API.",
        )
