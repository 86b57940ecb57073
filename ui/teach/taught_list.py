"""What a model was taught, each sneaker with a button to forget it, and what it forgot, with one to undo that."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sneaker_core.number_text import counted
from sneaker_core.training.teaching import forget, recall
from sneaker_core.workspace.paths import workspace
from ui.kit.changes import change_button
from ui.kit.job_panel import attempt
from ui.kit.page_links import Page, draw_page_link
from ui.kit.text import escape_markdown
from ui.teach.teach_choices import Target
from ui.teach.teach_keys import Key


def draw_taught(target: Target) -> None:
    """Draw what the taught model was taught; nothing if it doesn't exist yet.

    Parameters
    ----------
    target : Target
    """
    if target.summary is None or target.copy is None:
        return
    st.header(f"What “{escape_markdown(target.name)}” was taught", anchor=False)
    if not target.summary.sneakers:
        st.markdown(f"Nothing now: it answers like {escape_markdown(target.summary.base)}.")
    with st.container(gap="xsmall", key=Key.TAUGHT):
        for name, photos in target.summary.sneakers.items():
            with _row(name, f"{counted(photos, 'photo')}"):
                _button("Forget", Key.FORGET.of(name), ":material/delete:", target.name, name)
        for name, photos in target.summary.forgotten.items():
            with _row(name, f"forgotten, {counted(photos, 'photo')}"):
                _button("Undo", Key.RECALL.of(name), ":material/undo:", target.name, name)
    with st.container(horizontal=True):
        if Key.RESULT not in st.session_state:  # which has the same link
            draw_page_link("Try it", Page.IDENTIFY, model=target.name)
        draw_page_link("Rename or delete it on Runs", Page.RUNS, runs=target.name)


def _row(name: str, about: str) -> DeltaGenerator:
    row = st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    row.markdown(f"**{escape_markdown(name)}**  \n:gray[{about}]", width="stretch")
    return row


def _button(word: str, key: str, icon: str, model: str, sneaker: str) -> None:
    change_button(
        word, key=key, icon=icon, on_click=_change, args=(forget if word == "Forget" else recall, sneaker, model)
    )


def _change(change: Callable[[Path, str, str], object], sneaker: str, model: str) -> None:
    attempt(lambda: change(workspace(), sneaker, model))
