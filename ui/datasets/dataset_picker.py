"""Which dataset the page shows; new ones, other names, the bin."""

from collections.abc import Callable

import streamlit as st

from sneaker_core.datasets.dataset_collection import (
    DatasetEntry,
    create_dataset,
    damaged_datasets,
    delete_dataset,
    list_bin,
    list_datasets,
    rename_dataset,
    restore_dataset,
)
from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.paths import workspace
from ui.datasets.add_photos_view import open_arrivals
from ui.datasets.dataset_dialogs import Dialog, close_dialog, open_dialog, opened_dialog
from ui.datasets.datasets_keys import Key
from ui.kit.dataset_cache import is_empty
from ui.kit.dataset_work import is_busy
from ui.kit.quantities import counted_classes, counted_photos
from ui.kit.text import plain, shortened


def go_to(dataset: str | None = None, section: str | None = None) -> None:
    """Have the next run of the page show this dataset and this section."""
    if dataset is not None:
        st.session_state[Key.DATASET_WANTED] = dataset
    if section is not None:
        st.session_state[Key.SECTION_WANTED] = section


def choose_section(sections: list[str]) -> str:
    """The part of the page to draw; it is in the address too."""
    wanted = st.session_state.pop(Key.SECTION_WANTED, None)
    if wanted in sections:
        st.session_state[Key.SECTION] = wanted
    section = st.segmented_control(
        "Section",
        sections,
        default=sections[0],
        required=True,
        key=Key.SECTION,
        label_visibility="collapsed",
        wrap=True,
        bind="query-params",
    )
    return section if section in sections else sections[0]


def choose_dataset() -> Dataset | None:
    """The dataset to show; None while there is none.

    Raises
    ------
    DatasetError
        It cannot be opened.
    """
    for reason in damaged_datasets(workspace()).values():
        st.error(plain(reason), icon=":material/heart_broken:")
    entries = by_name(list_datasets(workspace()))
    if not entries:
        return None
    wanted = st.session_state.pop(Key.DATASET_WANTED, None)
    if wanted in entries:
        st.session_state[Key.DATASET] = wanted
    else:
        # Set anew each time and not by `index`: a default is not written into the address.
        chosen = st.session_state.get(Key.DATASET)
        st.session_state[Key.DATASET] = chosen if chosen in entries else next(iter(entries))
    with st.container(horizontal=True, vertical_alignment="center"):
        name = st.selectbox(
            "Dataset",
            list(entries),
            index=None,
            required=True,
            key=Key.DATASET,
            label_visibility="collapsed",
            bind="query-params",
            width=420,
        )
        if name not in entries:
            # The browser's "Back" leads to an address without a dataset, and empties the choice.
            go_to(next(iter(entries)))
            st.rerun()
        dataset = open_index(entries[name].folder)
        # An empty dataset shows the same ways in on the page itself.
        if not is_empty(dataset):
            st.button(
                "Add photos",
                key=Key.DATASET_ADD,
                icon=":material/add_photo_alternate:",
                on_click=open_dialog,
                args=(Dialog.ADD,),
            )
        _draw_more()
    draw_dialog(dataset)
    return dataset


def by_name(entries: list[DatasetEntry]) -> dict[str, DatasetEntry]:
    """Told apart by their folders where two have one name, as copies made by hand have."""
    names = [entry.name for entry in entries]
    return {entry.name if names.count(entry.name) == 1 else entry.folder.name: entry for entry in entries}


def _draw_more() -> None:
    icons = {Dialog.NEW: "add", Dialog.RENAME: "edit", Dialog.DELETE: "delete", Dialog.BIN: "restore_from_trash"}
    chosen = st.menu_button(
        "More",
        [dialog.value for dialog in icons if dialog is not Dialog.BIN or list_bin(workspace())],
        key=Key.DATASET_MORE,
        icon=":material/more_horiz:",
        format_func=lambda name: f":material/{icons[Dialog(name)]}: {name}",
    )
    if chosen:
        open_dialog(Dialog(chosen))


def draw_dialog(dataset: Dataset | None) -> None:
    """Show the dialog that is open, if any.

    Parameters
    ----------
    dataset : Dataset or None
        The chosen one, which some dialogs are about.
    """
    dialog = opened_dialog()
    if dialog is Dialog.NEW:
        _draw_new()
    elif dialog is Dialog.BIN:
        _draw_bin()
    elif dataset is None:
        close_dialog()
    elif dialog is Dialog.ADD:
        if is_empty(dataset):
            close_dialog()
        else:
            open_arrivals(dataset)
    elif dialog is Dialog.RENAME:
        _draw_rename(dataset)
    elif dialog is Dialog.DELETE:
        _draw_delete(dataset)


def _attempt(action: Callable[[], str | None], done: str) -> None:
    """Do what a dialog asked for; close it, or say in it why that failed."""
    try:
        name = action()
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    st.toast(done, icon=":material/check:")
    go_to(name)
    _leave()


def _leave() -> None:
    close_dialog()
    st.rerun()


@st.dialog("New dataset", on_dismiss=close_dialog)
def _draw_new() -> None:
    """Ask for a name and make an empty dataset."""
    with st.form(Key.DATASET_FORM, border=False):
        name = st.text_input("Name", key=Key.DATASET_NAME, placeholder="My sneakers", max_chars=100)
        if st.form_submit_button("Make it", type="primary", key=Key.DATASET_NEW):
            _attempt(lambda: create_dataset(workspace(), name or "").name, "There it is, waiting for photos.")


@st.dialog("Another name for this dataset", on_dismiss=close_dialog)
def _draw_rename(dataset: Dataset) -> None:
    def rename() -> str:
        rename_dataset(workspace(), dataset, name or "")
        return dataset.name

    with st.form(Key.DATASET_FORM, border=False):
        name = st.text_input("Name", dataset.name, key=Key.DATASET_NAME.of(dataset.folder.name), max_chars=100)
        if st.form_submit_button("Rename", type="primary", key=Key.DATASET_RENAME):
            if " ".join((name or "").split()) == dataset.name:
                _leave()
            _attempt(rename, "It has its new name.")


@st.dialog("Delete this dataset?", on_dismiss=close_dialog)
def _draw_delete(dataset: Dataset) -> None:
    def delete() -> None:
        delete_dataset(workspace(), dataset)

    if is_busy(dataset):
        st.warning("Something is at work in this dataset. Stop it first, or wait until it has ended.")
        return
    st.markdown(
        f"**{plain(shortened(dataset.name))}** goes to the bin with all its photos, decisions and splits. You can "
        "bring it back from there."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", key=Key.DATASET_DELETE, icon=":material/delete:"):
            _attempt(delete, "It is in the bin now.")
        if st.button("Leave it", key=Key.DATASET_CANCEL):
            _leave()


@st.dialog("The bin", on_dismiss=close_dialog)
def _draw_bin() -> None:
    """List deleted datasets, each with a button to bring it back."""
    entries = list_bin(workspace())
    if not entries:
        st.markdown("The bin is empty.")
    for entry in entries:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width=280):
                st.markdown(f"**{plain(shortened(entry.name))}**")
                st.caption(f"{counted_photos(entry.photos)} of {counted_classes(entry.classes)}")
            if st.button("Bring back", key=Key.DATASET_RESTORE.of(entry.folder.name)):
                _restore(entry)
    st.caption("Nothing here is removed by itself: each is a folder in the bin of the workspace.")


def _restore(entry: DatasetEntry) -> None:
    _attempt(lambda: restore_dataset(workspace(), entry.folder.name).name, "It is back.")
