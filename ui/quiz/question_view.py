"""A question of the quiz: the photo with the names to choose from, and after the answer who was right, and why."""

from pathlib import Path

import streamlit as st

from sneaker_core.catalog.entries import Sneaker
from sneaker_core.catalog.lookup import find_entry
from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from ui.kit.evaluation_cache import evaluated_model
from ui.kit.photo_files import stored_photo
from ui.kit.photo_previews import preview
from ui.kit.small_heat_map import HEAT_MAP_LEGEND, draw_heat_map
from ui.kit.text import escape_markdown, probability_text, truncate
from ui.quiz.quiz_keys import Key
from ui.quiz.quiz_turn import Turn, give_answer, show_question

# The photo has the same place and size before and after the answer, whatever its own size is.
_HEIGHT, _HEIGHT_ON_PHONES = 420, 248
_STYLE = f"""<style>
.st-key-{Key.QUIZ_PHOTO} {{min-height: {_HEIGHT}px;}}
.st-key-{Key.QUIZ_PHOTO} img {{width: 100%; height: {_HEIGHT}px; object-fit: contain; border-radius: 0.75rem;
    background: rgba(143, 147, 163, 0.12);}}
.st-key-{Key.QUIZ_OPTIONS} button {{min-height: 3.75rem; font-size: 1.125rem;}}
.st-key-{Key.QUIZ_OPTIONS} button p {{font-size: 1.125rem; overflow-wrap: anywhere;}}
[class*="st-key-{Key.QUIZ_NEXT}"] button {{min-height: 3.25rem;}}
@media (max-width: 640px) {{
    .st-key-{Key.QUIZ_PHOTO} {{min-height: {_HEIGHT_ON_PHONES}px;}}
    .st-key-{Key.QUIZ_PHOTO} img {{height: {_HEIGHT_ON_PHONES}px;}}
}}
</style>"""
_MISSING = "The file of this photo is missing, so you can only guess."


def draw_question(turn: Turn) -> None:
    """Draw the question on show, or who was right if it has an answer."""
    st.html(_STYLE)
    of = len(turn.played.questions)
    score = f" · {turn.played.score.title}" if turn.played.answers else ""
    st.progress((turn.at + (turn.answer is not None)) / of, text=f"**{turn.at + 1} of {of}**{score}")
    photo = _photo(turn)
    left, right = st.columns([6, 5], gap="medium")
    with left, st.container(key=Key.QUIZ_PHOTO, gap="xsmall"):
        _draw_picture(turn, photo)
    with right:
        if turn.answer is None:
            _draw_options(turn)
        else:
            _draw_verdict(turn, turn.answer)


def _photo(turn: Turn) -> Photo | None:
    """The photo file; None if it is missing or can't be read."""
    try:
        return stored_photo(Path(turn.question.path), turn.question.sample)
    except SneakerError:
        return None


def _draw_picture(turn: Turn, photo: Photo | None) -> None:
    """Draw the photo; after the answer under the model's heat map, if the model is still there."""
    question = turn.question
    if photo is None:
        st.warning(_MISSING, icon=":material/broken_image:")
        return
    key = None if turn.answer is None else evaluated_model(turn.evaluation)
    picture = st.container()
    is_hot = key is not None and st.toggle(
        "Show where the model looked", value=True, key=Key.QUIZ_HEAT, persist_state="session", help=HEAT_MAP_LEGEND
    )
    with picture:
        if key is not None and is_hot and draw_heat_map(key, photo, question.predicted, height=_HEIGHT):
            return
        alt = "The photo in question" if turn.answer is None else f"The photo: {truncate(question.label)}"
        try:
            st.image(preview(photo), width="stretch", alt=alt)
        except SneakerError as error:
            st.warning(escape_markdown(str(error)), icon=":material/broken_image:")


def _draw_options(turn: Turn) -> None:
    options = turn.question.options
    st.header("Which one is it?", anchor=False)
    with st.container(key=Key.QUIZ_OPTIONS, gap="small"):
        for number, option in enumerate(options, start=1):
            st.button(
                escape_markdown(option),
                key=Key.QUIZ_OPTION.of(f"{turn.seed}-{turn.at}-{number}"),
                shortcut=str(number),
                width="stretch",
                on_click=give_answer,
                args=(turn, option),
            )
    if turn.question.is_hard:
        st.caption("A hard one: the model itself has mixed up two of these.")


def _draw_verdict(turn: Turn, answer: str) -> None:
    question = turn.question
    label = escape_markdown(question.label)
    you_are_right = answer == question.label
    st.header(f":green[Right:] {label}" if you_are_right else f":red[Wrong:] it’s {label}", anchor=False)
    confidence = f" with {probability_text(question.probability)} confidence"
    st.markdown(
        "  \n".join(
            (_said("You", answer, question.label), _said("The model", question.predicted, question.label, confidence))
        )
    )
    if problem := st.session_state.pop(Key.QUIZ_UNCOUNTED, None):
        st.warning(escape_markdown(problem))
    last = len(turn.played.questions) - 1
    st.button(
        "See the score" if turn.at == last else "Next",
        key=Key.QUIZ_NEXT.of(str(turn.at)),
        type="primary",
        shortcut="Right",
        width="stretch",
        on_click=show_question,
        args=(turn.at + 1,),
    )
    if turn.played.is_over and turn.at < last:
        st.button("Back to the score", key=Key.QUIZ_TO_SCORE, width="stretch", on_click=show_question, args=(last + 1,))
    _draw_marks(question.label)


def _said(who: str, answer: str, label: str, confidence: str = "") -> str:
    """Who said what, and whether it is right, as Markdown."""
    name = f"**{who}** said {escape_markdown(answer)}{confidence}:"
    return f":green[:material/check:] {name} right." if answer == label else f":red[:material/close:] {name} wrong."


def _draw_marks(label: str) -> None:
    """Draw what tells the class from its look-alikes, if the catalog knows it."""
    entry = find_entry(label)
    marks = () if entry is None else entry.marks if isinstance(entry, Sneaker) else (entry.distinction,)
    if marks:
        title = f"**{'The mark that decides' if len(marks) == 1 else 'The marks that decide'}**"
        st.markdown("\n".join((title, "", *(f"- {escape_markdown(mark)}" for mark in marks))))
