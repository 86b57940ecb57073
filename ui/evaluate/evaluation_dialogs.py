"""Dialogs of the Evaluate page: new evaluation, rename, delete, and the bin."""

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
from ui.evaluate.new_evaluation_form import draw_form
from ui.kit.page_frame import draw_error
from ui.kit.text import escape_markdown, truncate_middle

GoTo = Callable[[Evaluation], None]


class Dialog(StrEnum):
    """The dialogs of the page, by the words that open them."""

    NEW = "New evaluation"
    RENAME = "Rename"
    DELETE = "Delete"
    BIN = "Restore deleted"


def open_dialog(dialog: Dialog) -> None:
    """Show a dialog on the next run of the page."""
    st.session_state[Key.DIALOG] = dialog


def _close() -> None:
    st.session_state.pop(Key.DIALOG, None)


def _close_now() -> None:
    _close()
    st.rerun()


def draw_dialog(chosen: Evaluation | None, go_to: GoTo) -> None:
    """Draw the open dialog, if any.

    Parameters
    ----------
    chosen : Evaluation or None
        The evaluation to rename or delete.
    go_to : callable
        Shows an evaluation.
    """
    dialog = st.session_state.get(Key.DIALOG)
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
    """Do what a dialog offers and close it, or show the error in it."""
    try:
        found = action()
    except SneakerError as error:
        draw_error(error)
        return
    st.toast(done, icon=":material/check:")
    if found is not None and go_to is not None:
        go_to(found)
    _close_now()


@st.dialog("New evaluation", on_dismiss=_close)
def _draw_new(go_to: GoTo) -> None:
    st.markdown("Runs a model on labeled photos and saves its predictions.")
    start = draw_form()
    if start is not None:
        _attempt(start, "Evaluation started.", go_to)


@st.dialog("Rename evaluation", on_dismiss=_close)
def _draw_rename(chosen: Evaluation, go_to: GoTo) -> None:
    with st.form(Key.FORM, border=False):
        typed = st.text_input("Name", chosen.name, key=Key.NAME.of(chosen.name), max_chars=80)
        new = " ".join((typed or "").split())
        if st.form_submit_button("Rename", type="primary", key=Key.SAVE):
            _attempt(lambda: rename_evaluation(workspace(), chosen.name, new), "Evaluation renamed.", go_to)


@st.dialog("Delete evaluation?", on_dismiss=_close)
def _draw_delete(chosen: Evaluation) -> None:
    def delete() -> None:
        delete_evaluation(workspace(), chosen.name)

    st.markdown(
        f"**{escape_markdown(truncate_middle(chosen.name))}** will move to the bin, from where you can restore it. The "
        "model and the photos are not affected."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key=Key.SAVE.of("delete"), icon=":material/delete:"):
            _attempt(delete, "Evaluation deleted.")
        if st.button("Cancel", key=Key.SAVE.of("leave")):
            _close_now()


@st.dialog("Deleted evaluations", on_dismiss=_close)
def _draw_bin(go_to: GoTo) -> None:
    deleted = deleted_evaluations(workspace())
    if not deleted:
        st.markdown("The bin is empty.")
    # Of several with the same name, the one deleted last is offered first.
    for name in dict.fromkeys(one.name for one in deleted):
        same = [one for one in deleted if one.name == name]
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width=260):
                st.markdown(f"**{escape_markdown(truncate_middle(name))}**")
                older = f" · {len(same) - 1} older with this name" if len(same) > 1 else ""
                st.caption(escape_markdown(_about(same[0]) + older))
            if st.button("Restore", key=Key.RESTORE.of(name)):
                _attempt(partial(restore_evaluation, workspace(), name), "Evaluation restored.", go_to)
    st.caption("Deleted evaluations stay in the workspace’s bin folder until you remove them there.")


def _about(evaluation: Evaluation) -> str:
    return f"{evaluation.model} on {evaluation.data}" if evaluation.model and evaluation.data else "Evaluation"
