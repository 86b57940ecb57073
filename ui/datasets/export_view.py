"""The section "Export": the dataset as a table, a zip file or a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from sneaker_core.datasets.dataset_export import export_csv, export_folder, export_zip
from sneaker_core.datasets.export_layouts import ExportFormat
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.workspace.read_only import check_changeable
from sneaker_core.workspace.safe_names import safe_folder_name
from ui.datasets.datasets_keys import Key
from ui.kit.changes import change_button
from ui.kit.page_frame import draw_error
from ui.kit.text import escape_markdown, size_text

_EXPORTS = "exports"
# What each format is for, and what it keeps besides photos and classes.
_FORMATS = {
    ExportFormat.FOLDER: ("SoleScope", "One folder per class and a table, which keeps every split and the file names."),
    ExportFormat.CSV: ("CSV", "All photos in one folder and a table, which keeps every split and the file names."),
    ExportFormat.IMAGEFOLDER: (
        "ImageFolder (torchvision, Keras)",
        "One folder per class, in split folders if every photo has a split.",
    ),
    ExportFormat.COCO: ("COCO", "All photos in one folder, and a JSON file for each split. Boxes are not made up."),
    ExportFormat.FIFTYONE: (
        "FiftyOne (ImageClassificationDirectoryTree)",
        "One folder per class; if every photo has a split, one such tree in each split folder.",
    ),
    ExportFormat.HUGGINGFACE: (
        "Hugging Face (imagefolder)",
        "Split folders with a `metadata.csv` of `file_name,label` in each; one table if some photos have no split.",
    ),
}


def draw_export(dataset: Dataset) -> None:
    """Draw the section.

    Parameters
    ----------
    dataset : Dataset
    """
    st.markdown(
        "Export the dataset as reviewed: without excluded photos, and with your labels and splits. You can import an "
        "export here again or use it in other programs."
    )
    name, kind = safe_folder_name(dataset.name), _choose_format()
    with st.grid(2, min_column_width=320) as grid:
        with grid.cell(), st.container(border=True, height="stretch"):
            _draw_table(dataset, name)
        with grid.cell(), st.container(border=True, height="stretch"):
            _draw_zip(dataset, name, kind)
        with grid.cell(column_span="all"), st.container(border=True):
            _draw_folder(dataset, name, kind)


def _choose_format() -> ExportFormat:
    kind = st.selectbox(
        "Format of the zip file and the folder",
        list(_FORMATS),
        format_func=lambda one: _FORMATS[one][0],
        key=Key.EXPORT_FORMAT,
        width=420,
    )
    st.caption(_FORMATS[kind][1])
    return kind


def _draw_table(dataset: Dataset, name: str) -> None:
    st.markdown(":material/table: **Table**")
    st.caption("One row per photo: its path in an export, class, split, file name and size.")
    st.download_button(
        "Download CSV",
        lambda: export_csv(dataset),
        f"{name}.csv",
        "text/csv",
        key=Key.EXPORT_CSV,
        on_click="ignore",
        icon=":material/download:",
    )


def _draw_zip(dataset: Dataset, name: str, kind: ExportFormat) -> None:
    st.markdown(":material/folder_zip: **Zip file**")
    st.caption("All photos and the tables of the format.")
    target = dataset.folder / _EXPORTS / f"{name}-{kind}-{dataset.revision}.zip"
    if not target.is_file():
        if (
            change_button("Create zip file", key=Key.EXPORT_ZIP, icon=":material/inventory_2:")
            and _with_spinner("Creating the zip file…", lambda: _create_zip(dataset, target, kind)) is not None
        ):
            st.rerun()
        return
    st.download_button(
        f"Download zip file ({size_text(target.stat().st_size)})",
        lambda: _open(target),
        f"{name}.zip",
        "application/zip",
        key=Key.EXPORT_ZIP_DOWNLOAD,
        on_click="ignore",
        icon=":material/download:",
    )


def _create_zip(dataset: Dataset, target: Path, kind: ExportFormat) -> int:
    """Export the dataset as it is now; zip files of earlier revisions are removed."""
    check_changeable()
    if target.parent.is_dir():
        for old in target.parent.glob("*.zip"):
            old.unlink(missing_ok=True)
    return export_zip(dataset, target, kind)


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def _draw_folder(dataset: Dataset, name: str, kind: ExportFormat) -> None:
    st.markdown(":material/folder: **Folder on the computer that runs SoleScope**")
    st.caption("Same content as the zip file. The folder must not exist yet.")
    text = st.text_input(
        "Path of the new folder",
        key=Key.EXPORT_FOLDER,
        placeholder=str(Path.home() / f"{name}-export"),
        label_visibility="collapsed",
    )
    if not change_button("Export to folder", key=Key.EXPORT_FOLDER_START, icon=":material/save:"):
        return
    target = Path((text or "").strip()).expanduser()
    if not target.is_absolute():
        st.error("Enter the full path of the folder, like the example in the field.")
        return
    if (photos := _with_spinner("Copying the photos…", lambda: export_folder(dataset, target, kind))) is not None:
        st.success(
            f"Exported {counted(photos, 'photo')} to {escape_markdown(str(target))}.", icon=":material/check_circle:"
        )


def _with_spinner(text: str, work: Callable[[], int]) -> int | None:
    """The result of some work; None if it failed, after drawing the error."""
    try:
        with st.spinner(text):
            return work()
    except SneakerError as error:
        draw_error(error)
        return None
