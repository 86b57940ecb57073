"""Forms that import photos from a zip file or a folder. Each returns whether it has started a job."""

import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.datasets.dataset_jobs import import_params
from sneaker_core.datasets.index import Dataset
from sneaker_core.datasets.sources.folder_layout import Layout, LayoutKind
from sneaker_core.datasets.sources.photo_import import preview_archive, preview_source
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import workspace
from ui.datasets.datasets_keys import Key
from ui.kit.changes import change_button, server_path_input
from ui.kit.dataset_work import UPLOADS, start_work
from ui.kit.text import escape_markdown

_MAX_MEGABYTES = 2000
_LISTED = 8
_KINDS = {
    LayoutKind.AUTO.value: "Find out",
    LayoutKind.CLASSES.value: "A folder is a class",
    LayoutKind.SPLITS.value: "A folder is a split, with class folders in it",
    LayoutKind.NESTED.value: "Nested folders make one name (Brand/Model)",
    LayoutKind.TABLE.value: "Only what tables say",
}
_LAYOUTS = (
    ("One folder per class", "`Air Jordan 1/photo.jpg`"),
    ("Split folders", "`train/Air Jordan 1/photo.jpg`, likewise `val` and `test`; the split is kept"),
    ("Folders named by SKU", "`555088-101/photo.jpg`, and next to the folders a CSV file with the columns `sku,name`"),
    ("Nested folders", "`Nike/Air Max 90/photo.jpg`"),
    ("A table", "a CSV file with the columns `file,label` next to the photos, or one in each folder"),
    (
        "Other programs",
        "`metadata.csv` or `metadata.jsonl` of Hugging Face, JSON files in the form of COCO, trees of FiftyOne",
    ),
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
    world, layout = draw_details("zip")
    readable = isinstance(upload, UploadedFile) and draw_preview(
        lambda: _preview_upload(upload.file_id, upload.name, layout, upload)
    )
    clicked = change_button("Import", type="primary", key=Key.ADD_START.of("zip"), disabled=not readable)
    if clicked and isinstance(upload, UploadedFile) and (path := save_upload(dataset, upload.getvalue())):
        params = import_params(workspace(), path, upload.name, world, layout)
        start_work(dataset, "dataset_import", params, title=f"Importing {upload.name}")
        return True
    draw_layouts()
    return False


def save_upload(dataset: Dataset, archive: bytes) -> Path | None:
    """Save an archive for the job; None if that failed, after drawing the error."""
    path = dataset.folder / UPLOADS / f"{uuid.uuid4().hex}.zip"
    try:
        with st.spinner("Saving the file…"):
            write_atomically(path, archive)
    except OSError as error:
        reason = escape_markdown(error.strerror or "unknown error")
        st.error(f"Can't save the file: {reason}. Check the free disk space and try again.", icon=":material/error:")
        return None
    return path


def draw_folder_form(dataset: Dataset) -> bool:
    """Draw the form for a folder or a zip file on the server."""
    text = server_path_input(
        "Folder or zip file on the computer that runs SoleScope",
        key=Key.ADD_FOLDER,
        placeholder="/home/me/sneakers",
        help="The photos are copied. The folder is not changed.",
    )
    world, layout = draw_details("folder")
    path = Path(text).expanduser()
    found = _exists(path)
    readable = found and draw_preview(lambda: _preview_path(str(path.resolve()), layout))
    if change_button("Import", type="primary", key=Key.ADD_START.of("folder"), disabled=found and not readable):
        if found:
            params = import_params(workspace(), path.resolve(), world=world, layout=layout)
            start_work(dataset, "dataset_import", params, title=f"Importing {path.name}")
            return True
        st.error(
            "No folder or file was found there. Enter its full path on the computer that runs SoleScope.",
            icon=":material/error:",
        )
    draw_layouts()
    return False


@st.cache_data(ttl=20, max_entries=20, show_spinner="Looking at the files…")
def _preview_path(path: str, layout: str) -> Layout:
    return preview_source(Path(path), None, LayoutKind(layout))


@st.cache_data(ttl=600, max_entries=5, show_spinner="Looking at the files…")
def _preview_upload(file_id: str, name: str, layout: str, _upload: UploadedFile) -> Layout:
    return preview_archive(_upload, name, LayoutKind(layout))


def draw_preview(read: Callable[[], Layout]) -> bool:
    """Draw what would be imported; returns whether that is anything."""
    try:
        layout = read()
    except SneakerError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")
        return False
    classes = Counter(file.label for file in layout.files)
    with st.container(border=True, gap="xsmall"):
        st.markdown(f"**{layout.sentence}** {counted(len(layout.files), 'photo')}.")
        for note in layout.notes:
            st.caption(escape_markdown(note))
        listed = ", ".join(f"{label} ({count:,})" for label, count in classes.most_common(_LISTED))
        more = f" and {len(classes) - _LISTED} more" if len(classes) > _LISTED else ""
        st.caption(escape_markdown(f"{listed}{more}"))
        if layout.rejected:
            file, reason = next(iter(layout.rejected.items()))
            st.caption(
                escape_markdown(f"{counted(len(layout.rejected), 'file')} will be left out. {file}: {reason}"),
            )
    return True


def draw_details(form: str) -> tuple[str | None, str]:
    """Draw the fields for the world of the photos and for how to read the folders; returns both."""
    with st.grid(2, min_column_width=240):
        text = st.text_input(
            "What are these photos like? (optional)",
            key=Key.ADD_WORLD.of(form),
            placeholder="shop, web, phone …",
            max_chars=40,
            help="One word for where they come from. With photos of several worlds, SoleScope tells how the model does "
            "in each, and fits its thresholds to all of them alike.",
        )
        layout = st.selectbox(
            "How to read the folders",
            list(_KINDS),
            format_func=_KINDS.__getitem__,
            key=Key.ADD_LAYOUT.of(form),
            help="If the preview below is not what you expect, choose another way.",
        )
    return (text or "").strip() or None, str(layout)


def _exists(path: Path) -> bool:
    try:
        return path.is_absolute() and path.exists()
    except (OSError, ValueError):
        return False


def draw_layouts() -> None:
    """Draw the layouts that imports read."""
    st.markdown("Supported layouts (files that are already in the dataset are skipped):")
    st.markdown("\n".join(f"- **{title}**: {example}" for title, example in _LAYOUTS))
