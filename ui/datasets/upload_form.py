"""The form that imports photos and folders from the browser."""

import io
from collections.abc import Sequence

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.datasets.dataset_jobs import import_params
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.sources.folder_layout import Layout, LayoutKind
from sneaker_core.datasets.sources.photo_import import preview_archive
from sneaker_core.datasets.sources.uploaded_files import packed
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.datasets.datasets_keys import Key
from ui.datasets.import_forms import draw_details, draw_layouts, draw_preview, save_upload
from ui.kit import dataset_cache
from ui.kit.changes import change_button
from ui.kit.dataset_work import start_work

_FROM_BROWSER = "photos from the browser"


def draw_upload_form(dataset: Dataset) -> bool:
    """Draw the form for folders and photos of the visitor's computer; returns whether it has started a job."""
    folders = st.file_uploader(
        "Drop a folder: each folder in it is a class",
        accept_multiple_files="directory",
        key=Key.ADD_DROPPED,
        help="All files in it are uploaded. For thousands of photos, a zip file is quicker.",
    )
    photos = st.file_uploader("Or drop photos of one class", accept_multiple_files=True, key=Key.ADD_PHOTOS)
    label = ""
    if photos:
        label = _choose_class(dataset)
    world, layout = draw_details("drop")
    uploads = [*(folders or ()), *(photos or ())]
    is_named = bool(label) or not photos
    readable = bool(uploads) and is_named and draw_preview(lambda: _preview(_ids(uploads), label, layout, uploads))
    if change_button("Import", type="primary", key=Key.ADD_START.of("drop"), disabled=not readable):
        data = _packed(_ids(uploads), label, uploads)
        if path := save_upload(dataset, data):
            params = import_params(workspace(), path, _FROM_BROWSER, world, layout)
            title = f"Importing {counted(len(uploads), 'file')}"
            start_work(dataset, "dataset_import", params, title=title)
            return True
    draw_layouts()
    return False


def _choose_class(dataset: Dataset) -> str:
    """Draw the class of photos that are in no folder."""
    names = sorted(dataset_cache.class_names(dataset_cache.review_key(dataset)), key=natural_order)
    chosen = st.selectbox(
        "They show",
        names,
        index=None,
        key=Key.ADD_CLASS,
        accept_new_options=True,
        placeholder="Choose a class or type its name",
    )
    return (chosen or "").strip()


def _ids(uploads: Sequence[UploadedFile]) -> tuple[str, ...]:
    return tuple(upload.file_id for upload in uploads)


@st.cache_data(ttl=600, max_entries=1, show_spinner="Looking at the files…")
def _packed(ids: tuple[str, ...], label: str, _uploads: Sequence[UploadedFile]) -> bytes:
    return packed(((upload.name, upload.getvalue()) for upload in _uploads), label)


@st.cache_data(ttl=600, max_entries=5, show_spinner="Looking at the files…")
def _preview(ids: tuple[str, ...], label: str, layout: str, _uploads: Sequence[UploadedFile]) -> Layout:
    return preview_archive(io.BytesIO(_packed(ids, label, _uploads)), _FROM_BROWSER, LayoutKind(layout))
