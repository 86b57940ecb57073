"""A dataset to take along: as a table, as a zip file, as a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from sneaker_core.datasets.dataset_export import export_csv, export_folder, export_zip
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.safe_names import safe_folder_name
from ui.datasets.datasets_keys import Key
from ui.kit.quantities import counted_photos, size_words
from ui.kit.text import plain

_EXPORTS = "exports"


def draw_export(dataset: Dataset) -> None:
    """Draw the section.

    Parameters
    ----------
    dataset : Dataset
    """
    st.markdown(
        "Take the dataset along as it stands after review: without excluded photos, under the classes you gave them, "
        "by split where every photo has one. It can be brought in again here, or used by other programs."
    )
    name = safe_folder_name(dataset.name)
    with st.grid(2, min_column_width=320) as grid:
        with grid.cell(), st.container(border=True, height="stretch"):
            _draw_table(dataset, name)
        with grid.cell(), st.container(border=True, height="stretch"):
            _draw_zip(dataset, name)
        with grid.cell(column_span="all"), st.container(border=True):
            _draw_folder(dataset, name)


def _draw_table(dataset: Dataset, name: str) -> None:
    st.markdown(":material/table: **Table**")
    st.caption("A CSV with a row a photo: where it lies in an export, class, split, its file's name, its size.")
    st.download_button(
        "Save as table (CSV)",
        lambda: export_csv(dataset),
        f"{name}.csv",
        "text/csv",
        key=Key.EXPORT_CSV,
        on_click="ignore",
        icon=":material/download:",
    )


def _draw_zip(dataset: Dataset, name: str) -> None:
    st.markdown(":material/folder_zip: **Zip file**")
    st.caption("All photos in one folder a class, with the table.")
    target = dataset.folder / _EXPORTS / f"{name}-{dataset.revision}.zip"
    if not target.is_file():
        if (
            st.button("Pack it", key=Key.EXPORT_ZIP, icon=":material/inventory_2:")
            and _done("Packing the photos…", lambda: _pack(dataset, target)) is not None
        ):
            st.rerun()
        return
    st.download_button(
        f"Save the zip file ({size_words(target.stat().st_size)})",
        lambda: _opened(target),
        f"{name}.zip",
        "application/zip",
        key=Key.EXPORT_ZIP_SAVE,
        on_click="ignore",
        icon=":material/download:",
    )


def _pack(dataset: Dataset, target: Path) -> int:
    """Pack the dataset as it is now; archives of how it was before are in nobody's use."""
    if target.parent.is_dir():
        for old in target.parent.glob("*.zip"):
            old.unlink(missing_ok=True)
    return export_zip(dataset, target)


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _draw_folder(dataset: Dataset, name: str) -> None:
    st.markdown(":material/folder: **Folder on the computer that SoleScope runs on**")
    st.caption("The same as in the zip file; the folder must not be there yet.")
    text = st.text_input(
        "Where to", key=Key.EXPORT_FOLDER, placeholder=str(Path.home() / f"{name}-export"), label_visibility="collapsed"
    )
    if not st.button("Write the folder", key=Key.EXPORT_FOLDER_START, icon=":material/save:"):
        return
    target = Path((text or "").strip()).expanduser()
    if not target.is_absolute():
        st.error("Write the folder's full path, such as the one shown in grey.")
        return
    if (photos := _done("Copying the photos…", lambda: export_folder(dataset, target))) is not None:
        st.success(f"{counted_photos(photos)} lie in {plain(str(target))} now.", icon=":material/check_circle:")


def _done(words: str, action: Callable[[], int]) -> int | None:
    """Do something that takes a while; None, with the reason shown, where it fails."""
    try:
        with st.spinner(words):
            return action()
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
