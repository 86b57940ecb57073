"""Photos of a plain folder as a table, in the layouts that importing supports."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from sneaker_core.datasets.sources.folder_layout import read_layout
from sneaker_core.datasets.sources.source_files import FolderSource
from sneaker_core.errors import DatasetError
from sneaker_core.settings import ImageLimits
from sneaker_core.workspace.clean_names import clean_name, did_you_mean

SAMPLE_COLUMNS = ["sample", "path", "label", "split"]
# In a folder of negatives: a subfolder with one folder per type of footwear that the model should tell from sneakers.
OTHER_FOOTWEAR = "other_footwear"
_ID_DIGITS = 16


def sample_id(data: bytes) -> str:
    """Return the id of a photo, which depends only on its bytes: 16 hexadecimal digits of their SHA-256."""
    return hashlib.sha256(data).hexdigest()[:_ID_DIGITS]


def read_labeled_folder(folder: Path, only: Iterable[str] = ()) -> pd.DataFrame:
    """List the photos of a folder with their classes and splits.

    The layouts are those of `folder_layout`, as for importing. Unlike an import, which copies photos, links to files
    are followed.

    Parameters
    ----------
    folder : Path
    only : iterable of str, optional
        Names of the classes to list; all by default.

    Returns
    -------
    DataFrame
        Columns sample, path, label, split ("train", "val", "test" or None); sorted by label, then path. If several
        files have the same bytes and label, only the first is listed.

    Raises
    ------
    DatasetError
        The folder doesn't exist, has no supported layout, or lacks a requested class.
    """
    source = _open_folder(folder, "one folder of photos per class")
    files, wanted = read_layout(source, str(folder)).files, set(map(clean_name, only))
    classes = {file.label for file in files}
    missing = sorted(wanted - classes)
    if missing:
        hint = did_you_mean(missing, sorted(classes))
        raise DatasetError(f"{folder} has no class named {', '.join(map(repr, missing))}.{hint}")
    rows = []
    for file in files:
        path = source.path_of(file.name)
        if (not wanted or file.label in wanted) and path.is_file():
            rows.append((_file_id(path), str(path), file.label, file.split))
    if not rows:
        raise DatasetError(f"{folder} has no photos in its class folders.")
    rows.sort(key=lambda row: (row[2], Path(row[1])))
    table = pd.DataFrame(rows, columns=SAMPLE_COLUMNS).drop_duplicates(["sample", "label"], ignore_index=True)
    return table.assign(split=table["split"].astype(object).where(table["split"].notna(), None))


def read_unlabeled_folder(folder: Path) -> pd.DataFrame:
    """List all photos in a folder and its subfolders, without labels.

    Returns
    -------
    DataFrame
        Columns sample, path, label (all None); sorted by path. Identical files are listed once.

    Raises
    ------
    DatasetError
        The folder doesn't exist or has no files.
    """
    source = _open_folder(folder, "photos")
    paths = sorted(path for path in map(source.path_of, source.files) if path.is_file())
    if not paths:
        raise DatasetError(f"{folder} has no photos.")
    rows = [(_file_id(path), str(path), None) for path in paths]
    return pd.DataFrame(rows, columns=SAMPLE_COLUMNS[:3]).drop_duplicates("sample", ignore_index=True)


def read_negatives(folder: Path) -> pd.DataFrame:
    """List the negatives in a folder: photos of anything but the classes.

    Photos in ``other_footwear/<type>/`` show other footwear, such as loafers; a model learns to tell the types apart.

    Returns
    -------
    DataFrame
        Columns sample, path, label (all None) and footwear (the type; None if the photo shows no footwear).

    Raises
    ------
    DatasetError
        As `read_unlabeled_folder`.
    """
    table = read_unlabeled_folder(folder)
    inside = [Path(path).relative_to(folder).parts for path in table["path"]]
    types = [parts[1] if len(parts) > 2 and parts[0] == OTHER_FOOTWEAR else None for parts in inside]
    return table.assign(footwear=pd.Series(types, index=table.index, dtype=object))


def _open_folder(folder: Path, contents: str) -> FolderSource:
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}. Choose a folder with {contents}.")
    return FolderSource(folder, ImageLimits.from_environment())


def _file_id(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:_ID_DIGITS]
    except OSError:
        # Whoever decodes it will reject it with the reason; the other photos are not lost.
        return sample_id(os.fsencode(path))


def fingerprint(samples: pd.DataFrame) -> str:
    """Return 16 hexadecimal digits that identify these photos with these labels, in any order."""
    lines = sorted(f"{sample} {label}" for sample, label in zip(samples["sample"], samples["label"], strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
