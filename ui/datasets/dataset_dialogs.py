"""The dialogs about datasets: new, rename, delete, bin.

The session remembers which one is open, so it stays open when the page reruns, for example because a job has ended.
"""

from collections.abc import Callable
from enum import StrEnum

import streamlit as st

from sneaker_core.datasets.dataset_collection import (
    create_dataset,
    delete_dataset,
    list_bin,
    rename_dataset,
    restore_dataset,
)
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from ui.datasets.datasets_keys import Key
from ui.kit.address import choose_next
from ui.kit.dataset_work import is_busy
from ui.kit.page_frame import draw_error
from ui.kit.text import escape_markdown, truncate_middle

_LONGEST_NAME = 100


class Dialog(StrEnum):
    """The dialogs of the page, by the label of the button that opens them."""

    ADD = "Add photos"
    NEW = "New dataset"
    RENAME = "Rename"
    DELETE = "Delete"
    BIN = "Restore from bin"


def open_dialog(dialog: Dialog) -> None:
    """Show a dialog in the next run of the page."""
    st.session_state[Key.DIALOG] = dialog


def opened_dialog() -> Dialog | None:
    """The dialog to show."""
    dialog = st.session_state.get(Key.DIALOG)
    return dialog if isinstance(dialog, Dialog) else None


def close_dialog() -> None:
    """Show no dialog in the next run of the page."""
    st.session_state.pop(Key.DIALOG, None)


@st.dialog("New dataset", on_dismiss=close_dialog)
def draw_new() -> None:
    """Ask for a name and create an empty dataset."""
    with st.form(Key.DATASET_FORM, border=False):
        name = st.text_input("Name", key=Key.DATASET_NAME, placeholder="My sneakers", max_chars=_LONGEST_NAME)
        if st.form_submit_button("Create", type="primary", key=Key.DATASET_NEW):
            _attempt(lambda: create_dataset(workspace(), name or "").name, "Dataset created. Now add photos.")


@st.dialog("Rename dataset", on_dismiss=close_dialog)
def draw_rename(dataset: Dataset) -> None:
    """Ask for a new name."""

    def rename() -> str:
        rename_dataset(workspace(), dataset, name or "")
        return dataset.name

    with st.form(Key.DATASET_FORM, border=False):
        name = st.text_input(
            "Name", dataset.name, key=Key.DATASET_NAME.of(dataset.folder.name), max_chars=_LONGEST_NAME
        )
        if st.form_submit_button("Rename", type="primary", key=Key.DATASET_RENAME):
            if " ".join((name or "").split()) == dataset.name:
                _close()
            _attempt(rename, "Dataset renamed.")


@st.dialog("Delete this dataset?", on_dismiss=close_dialog)
def draw_delete(dataset: Dataset) -> None:
    """Ask before a dataset is moved to the bin."""

    def delete() -> None:
        delete_dataset(workspace(), dataset)

    if is_busy(dataset):
        st.warning("A job is running for this dataset. Stop it or wait until it has ended.")
        return
    st.markdown(
        f"**{escape_markdown(truncate_middle(dataset.name))}** is moved to the bin with all its photos, decisions and "
        "splits. You can restore it from there."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key=Key.DATASET_DELETE, icon=":material/delete:"):
            _attempt(delete, "Dataset moved to the bin.")
        if st.button("Cancel", key=Key.DATASET_CANCEL):
            _close()


@st.dialog("Bin", on_dismiss=close_dialog)
def draw_bin() -> None:
    """List deleted datasets, each with a button to restore it."""
    entries = list_bin(workspace())
    if not entries:
        st.markdown("The bin is empty.")
    for entry in entries:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width=280):
                st.markdown(f"**{escape_markdown(truncate_middle(entry.name))}**")
                classes = counted(entry.classes, "class", "classes")
                st.caption(f"{counted(entry.photos, 'photo')} in {classes}")
            if st.button("Restore", key=Key.DATASET_RESTORE.of(entry.folder.name)):
                _restore(entry.folder.name)
    st.caption("Nothing is removed from the bin automatically. It is a folder in the workspace.")


def _restore(folder: str) -> None:
    _attempt(lambda: restore_dataset(workspace(), folder).name, "Dataset restored.")


def _attempt(action: Callable[[], str | None], done: str) -> None:
    """Do what a dialog is for, show its result and close it; if that fails, draw the error and leave it open."""
    try:
        name = action()
    except SneakerError as error:
        draw_error(error)
        return
    st.toast(done, icon=":material/check:")
    if name is not None:
        choose_next(Key.DATASET, name)
    _close()


def _close() -> None:
    close_dialog()
    st.rerun()
