"""What the page asks before it acts: a new evaluation, another name, the bin."""

from collections.abc import Callable
from enum import StrEnum
from functools import partial

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import (
    Evaluation,
    Kind,
    delete_evaluation,
    deleted_evaluations,
    rename_evaluation,
    restore_evaluation,
)
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.new_evaluation import draw_start
from ui.kit.text import plain, shortened

GoTo = Callable[[Evaluation], None]


class Dialog(StrEnum):
    """The dialogs of the page, by the words that open them."""

    NEW = "New evaluation"
    RENAME = "Rename"
    DELETE = "Delete"
    BIN = "Restore from the bin"


def open_dialog(dialog: Dialog) -> None:
    """Have the next run of the page show a dialog."""
    st.session_state[Key.EVALUATION_DIALOG] = dialog


def _close() -> None:
    st.session_state.pop(Key.EVALUATION_DIALOG, None)


def _leave() -> None:
    _close()
    st.rerun()


def draw_dialog(chosen: Evaluation | None, go_to: GoTo) -> None:
    """Show the dialog that is open, if any.

    Parameters
    ----------
    chosen : Evaluation or None
        Which some dialogs are about.
    go_to : callable
        Shows an evaluation.
    """
    dialog = st.session_state.get(Key.EVALUATION_DIALOG)
    if dialog is Dialog.NEW:
        _draw_new(go_to)
    elif dialog is Dialog.BIN:
        _draw_bin(go_to)
    elif dialog is None or chosen is None or chosen.kind is not Kind.STORED:
        _close()
    elif dialog is Dialog.RENAME:
        _draw_rename(chosen, go_to)
    elif dialog is Dialog.DELETE:
        _draw_delete(chosen)


def _attempt(action: Callable[[], Evaluation | None], done: str, go_to: GoTo | None = None) -> None:
    """Do what a dialog asked for; close it, or say in it why that failed."""
    try:
        found = action()
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.toast(done, icon=":material/check:")
    if found is not None and go_to is not None:
        go_to(found)
    _leave()


@st.dialog("New evaluation", on_dismiss=_close)
def _draw_new(go_to: GoTo) -> None:
    st.markdown("A model is shown photos of which the sneaker is known, and every answer is kept to look into.")
    start = draw_start()
    if start is not None:
        _attempt(start, "It is at work.", go_to)


@st.dialog("Another name for this evaluation", on_dismiss=_close)
def _draw_rename(chosen: Evaluation, go_to: GoTo) -> None:
    with st.form(Key.EVALUATION_FORM, border=False):
        typed = st.text_input("Name", chosen.name, key=Key.EVALUATION_NAME.of(chosen.name), max_chars=80)
        new = " ".join((typed or "").split())
        if st.form_submit_button("Rename", type="primary", key=Key.EVALUATION_SAVE):
            _attempt(lambda: rename_evaluation(workspace(), chosen.name, new), "It has its new name.", go_to)


@st.dialog("Into the bin?", on_dismiss=_close)
def _draw_delete(chosen: Evaluation) -> None:
    def delete() -> None:
        delete_evaluation(workspace(), chosen.name)

    st.markdown(
        f"**{plain(shortened(chosen.name))}** goes to the bin. The model and the photos stay as they are, and you can "
        "bring the evaluation back."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key=Key.EVALUATION_SAVE.of("delete"), icon=":material/delete:"):
            _attempt(delete, "It is in the bin now.")
        if st.button("Leave it", key=Key.EVALUATION_SAVE.of("leave")):
            _leave()


@st.dialog("The bin", on_dismiss=_close)
def _draw_bin(go_to: GoTo) -> None:
    """List deleted evaluations, each with a button to bring it back."""
    deleted = deleted_evaluations(workspace())
    if not deleted:
        st.markdown("The bin is empty.")
    # Of several with one name the latest comes back first; the others show up after it.
    for name in dict.fromkeys(one.name for one in deleted):
        same = [one for one in deleted if one.name == name]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width=260):
                st.markdown(f"**{plain(shortened(name))}**")
                older = f" · {len(same) - 1} older of this name" if len(same) > 1 else ""
                st.caption(plain(_about(same[0]) + older))
            if st.button("Bring back", key=Key.EVALUATION_RESTORE.of(name)):
                _attempt(partial(restore_evaluation, workspace(), name), "It is back.", go_to)
    st.caption("Nothing here is removed by itself: each is a folder in the bin of the workspace.")


def _about(evaluation: Evaluation) -> str:
    return f"{evaluation.model} on {evaluation.data}" if evaluation.model and evaluation.data else "An evaluation"
