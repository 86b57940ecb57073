"""Dialogs of the Datasets page: photos to add, and what can be done with a dataset."""

import streamlit as st

from sneaker_core.datasets.dataset_collection import (
    DatasetEntry,
    create_dataset,
    datasets_of,
    delete_dataset,
    rename_dataset,
    restore_dataset,
)
from sneaker_core.datasets.index import Dataset
from sneaker_core.number_text import counted
from ui.datasets.add_photos_view import draw_add_photos
from ui.datasets.datasets_keys import Key
from ui.kit.dataset_cache import is_empty
from ui.kit.item_dialogs import ItemKind, close_dialog, draw_dialogs, opened_dialog
from ui.kit.photo_detail import close_photo

ADD_PHOTOS = "Add photos"


def _about(entry: DatasetEntry) -> str:
    return f"{counted(entry.photos, 'photo')} in {counted(entry.classes, 'class', 'classes')}"


DATASETS = ItemKind(
    Key.DATASET,
    "dataset",
    datasets_of,
    _about,
    "all its photos, decisions and splits",
    create=create_dataset,
    rename=rename_dataset,
    delete=delete_dataset,
    restore=restore_dataset,
    longest_name=100,
)


def draw_open_dialog(dataset: Dataset | None) -> None:
    """Draw the open dialog, if any.

    Parameters
    ----------
    dataset : Dataset or None
        The chosen one, to which photos are added.
    """
    dialog = opened_dialog()
    if dialog is None:
        return
    # Only one dialog can be open, and Back may have led to the address of a photo.
    close_photo()
    if dialog.action != ADD_PHOTOS:
        draw_dialogs(DATASETS)
    elif dataset is None or is_empty(dataset):
        close_dialog()  # the page shows the same forms itself
    else:
        _draw_add_photos(dataset)


@st.dialog(ADD_PHOTOS, width="medium", on_dismiss=close_dialog)
def _draw_add_photos(dataset: Dataset) -> None:
    draw_add_photos(dataset)
