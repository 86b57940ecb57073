"""Export a dataset with all decisions applied: as a folder, a zip archive or a CSV table."""

import contextlib
import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sneaker_core.csv_cells import escape_formula
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.errors import DatasetError
from sneaker_core.workspace.read_only import check_changeable
from sneaker_core.workspace.safe_names import safe_folder_name

TABLE_FILE = "dataset.csv"
_COLUMNS = ["file", "label", "split", "sample", "name", "width", "height"]


def exported(dataset: Dataset) -> pd.DataFrame:
    """Return all photos that are not excluded, with their paths in an export.

    Returns
    -------
    DataFrame
        Columns file (``[<split>/]<class>/<sample>.<extension>``), path, label, split, sample, name, width, height.
        There are split folders only if every photo has a split.
    """
    samples = read_samples(dataset)
    kept = samples[~samples["excluded"]].reset_index(drop=True)
    folders: dict[str, str] = {}
    for label in sorted(kept["label"].unique()):
        folders[label] = safe_folder_name(label, {folder.lower() for folder in folders.values()})
    by_split = bool(len(kept)) and bool(kept["split"].notna().all())
    kept["file"] = [
        "/".join([*([split] if by_split else []), folders[label], Path(path).name])
        for split, label, path in zip(kept["split"], kept["label"], kept["path"], strict=True)
    ]
    return kept[["path", *_COLUMNS]]


def export_csv(dataset: Dataset) -> bytes:
    """Return the table of an export: columns file, label, split, sample, name, width, height; importing reads it."""
    return _csv(exported(dataset))


def _csv(table: pd.DataFrame) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in table[_COLUMNS].astype(object).where(table[_COLUMNS].notna(), "").itertuples(index=False):
        writer.writerow([escape_formula(value) if isinstance(value, str) else value for value in row])
    return text.getvalue().encode()


def export_folder(dataset: Dataset, target: Path, *, is_change: bool = True) -> int:
    """Copy the photos and the table to a new folder, as ``<class>/*`` or ``train|val|test/<class>/*``.

    Parameters
    ----------
    dataset : Dataset
    target : Path
    is_change : bool
        As for `write_atomically`.

    Returns
    -------
    int
        Number of photos.

    Raises
    ------
    DatasetError
        The target exists or can't be written.
    """
    if is_change:
        check_changeable()
    if target.exists():
        raise DatasetError(f"{target} already exists; choose another folder.")
    table = exported(dataset)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=".export-"))
    except OSError as error:
        raise DatasetError(f"Can't write {target}: {error.strerror}.") from error
    try:
        unfinished.chmod(0o755)
        for name, path in _files(table):
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, unfinished / name)
        (unfinished / TABLE_FILE).write_bytes(_csv(table))
        unfinished.rename(target)
    except OSError as error:
        raise DatasetError(f"Can't write {target}: {error.strerror}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return len(table)


def export_zip(dataset: Dataset, target: Path, *, is_change: bool = True) -> int:
    """Write the photos and the table to a zip archive, in the layout of `export_folder`.

    Parameters
    ----------
    dataset : Dataset
    target : Path
    is_change : bool
        As for `write_atomically`.

    Returns
    -------
    int
        Number of photos.

    Raises
    ------
    DatasetError
        The archive can't be written. No partial file is left behind.
    """
    if is_change:
        check_changeable()
    table = exported(dataset)
    unfinished = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Photos are already compressed: compressing them again costs time and saves nothing.
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            for name, path in _files(table):
                archive.write(path, name)
            archive.writestr(TABLE_FILE, _csv(table))
        unfinished.replace(target)
    except OSError as error:
        raise DatasetError(f"Can't write {target}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return len(table)


def _files(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    yield from zip(table["file"], table["path"], strict=True)
