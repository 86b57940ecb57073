"""The button that teaches, the progress, and what came of it in plain sentences."""

import streamlit as st

from sneaker_core.training.lesson import Lesson
from sneaker_core.training.teaching import FEWEST_PHOTOS, Teaching
from ui.kit.address import choose_next, set_address_values
from ui.kit.changes import change_button
from ui.kit.model_picker import MODEL_PARAM
from ui.kit.page_links import Page, draw_page_link
from ui.kit.text import escape_markdown
from ui.teach.teach_choices import ADD, FIRST, SECOND, Target
from ui.teach.teach_keys import Key
from ui.teach.teaching_work import follow_teaching, start_teaching

# From this share of recognized photos on, the result is a good one.
_GOOD = 0.8


def draw_teaching(target: Target) -> None:
    """Draw the button that teaches, then the progress, then the result.

    Parameters
    ----------
    target : Target
    """
    is_working = follow_teaching()
    if not is_working:
        change_button(
            "Teach it",
            key=Key.TEACH,
            type="primary",
            icon=":material/school:",
            help=f"At least {FEWEST_PHOTOS} photos for each sneaker. It takes seconds, not a training.",
            on_click=start_teaching,
            args=(target,),
        )
    if problem := st.session_state.get(Key.PROBLEM):
        st.error(escape_markdown(problem), icon=":material/error:")
    result: Teaching | None = st.session_state.get(Key.RESULT)
    if result is not None and not is_working:
        _draw_result(result)


def _draw_result(result: Teaching) -> None:
    with st.container(border=True):
        for lesson in result.lessons:
            _draw_lesson(lesson)
        with st.container(horizontal=True, vertical_alignment="center"):
            draw_page_link("Try it", Page.IDENTIFY, model=result.model)
            draw_page_link("See it on Runs", Page.RUNS, runs=result.model)
            st.button(
                "Teach it another sneaker",
                key=Key.MORE,
                type="tertiary",
                icon=":material/add:",
                on_click=_teach_another,
                args=(result,),
            )


def _draw_lesson(lesson: Lesson) -> None:
    is_good = lesson.recognized >= _GOOD * lesson.total
    told, *more = (escape_markdown(sentence) for sentence in lesson.sentences())
    st.header(f"{':material/check_circle:' if is_good else ':material/info:'} {told}", anchor=False)
    st.markdown("\n".join(f"- {sentence}" for sentence in more))
    if not is_good:
        st.caption("More photos help, from other sides and in other light: teach it the same name again.")


def _teach_another(result: Teaching) -> None:
    """Clear what was given, and go on with the taught model."""
    st.session_state.pop(Key.RESULT, None)
    set_address_values({FIRST.name: None, SECOND.name: None, Key.COPY: None})
    choose_next(Key.START, ADD)
    choose_next(MODEL_PARAM, result.model)
