"""The dataset to show, and the buttons and dialogs about it."""

import streamlit as st

from sneaker_core.datasets.dataset_collection import (
    damaged_datasets,
    datasets_by_name,
    list_bin,
)
from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.workspace.paths import workspace
from ui.datasets import dataset_dialogs as dialogs
from ui.datasets.add_photos_view import open_add_photos
from ui.datasets.dataset_dialogs import Dialog, close_dialog, open_dialog, opened_dialog
from ui.datasets.datasets_keys import Key
from ui.kit.address import choose_item
from ui.kit.dataset_cache import is_empty
from ui.kit.text import escape_markdown

_ICONS = {Dialog.NEW: "add", Dialog.RENAME: "edit", Dialog.DELETE: "delete", Dialog.BIN: "restore_from_trash"}


def choose_dataset() -> Dataset | None:
    """Draw the choice of the dataset; None if there is no dataset.

    Raises
    ------
    DatasetError
        The chosen dataset can't be opened.
    """
    for reason in damaged_datasets(workspace()).values():
        st.error(escape_markdown(reason), icon=":material/heart_broken:")
    entries = datasets_by_name(workspace())
    if not entries:
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        name = choose_item(Key.DATASET, list(entries), noun="dataset")
        dataset = open_index(entries[name].folder)
        # The page of an empty dataset shows the same forms itself.
        if not is_empty(dataset):
            st.button(
                Dialog.ADD.value,
                key=Key.DATASET_ADD,
                icon=":material/add_photo_alternate:",
                on_click=open_dialog,
                args=(Dialog.ADD,),
            )
        _draw_menu()
    draw_dialog(dataset)
    return dataset


def _draw_menu() -> None:
    chosen = st.menu_button(
        "More",
        [dialog.value for dialog in _ICONS if dialog is not Dialog.BIN or list_bin(workspace())],
        key=Key.DATASET_MORE,
        icon=":material/more_horiz:",
        format_func=lambda name: f":material/{_ICONS[Dialog(name)]}: {name}",
    )
    if chosen:
        open_dialog(Dialog(chosen))


def draw_dialog(dataset: Dataset | None) -> None:
    """Draw the open dialog, if any.

    Parameters
    ----------
    dataset : Dataset or None
        The chosen dataset, which some dialogs are about.
    """
    dialog = opened_dialog()
    if dialog is Dialog.NEW:
        dialogs.draw_new()
    elif dialog is Dialog.BIN:
        dialogs.draw_bin()
    elif dataset is None:
        close_dialog()
    elif dialog is Dialog.ADD:
        if is_empty(dataset):
            close_dialog()
        else:
            open_add_photos(dataset)
    elif dialog is Dialog.RENAME:
        dialogs.draw_rename(dataset)
    elif dialog is Dialog.DELETE:
        dialogs.draw_delete(dataset)
