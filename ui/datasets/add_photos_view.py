"""Add photos to a dataset: choose where they come from, then fill in the form for it."""

import streamlit as st

from sneaker_core.datasets.index import Dataset
from ui.datasets.collect_form import draw_collect_form
from ui.datasets.datasets_keys import Key
from ui.datasets.import_forms import draw_folder_form, draw_zip_form
from ui.datasets.synthetic_form import draw_synthetic_form
from ui.datasets.upload_form import draw_upload_form
from ui.kit.changes import can_change
from ui.kit.dataset_work import is_busy
from ui.kit.item_dialogs import close_dialog

BROWSER, ZIP, FOLDER, WEB, SYNTHETIC = "Photos and folders", "Zip file", "Folder", "Web search", "Synthetic photos"
_FORMS = {
    BROWSER: draw_upload_form,
    ZIP: draw_zip_form,
    FOLDER: draw_folder_form,
    WEB: draw_collect_form,
    SYNTHETIC: draw_synthetic_form,
}


def draw_add_photos(dataset: Dataset) -> None:
    """Draw the sources to choose from and the form of the chosen one.

    Parameters
    ----------
    dataset : Dataset
    """
    if not can_change():
        return
    if is_busy(dataset):
        st.info("A job is running for this dataset. Wait until it has ended or stop it, then add photos.")
        return
    source = st.segmented_control("Source", list(_FORMS), default=BROWSER, required=True, wrap=True, key=Key.ADD_SOURCE)
    if _FORMS[source or BROWSER](dataset):
        close_dialog()
        st.rerun()
