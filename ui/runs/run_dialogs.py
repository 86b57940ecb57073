"""Dialogs of the page: rename, delete and restore. The open one is stored in the session."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import Run, delete_run, deleted_runs, rename_run, restore_run
from sneaker_core.training.study_collection import Study, delete_study, deleted_studies, restore_study
from sneaker_core.workspace.paths import workspace
from ui.kit.address import choose_next
from ui.kit.text import escape_markdown, truncate_middle
from ui.runs.run_labels import recipe_word
from ui.runs.run_table import select_runs
from ui.runs.runs_keys import Key


class Dialog(StrEnum):
    """Kind of dialog."""

    RENAME = "rename"
    DELETE_RUNS = "delete runs"
    DELETE_STUDY = "delete study"
    BIN = "bin"


@dataclass(frozen=True)
class Opened:
    """An open dialog.

    Attributes
    ----------
    dialog : Dialog
    names : tuple of str
        Names of the items.
    """

    dialog: Dialog
    names: tuple[str, ...] = ()


def open_dialog(dialog: Dialog, *names: str) -> None:
    """Show a dialog in the next run of the page."""
    st.session_state[Key.RUNS_DIALOG] = Opened(dialog, names)


def _close() -> None:
    st.session_state.pop(Key.RUNS_DIALOG, None)


def _leave() -> None:
    _close()
    st.rerun()


def draw_dialog() -> None:
    """Draw the open dialog, if any."""
    opened = st.session_state.get(Key.RUNS_DIALOG)
    if opened is None:
        return
    if opened.dialog is Dialog.RENAME:
        _draw_rename(opened.names[0])
    elif opened.dialog is Dialog.BIN:
        _draw_bin()
    else:
        _draw_delete(opened)


def _attempt(action: Callable[[], Any], done: str) -> None:
    """Run the action and close the dialog; show the error if it fails."""
    try:
        action()
    except SneakerError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return
    st.toast(done, icon=":material/check:")
    _leave()


@st.dialog("Rename run", on_dismiss=_close)
def _draw_rename(name: str) -> None:
    def rename() -> None:
        chosen = [_wanted(new, other) for other in st.session_state.get(Key.RUNS_CHOSEN) or ()]
        rename_run(workspace(), name, new)
        select_runs(chosen)

    def _wanted(new: str, other: str) -> str:
        return new if other == name else other

    with st.form(Key.RUNS_FORM, border=False):
        new = " ".join((st.text_input("Name", name, key=Key.RUN_NAME.of(name), max_chars=80) or "").split())
        if st.form_submit_button("Rename", type="primary", key=Key.RUN_RENAME.of("do")):
            _attempt(rename, "Renamed.")


@st.dialog("Move to the bin?", on_dismiss=_close)
def _draw_delete(opened: Opened) -> None:
    study = opened.dialog is Dialog.DELETE_STUDY

    def delete() -> None:
        for name in opened.names:
            (delete_study if study else delete_run)(workspace(), name)

    named = ", ".join(f"**{escape_markdown(truncate_middle(name))}**" for name in opened.names)
    them = "them" if len(opened.names) > 1 else "it"
    kept = "all its trials" if study else "curves, notes and models"
    st.markdown(f"Move {named} to the bin, with {kept}? You can restore {them} later.")
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key=Key.RUN_DELETE.of("do"), icon=":material/delete:"):
            _attempt(delete, "Moved to the bin.")
        if st.button("Cancel", key=Key.RUN_DELETE.of("cancel")):
            _leave()


def draw_bin_button() -> None:
    """Draw the button that opens the bin, unless it is empty."""
    count = len(deleted_runs(workspace())) + len(deleted_studies(workspace()))
    if count:
        st.button(
            f"Bin ({count})",
            key=Key.RUNS_BIN,
            type="tertiary",
            icon=":material/restore_from_trash:",
            on_click=open_dialog,
            args=(Dialog.BIN,),
        )


@st.dialog("Bin", on_dismiss=_close)
def _draw_bin() -> None:
    """List deleted runs and studies, each with a Restore button."""
    runs, studies = deleted_runs(workspace()), deleted_studies(workspace())
    if not runs and not studies:
        st.markdown("The bin is empty.")
    # Of several with the same name, the latest is restored first.
    for name in dict.fromkeys(run.name for run in runs):
        same = [run for run in runs if run.name == name]
        _draw_deleted("run", name, _run_words(same[0]), len(same), _restore_run)
    for name in dict.fromkeys(study.name for study in studies):
        alike = [study for study in studies if study.name == name]
        _draw_deleted("study", name, _study_words(alike[0]), len(alike), _restore_study)
    st.caption("Nothing is removed automatically. Each item is a folder in the workspace's bin.")


def _restore_run(name: str) -> None:
    select_runs([restore_run(workspace(), name).name])


def _restore_study(name: str) -> None:
    choose_next(Key.STUDY, restore_study(workspace(), name).name)


def _run_words(run: Run) -> str:
    return f"{recipe_word(run.recipe_name)} on {run.dataset}" if run.dataset else "Run"


def _study_words(study: Study) -> str:
    return f"Search on {study.dataset}, {counted(len(study.trials), 'trial')}"


def _draw_deleted(kind: str, name: str, about: str, count: int, restore: Callable[[str], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width=260):
            st.markdown(f"**{escape_markdown(truncate_middle(name))}**")
            older = f" · {count - 1} older with this name" if count > 1 else ""
            st.caption(escape_markdown(about + older))
        if st.button("Restore", key=Key.RUNS_RESTORE.of(f"{kind}-{name}")):
            _attempt(lambda: restore(name), "Restored.")
