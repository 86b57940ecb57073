"""Which dataset the page shows, and the buttons beside the choice."""

import streamlit as st

from sneaker_core.datasets.dataset_collection import damaged_datasets, datasets_by_name, repair_dataset
from sneaker_core.datasets.index import Dataset, open_index
from sneaker_core.errors import DatasetError
from sneaker_core.workspace.collection_spec import DamagedItem
from sneaker_core.workspace.paths import workspace
from ui.datasets.dataset_dialogs import ADD_PHOTOS, DATASETS, draw_open_dialog
from ui.datasets.datasets_keys import Key
from ui.kit.address import CLASS_PARAM, choose_item, choose_none, set_address_value
from ui.kit.changes import change_button
from ui.kit.damaged_items import draw_damaged
from ui.kit.dataset_cache import is_empty
from ui.kit.item_dialogs import Action, draw_item_menu, open_dialog
from ui.kit.page_frame import end_page
from ui.kit.photo_detail import close_photo

_IN_MENU = (Action.RENAME, Action.DELETE, Action.RESTORE)


def choose_dataset() -> Dataset | None:
    """Draw the choice of the dataset; None if there is no dataset.

    Raises
    ------
    DatasetError
        The chosen dataset can't be opened.
    """
    draw_damaged(DATASETS, damaged_datasets(workspace()), _repair)
    entries = datasets_by_name(workspace())
    if not entries:
        choose_none(Key.DATASET, noun="dataset")
        return None
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        name = choose_item(Key.DATASET, list(entries), noun="dataset", on_change=_leave_photos)
        if name is None:
            _draw_new()
            draw_item_menu(DATASETS, None, _IN_MENU)
            draw_open_dialog(None)
            end_page()
        dataset = open_index(entries[name].folder)
        try:
            shows_forms = is_empty(dataset)
        except DatasetError as error:
            # Its name and counts can be read, but not its photos.
            draw_damaged(DATASETS, {entries[name].id: str(error)}, _repair)
            st.stop()
        # The page of an empty dataset shows the same forms itself.
        if not shows_forms:
            change_button(
                ADD_PHOTOS,
                key=Key.DATASET_ADD,
                icon=":material/add_photo_alternate:",
                on_click=open_dialog,
                args=(ADD_PHOTOS,),
            )
        _draw_new()
        draw_item_menu(DATASETS, entries[name], _IN_MENU)
    draw_open_dialog(dataset)
    return dataset


def _draw_new() -> None:
    change_button(
        "New dataset",
        key=Key.DATASET_NEW.of("more"),
        icon=":material/add:",
        on_click=open_dialog,
        args=(Action.NEW, DATASETS),
    )


def _leave_photos() -> None:
    """Forget what was chosen among the photos of the dataset before."""
    close_photo()
    set_address_value(CLASS_PARAM, None)


def _repair(item: DamagedItem) -> None:
    repair_dataset(workspace(), item)
