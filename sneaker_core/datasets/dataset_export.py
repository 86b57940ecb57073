"""Export a dataset with all decisions applied: as a folder or a zip archive in one of several formats, or a table."""

import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.export_layouts import ExportFormat, ExportPlan, plan_export, table_bytes
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import DatasetError
from sneaker_core.number_text import counted
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.read_only import check_changeable
from sneaker_core.workspace.zip_entries import zip_entry


def exported(dataset: Dataset) -> pd.DataFrame:
    """All photos that are not excluded, with their paths in an export to a folder; see `ExportPlan.photos`."""
    return plan_export(dataset).photos


def export_csv(dataset: Dataset) -> bytes:
    """The table of an export: columns file, label, split, sample, name, width, height; importing reads it."""
    return table_bytes(exported(dataset))


def export_dataset(dataset: Dataset, target: Path, kind: ExportFormat = ExportFormat.FOLDER) -> int:
    """Export to a place that the user named: a folder, a ``.zip`` archive, or for CSV a table alone in a ``.csv`` file.

    Returns
    -------
    int
        Number of photos.

    Raises
    ------
    DatasetError
        As `export_folder` and `export_zip`.
    """
    if kind is not ExportFormat.CSV or target.suffix.lower() != ".csv":
        return (export_zip if target.suffix.lower() == ".zip" else export_folder)(
            dataset, target, kind, is_change=False
        )
    photos = exported(dataset)
    try:
        write_atomically(target, table_bytes(photos), is_change=False)
    except OSError as error:
        raise DatasetError(_unwritable(target, error)) from error
    return len(photos)


def export_folder(
    dataset: Dataset, target: Path, kind: ExportFormat = ExportFormat.FOLDER, *, is_change: bool = True
) -> int:
    """Copy the photos and the tables to a new folder.

    Parameters
    ----------
    dataset : Dataset
    target : Path
    kind : ExportFormat
    is_change : bool
        As for `write_atomically`.

    Returns
    -------
    int
        Number of photos.

    Raises
    ------
    DatasetError
        The target exists or can't be written, or a photo can't be read.
    """
    if is_change:
        check_changeable()
    if target.exists():
        raise DatasetError(f"{target} already exists; choose another folder.")
    plan = plan_export(dataset, kind)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=".export-"))
    except OSError as error:
        raise DatasetError(_unwritable(target, error)) from error
    try:
        unfinished.chmod(0o755)
        for name, data, _ in _photos(plan):
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / name).write_bytes(data)
        for name, data in plan.tables.items():
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / name).write_bytes(data)
        unfinished.rename(target)
    except OSError as error:
        raise DatasetError(_unwritable(target, error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return len(plan.photos)


def export_zip(
    dataset: Dataset, target: Path, kind: ExportFormat = ExportFormat.FOLDER, *, is_change: bool = True
) -> int:
    """Write the photos and the tables to a zip archive, in the layout of `export_folder`.

    Parameters
    ----------
    dataset : Dataset
    target : Path
    kind : ExportFormat
    is_change : bool
        As for `write_atomically`.

    Returns
    -------
    int
        Number of photos.

    Raises
    ------
    DatasetError
        The archive can't be written, or a photo can't be read. No partial file is left behind.
    """
    if is_change:
        check_changeable()
    plan = plan_export(dataset, kind)
    unfinished = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Photos are already compressed: compressing them again costs time and saves nothing.
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            for name, data, changed in _photos(plan):
                archive.writestr(zip_entry(name, changed), data)
            for name, data in plan.tables.items():
                archive.writestr(zip_entry(name), data)
        unfinished.replace(target)
    except OSError as error:
        raise DatasetError(_unwritable(target, error)) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return len(plan.photos)


def _photos(plan: ExportPlan) -> Iterator[tuple[str, bytes, float]]:
    """The path in the export, the bytes, and the time of the last change, of each photo.

    Raises
    ------
    DatasetError
        One can't be read.
    """
    for photo in plan.photos.itertuples():
        path = Path(str(photo.path))
        try:
            data, changed = path.read_bytes(), path.stat().st_mtime
        except OSError as error:
            raise DatasetError(_unreadable(plan, photo, error)) from error
        yield str(photo.file), data, changed


def _unreadable(plan: ExportPlan, photo: Any, error: OSError) -> str:
    """What to say of a photo whose file is gone or damaged, and of how many others are gone."""
    others = sum(not Path(path).is_file() for path in plan.photos["path"]) - (not Path(photo.path).is_file())
    more = f" {counted(others, 'more file')} {'is' if others == 1 else 'are'} missing." if others else ""
    return (
        f"Nothing was exported: can't read the photo {photo.name} of the class {photo.label} "
        f"({photo.path}: {error.strerror}).{more} Put the file back or exclude the photo, then export again."
    )


def _unwritable(target: Path, error: OSError) -> str:
    return f"Can't write {target}: {error.strerror}."
