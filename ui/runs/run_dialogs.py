"""The dialogs of the page: another name, into the bin, back from it. Which is open is kept with the session."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.training.run_collection import Run, delete_run, deleted_runs, rename_run, restore_run
from sneaker_core.training.study_collection import Study, delete_study, deleted_studies, restore_study
from sneaker_core.workspace.paths import workspace
from ui.kit.text import counted, plain, shortened
from ui.runs.run_labels import recipe_word
from ui.runs.run_table import look_at
from ui.runs.runs_keys import Key


class Dialog(StrEnum):
    """What is asked."""

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
        Whom it is about.
    """

    dialog: Dialog
    names: tuple[str, ...] = ()


def open_dialog(dialog: Dialog, *names: str) -> None:
    """Have the next run of the page show a dialog."""
    st.session_state[Key.RUNS_DIALOG] = Opened(dialog, names)


def _close() -> None:
    st.session_state.pop(Key.RUNS_DIALOG, None)


def _leave() -> None:
    _close()
    st.rerun()


def draw_dialog() -> None:
    """Show the dialog that is open, if any."""
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
    """Do what a dialog asked for; close it, or say in it why that failed."""
    try:
        action()
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.toast(done, icon=":material/check:")
    _leave()


@st.dialog("Another name for this run", on_dismiss=_close)
def _draw_rename(name: str) -> None:
    def rename() -> None:
        chosen = [_wanted(new, other) for other in st.session_state.get(Key.RUNS_CHOSEN) or ()]
        rename_run(workspace(), name, new)
        look_at(chosen)

    def _wanted(new: str, other: str) -> str:
        return new if other == name else other

    with st.form(Key.RUNS_FORM, border=False):
        new = " ".join((st.text_input("Name", name, key=Key.RUN_NAME.of(name), max_chars=80) or "").split())
        if st.form_submit_button("Rename", type="primary", key=Key.RUN_RENAME.of("do")):
            _attempt(rename, "It has its new name.")


@st.dialog("Into the bin?", on_dismiss=_close)
def _draw_delete(opened: Opened) -> None:
    study = opened.dialog is Dialog.DELETE_STUDY

    def delete() -> None:
        for name in opened.names:
            (delete_study if study else delete_run)(workspace(), name)

    named = ", ".join(f"**{plain(shortened(name))}**" for name in opened.names)
    them = "them" if len(opened.names) > 1 else "it"
    kept = "all its trials" if study else "curves, notes and models"
    st.markdown(f"{named}: to the bin with {kept}? You can bring {them} back from there.")
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key=Key.RUN_DELETE.of("do"), icon=":material/delete:"):
            _attempt(delete, "In the bin now.")
        if st.button("Leave it", key=Key.RUN_DELETE.of("cancel")):
            _leave()


def draw_bin_button() -> None:
    """Draw the way into the bin, where there is something in it."""
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


@st.dialog("The bin", on_dismiss=_close)
def _draw_bin() -> None:
    """List deleted runs and studies, each with a button to bring it back."""
    runs, studies = deleted_runs(workspace()), deleted_studies(workspace())
    if not runs and not studies:
        st.markdown("The bin is empty.")
    # Of several with one name the latest comes back first; the others show up after it.
    for name in dict.fromkeys(run.name for run in runs):
        same = [run for run in runs if run.name == name]
        _draw_deleted("run", name, _run_words(same[0]), len(same), _restore_run)
    for name in dict.fromkeys(study.name for study in studies):
        alike = [study for study in studies if study.name == name]
        _draw_deleted("study", name, _study_words(alike[0]), len(alike), _restore_study)
    st.caption("Nothing here is removed by itself: each is a folder in the bin of the workspace.")


def _restore_run(name: str) -> None:
    look_at([restore_run(workspace(), name).name])


def _restore_study(name: str) -> None:
    st.session_state[Key.STUDY_WANTED] = restore_study(workspace(), name).name


def _run_words(run: Run) -> str:
    return f"{recipe_word(run.recipe_name)} on {run.dataset}" if run.dataset else "Run"


def _study_words(study: Study) -> str:
    return f"Search on {study.dataset}, {counted(len(study.trials), 'trial')}"


def _draw_deleted(kind: str, name: str, about: str, count: int, restore: Callable[[str], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width=260):
            st.markdown(f"**{plain(shortened(name))}**")
            older = f" · {count - 1} older of this name" if count > 1 else ""
            st.caption(plain(about + older))
        if st.button("Restore", key=Key.RUNS_RESTORE.of(f"{kind}-{name}")):
            _attempt(lambda: restore(name), "It is back.")
