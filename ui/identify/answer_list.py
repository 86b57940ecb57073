"""The answers to the uploaded photos, drawn one by one as they come."""

import html
import math
import time
from collections.abc import Iterable, Iterator, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sneaker_core.images import Photo
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.number_text import counted
from ui.identify.answer_cards import draw_card, draw_downloads, draw_failures
from ui.identify.answer_text import summary_text
from ui.identify.identify_keys import Key
from ui.identify.same_verdict import draw_same_sneaker
from ui.kit import model_cache

PHOTOS_A_PAGE = 6
# Answers that are known already come sooner than this, in seconds: a bar would only flicker.
_SHOW_PROGRESS_AFTER = 0.4
_CARD_HEIGHT = 420
_UNSEEN = (
    f"<style>div:has(> .st-key-{Key.STATUS}) {{position: absolute; width: 1px; height: 1px; overflow: hidden;}}</style>"
)


def draw_answers(model: ModelEntry, photos: Sequence[Photo]) -> None:
    """Draw a card for each photo, as soon as it is answered; of many photos, a summary and a page of cards.

    Parameters
    ----------
    model : ModelEntry
    photos : sequence of Photo
        At least one.
    """
    many, together = len(photos) > 1, None
    head, bar, cards = st.container(), st.empty(), st.container()
    if not many:
        with cards.skeleton(_CARD_HEIGHT):
            model_cache.answer(model_cache.ModelKey(str(model.folder), model.version), photos[0])
    page = st.session_state.get(Key.PAGE, 1) if len(photos) > PHOTOS_A_PAGE else 1
    with cards, st.grid(2 if many else 1, min_column_width=360):
        answers = _answer_and_draw(model, _with_progress(photos, bar), many, page)
    with head:
        if many:
            st.header(summary_text(answers), anchor=False)
            together = draw_same_sneaker(model, photos)
            draw_downloads(answers, together)
        draw_failures(answers)
    shown = together.answer if together is not None else answers[0]
    _announce(summary_text(answers) if many and together is None else shown.sentence())
    readable = sum(answer.status is not Status.ERROR for answer in answers)
    if readable > PHOTOS_A_PAGE:
        st.pagination(math.ceil(readable / PHOTOS_A_PAGE), key=Key.PAGE, persist_state="session")


def _answer_and_draw(model: ModelEntry, photos: Iterable[Photo], many: bool, page: int) -> list[Answer]:
    """Answer all photos, and draw the cards of a page, or of the last one if there are fewer pages."""
    key = model_cache.ModelKey(str(model.folder), model.version)
    answers: list[Answer] = []
    readable: list[tuple[Photo, Answer]] = []

    def draw(chosen: Sequence[tuple[Photo, Answer]]) -> None:
        for photo, answer in chosen:
            draw_card(model, key, photo, answer, compact=many)

    for photo in photos:
        answers.append(model_cache.answer(key, photo))
        if answers[-1].status is not Status.ERROR:
            readable.append((photo, answers[-1]))
            if (len(readable) - 1) // PHOTOS_A_PAGE == page - 1:
                draw(readable[-1:])
    if readable and (last := (len(readable) - 1) // PHOTOS_A_PAGE) < page - 1:
        draw(readable[last * PHOTOS_A_PAGE :])
    return answers


def _with_progress(photos: Sequence[Photo], bar: DeltaGenerator) -> Iterator[Photo]:
    """The photos in turn, with a progress bar while they are answered."""
    started = time.monotonic()
    for number, photo in enumerate(photos):
        if len(photos) > 1 and (number == 0 or time.monotonic() - started > _SHOW_PROGRESS_AFTER):
            done = f"Identifying {counted(len(photos), 'photo')}: {number:,} done" if number else "Identifying…"
            bar.progress(number / len(photos), done)
        yield photo
    bar.empty()


def _announce(text: str) -> None:
    """Say it to people who can't see the answer appear."""
    st.html(_UNSEEN)
    with st.container(key=Key.STATUS):
        st.html(f'<div role="status">{html.escape(text)}</div>')
