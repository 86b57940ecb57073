"""Forms that import photos from a zip file or a folder. Each returns whether it has started a job."""

import uuid
from pathlib import Path

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.datasets.dataset_jobs import import_params
from sneaker_core.datasets.index import Dataset
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import workspace
from ui.datasets.datasets_keys import Key
from ui.kit.dataset_work import UPLOADS, start_work
from ui.kit.text import escape_markdown

_MAX_MEGABYTES = 2000
_LAYOUTS = (
    ("One folder per class", "`Air Jordan 1/photo.jpg`"),
    ("Split folders", "`train/Air Jordan 1/photo.jpg`, likewise `val` and `test`; the split is kept"),
    ("Folders named by SKU", "`555088-101/photo.jpg`, and next to the folders a CSV file with the columns `sku,name`"),
    ("All photos in one folder", "`photo.jpg`, and next to the photos a CSV file with the columns `file,label`"),
)


def draw_zip_form(dataset: Dataset) -> bool:
    """Draw the form for an uploaded zip file."""
    upload = st.file_uploader(
        "Zip file with photos",
        # The server refuses larger files, whatever the page allows.
        max_upload_size=min(_MAX_MEGABYTES, int(st.get_option("server.maxUploadSize"))),
        key=Key.ADD_ZIP,
        help="For a larger file, choose “Folder” and enter its path on the computer that runs SoleScope.",
    )
    world = _draw_world_field("zip")
    clicked = st.button("Import", type="primary", key=Key.ADD_START.of("zip"), disabled=upload is None)
    if clicked and isinstance(upload, UploadedFile) and (path := _save(dataset, upload)):
        params = import_params(workspace(), path, upload.name, world)
        start_work(dataset, "dataset_import", params, title=f"Importing {upload.name}")
        return True
    _draw_layouts()
    return False


def _save(dataset: Dataset, upload: UploadedFile) -> Path | None:
    """Save an upload for the job; None if that failed, after drawing the error."""
    path = dataset.folder / UPLOADS / f"{uuid.uuid4().hex}.zip"
    try:
        with st.spinner("Saving the file…"):
            write_atomically(path, upload.getvalue())
    except OSError as error:
        reason = escape_markdown(error.strerror or "unknown error")
        st.error(f"Can't save the file: {reason}. Check the free disk space and try again.", icon=":material/error:")
        return None
    return path


def draw_folder_form(dataset: Dataset) -> bool:
    """Draw the form for a folder or a zip file on the server."""
    text = st.text_input(
        "Folder or zip file on the computer that runs SoleScope",
        key=Key.ADD_FOLDER,
        placeholder="/home/me/sneakers",
        help="The photos are copied. The folder is not changed.",
    )
    world = _draw_world_field("folder")
    if st.button("Import", type="primary", key=Key.ADD_START.of("folder")):
        path = Path((text or "").strip()).expanduser()
        if _exists(path):
            params = import_params(workspace(), path.resolve(), world=world)
            start_work(dataset, "dataset_import", params, title=f"Importing {path.name}")
            return True
        st.error(
            "No folder or file was found there. Enter its full path on the computer that runs SoleScope.",
            icon=":material/error:",
        )
    _draw_layouts()
    return False


def _draw_world_field(form: str) -> str | None:
    """Draw the field for the world of the photos; returns None if it is empty."""
    text = st.text_input(
        "What are these photos like? (optional)",
        key=Key.ADD_WORLD.of(form),
        placeholder="shop, web, phone …",
        max_chars=40,
        help="One word for where they come from. With photos of several worlds, SoleScope tells how the model does in "
        "each, and fits its thresholds to all of them alike.",
    )
    return (text or "").strip() or None


def _exists(path: Path) -> bool:
    try:
        return path.is_absolute() and path.exists()
    except (OSError, ValueError):
        return False


def _draw_layouts() -> None:
    st.markdown("Supported layouts (files that are already in the dataset are skipped):")
    st.markdown("\n".join(f"- **{title}**: {example}" for title, example in _LAYOUTS))
