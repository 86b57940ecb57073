"""The datasets there are: found, made, renamed, put in the bin and brought back."""

import contextlib
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.index import (
    INDEX_FILE,
    Dataset,
    create_index,
    import_lock,
    open_index,
    read_samples,
    set_fact,
)
from sneaker_core.datasets.photo_folder import scan_classes
from sneaker_core.datasets.safe_names import safe_folder_name
from sneaker_core.errors import DatasetError
from sneaker_core.workspace.paths import bin_folder, datasets_folder
from sneaker_core.workspace.references import name_in, text_of

_LONGEST_NAME = 100
_DELETED_AT = "%Y%m%d-%H%M%S"


@dataclass(frozen=True)
class DatasetEntry:
    """A dataset in a list.

    Attributes
    ----------
    name : str
    folder : Path
    photos : int
        Without those that were excluded.
    classes : int
        That have photos.
    created : float
        Seconds since 1970.
    """

    name: str
    folder: Path
    photos: int
    classes: int
    created: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"name": self.name, "folder": str(self.folder), "photos": self.photos, "classes": self.classes}


def list_datasets(workspace: Path) -> list[DatasetEntry]:
    """All sound datasets by name; folders that hold none are passed over."""
    return _entries(datasets_folder(workspace))


def list_bin(workspace: Path) -> list[DatasetEntry]:
    """Deleted datasets that can be restored, by name."""
    return _entries(bin_folder(workspace))


def damaged_datasets(workspace: Path) -> dict[str, str]:
    """Folders among the datasets whose index cannot be opened: name of the folder -> why."""
    reasons = {}
    for folder in _candidates(datasets_folder(workspace)):
        try:
            _entry(folder)
        except DatasetError as error:
            reasons[folder.name] = str(error)
    return reasons


def _candidates(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if not path.name.startswith(".") and (path / INDEX_FILE).is_file())


def _entries(parent: Path) -> list[DatasetEntry]:
    entries = []
    for folder in _candidates(parent):
        try:
            entries.append(_entry(folder))
        except DatasetError:
            continue
    return sorted(entries, key=lambda entry: (entry.name.casefold(), entry.folder.name))


def _entry(folder: Path) -> DatasetEntry:
    dataset = Dataset(folder)
    with dataset.reading() as db:
        photos, classes = db.execute(
            "SELECT count(*), count(DISTINCT label) FROM samples WHERE NOT excluded"
        ).fetchone()
    return DatasetEntry(dataset.name, folder, photos, classes, float(dataset.fact("created", 0)))


def create_dataset(workspace: Path, name: str) -> Dataset:
    """Make an empty dataset.

    Raises
    ------
    DatasetError
        The name is empty, too long or in use.
    """
    name = _check_name(name, workspace)
    parent = datasets_folder(workspace)
    return create_index(parent / _free_folder(name, parent), name)


def _free_folder(name: str, parent: Path) -> str:
    taken = {path.name.lower() for path in parent.iterdir()} if parent.is_dir() else set()
    return safe_folder_name(name, taken)


def _tidy(name: str) -> str:
    return " ".join(name.split())


def _check_name(name: str, workspace: Path) -> str:
    name = _tidy(name)
    if not name or len(name) > _LONGEST_NAME:
        raise DatasetError(f"A dataset's name has 1 to {_LONGEST_NAME} characters.")
    if any(entry.name.casefold() == name.casefold() for entry in list_datasets(workspace)):
        raise DatasetError(f"There is a dataset named {name!r} already; choose another name.")
    return name


def find_dataset(workspace: Path, name: str) -> Dataset:
    """A dataset by its name, its folder's name or its folder's path.

    Raises
    ------
    DatasetError
        None goes by that name; the message lists those there are.
    """
    entries = list_datasets(workspace)
    entry = _named(name, entries)
    if entry is not None:
        return open_index(entry.folder)
    # A name that no system would take for a file's ends in an error rather than in "no".
    with contextlib.suppress(OSError, ValueError):
        if (Path(name) / INDEX_FILE).is_file():
            return open_index(Path(name))
    there = ", ".join(repr(entry.name) for entry in entries) or "none yet"
    raise DatasetError(f"There is no dataset {name[:80]!r}; there are: {there}.")


def find_dataset_by_id(workspace: Path, dataset: str) -> Dataset:
    """A dataset by its id, the name of its folder; records of older versions hold its display name.

    Raises
    ------
    DatasetError
        The workspace has no such dataset.
    """
    name = name_in(dataset)
    for entry in list_datasets(workspace):
        if dataset == entry.folder.name or name == entry.name:
            return open_index(entry.folder)
    there = ", ".join(repr(entry.name) for entry in list_datasets(workspace)) or "none yet"
    raise DatasetError(f"The dataset {text_of(dataset)[:80]!r} is gone. Available datasets: {there}.")


def source_folder(workspace: Path, source: str) -> Path:
    """The folder that a record names as the source of photos: a dataset by its id, or any folder by its path.

    Raises
    ------
    DatasetError
        The workspace has no such dataset.
    """
    return Path(source) if Path(source).is_absolute() else find_dataset_by_id(workspace, source).folder


def find_or_create(workspace: Path, name: str) -> Dataset:
    """The dataset of that name, made when there is none."""
    entry = _named(name, list_datasets(workspace))
    return create_dataset(workspace, name) if entry is None else open_index(entry.folder)


def _named(name: str, entries: list[DatasetEntry]) -> DatasetEntry | None:
    """The dataset of that name; if there is none, the one whose folder is called so."""
    tidy = _tidy(name)
    by_name = [entry for entry in entries if entry.name == tidy]
    by_folder = [entry for entry in entries if entry.folder.name in (name, tidy)]
    return next(iter([*by_name, *by_folder]), None)


def rename_dataset(workspace: Path, dataset: Dataset, name: str) -> None:
    """Give a dataset another name; its folder stays where it is, so nothing at work in it is disturbed."""
    name = _check_name(name, workspace)
    with dataset.changing() as db:
        set_fact(db, "name", name)


def delete_dataset(workspace: Path, dataset: Dataset) -> Path:
    """Put a dataset in the bin, from where `restore_dataset` brings it back.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    DatasetError
        Photos are being added to it.
    """
    parent = bin_folder(workspace)
    parent.mkdir(parents=True, exist_ok=True)
    target = parent / _free_folder(f"{dataset.folder.name}-{time.strftime(_DELETED_AT)}", parent)
    with import_lock(dataset):
        pass
    # Not under the lock: Windows does not move a folder with an open file in it.
    _move(dataset.folder, target)
    return target


def restore_dataset(workspace: Path, folder: str) -> Dataset:
    """Bring a dataset back from the bin, under its old name or, when that was taken meanwhile, one beside it.

    Parameters
    ----------
    folder : str
        Name of its folder in the bin, or of the dataset.
    workspace : Path

    Raises
    ------
    DatasetError
        The bin has no such dataset.
    """
    for entry in list_bin(workspace):
        if folder in (entry.folder.name, entry.name):
            break
    else:
        raise DatasetError(f"The bin holds no dataset {folder[:80]!r}.")
    parent = datasets_folder(workspace)
    parent.mkdir(parents=True, exist_ok=True)
    names = {other.name.casefold() for other in list_datasets(workspace)}
    name, number = entry.name, 1
    while name.casefold() in names:
        number += 1
        name = f"{entry.name} ({number})"
    target = parent / _free_folder(name, parent)
    _move(entry.folder, target)
    dataset = open_index(target)
    if name != entry.name:
        with dataset.changing() as db:
            set_fact(db, "name", name)
    return dataset


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:
        try:
            shutil.move(source, target)
        except OSError as error:
            raise DatasetError(f"{source} cannot be moved to {target}: {error.strerror}.") from error


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # no system would take it for a name
        return False


@dataclass(frozen=True)
class PhotoSource:
    """Where labelled photos come from.

    Attributes
    ----------
    name : str
        For people.
    folder : Path
        Absolute.
    dataset : Dataset or None
        None where it is a plain folder.
    """

    name: str
    folder: Path
    dataset: Dataset | None


def find_source(workspace: Path, data: str) -> PhotoSource:
    """A dataset's name or folder, or a folder laid out as ``<class>/*``; a name goes before a folder.

    Raises
    ------
    DatasetError
        There is no such dataset or folder.
    """
    try:
        dataset = find_dataset(workspace, data)
    except DatasetError as error:
        if not _is_folder(data):
            raise DatasetError(f"There is no folder {data[:80]!r}. {error}") from None
        folder = Path(data).absolute()
        return PhotoSource(folder.name, folder, None)
    return PhotoSource(dataset.name, dataset.folder.absolute(), dataset)


def source_reference(workspace: Path, source: PhotoSource) -> str:
    """What records keep of a source of photos: a dataset's id if it is in the workspace, else the folder's path."""
    is_ours = source.dataset is not None and source.folder.parent == datasets_folder(workspace).absolute()
    return source.folder.name if is_ours else str(source.folder)


def open_samples(workspace: Path, source: str, only: tuple[str, ...] = ()) -> pd.DataFrame:
    """Labelled photos to train on or to measure with: of a dataset, as reviewed, or of a plain folder.

    Parameters
    ----------
    source : str
        As for `find_source`.
    workspace : Path
    only : tuple of str
        Classes to take; all when empty.

    Returns
    -------
    DataFrame
        Columns sample, path, label and split (None where no split is stored).

    Raises
    ------
    DatasetError
        There is no such dataset or folder, it is empty, or lacks a class that was asked for.
    """
    dataset = find_source(workspace, source).dataset
    if dataset is None:
        return scan_classes(Path(source), only).assign(split=None)
    samples = read_samples(dataset)
    samples = samples[~samples["excluded"]]
    missing = sorted(set(only) - set(samples["label"]))
    if missing:
        raise DatasetError(f"The dataset {dataset.name!r} has no photos of {', '.join(map(repr, missing))}.")
    if only:
        samples = samples[samples["label"].isin(only)]
    if samples.empty:
        raise DatasetError(f"The dataset {dataset.name!r} has no photos yet; import some first.")
    return samples[["sample", "path", "label", "split"]].reset_index(drop=True)
