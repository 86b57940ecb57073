"""The datasets of a workspace: listed, created, renamed, deleted and restored; and sources of labeled photos.

::

    <workspace>/datasets/<id>/        see `index`, which holds the display name
    <workspace>/bin/datasets/<id>/    a deleted dataset
"""

import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from sneaker_core.datasets.photo_folder import read_labeled_folder
from sneaker_core.datasets.photo_worlds import WORLD, read_worlds
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.workspace.clean_names import clean_name, did_you_mean
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import CollectionSpec, DamagedItem
from sneaker_core.workspace.jobs import list_jobs
from sneaker_core.workspace.jobs_in_use import in_use_text, jobs_using
from sneaker_core.workspace.paths import datasets_folder

if TYPE_CHECKING:
    from sneaker_core.datasets.index_repair import RepairReport

_LONGEST_NAME = 100


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

    @property
    def id(self) -> str:
        """The name of its folder: the same for life."""
        return self.folder.name

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        values = {"id": self.id, "name": self.name, "folder": str(self.folder)}
        return {**values, "photos": self.photos, "classes": self.classes}


def datasets_of(workspace: Path) -> Collection[DatasetEntry]:
    """The datasets of a workspace as a collection."""
    return Collection(workspace, _SPEC)


def list_datasets(workspace: Path) -> list[DatasetEntry]:
    """All datasets that can be opened, by name; folders without one are skipped."""
    return datasets_of(workspace).list()


def datasets_by_name(workspace: Path) -> dict[str, DatasetEntry]:
    """All datasets by the name to choose them by: datasets copied by hand share a name, so they go by their folders."""
    entries = list_datasets(workspace)
    names = [entry.name for entry in entries]
    return {entry.name if names.count(entry.name) == 1 else entry.folder.name: entry for entry in entries}


def damaged_datasets(workspace: Path) -> dict[str, str]:
    """Datasets whose index cannot be opened: id -> why."""
    return datasets_of(workspace).damaged()


def _entry(folder: Path) -> DatasetEntry:
    dataset = Dataset(folder)
    with dataset.reading() as db:
        photos, classes = db.execute(
            "SELECT count(*), count(DISTINCT label) FROM samples WHERE NOT excluded"
        ).fetchone()
    return DatasetEntry(dataset.name, folder, photos, classes, float(dataset.fact("created", 0)))


def create_dataset(workspace: Path, name: str) -> Dataset:
    """Create an empty dataset.

    Raises
    ------
    DatasetError
        The name is empty, too long or taken.
    """
    found = datasets_of(workspace)
    name = found.check_name(name)
    return create_index(found.folder / found.free_id(name), name)


def find_dataset(workspace: Path, name: str) -> Dataset:
    """A dataset by its display name, or by the path of its folder.

    Datasets that were copied by hand share a name; these alone are also found by the names of their folders.

    Raises
    ------
    DatasetError
        There is none, and the message lists those that exist; or several have that name.
    """
    found = datasets_of(workspace)
    if found.named(name):
        return open_index(found.find(name).folder)
    names = found.names()
    shared = Counter(names.values())
    copied = [folder for folder, own in names.items() if folder.name in (name, clean_name(name)) and shared[own] > 1]
    if copied:
        return open_index(copied[0])
    # A name that no system accepts as a path is an error rather than False.
    with contextlib.suppress(OSError, ValueError):
        if (Path(name) / INDEX_FILE).is_file():
            return open_index(Path(name))
    return open_index(found.find(name).folder)


def find_dataset_by_id(workspace: Path, dataset: str) -> Dataset:
    """The dataset that a record refers to by its id.

    Raises
    ------
    DatasetError
        There is none.
    """
    return open_index(datasets_of(workspace).find_by_id(dataset).folder)


def source_folder(workspace: Path, source: str) -> Path:
    """The folder that a record refers to as the source of photos.

    Parameters
    ----------
    workspace : Path
    source : str
        As `source_reference` returns it: the id of a dataset, or the path of a folder.

    Raises
    ------
    DatasetError
        The workspace has no such dataset.
    """
    return Path(source) if Path(source).is_absolute() else find_dataset_by_id(workspace, source).folder


def find_or_create(workspace: Path, name: str) -> Dataset:
    """The dataset with a display name, created if there is none."""
    if datasets_of(workspace).named(name):
        return find_dataset(workspace, name)
    return create_dataset(workspace, name)


def rename_dataset(workspace: Path, dataset: Dataset | DatasetEntry | str, new: str) -> None:
    """Change the display name of a dataset; its folder stays, so work on it is not disturbed.

    Raises
    ------
    DatasetError
        There is no such dataset, or the name is empty, too long or taken.
    """
    datasets_of(workspace).rename(dataset if isinstance(dataset, str) else _entry(dataset.folder), new)


def delete_dataset(workspace: Path, dataset: Dataset | DatasetEntry | DamagedItem | str) -> Path:
    """Move a dataset to the bin; `restore_dataset` restores it.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    DatasetError
        There is no such dataset, photos are being added to it, or a job uses it.
    """
    found = datasets_of(workspace)
    item = _item(dataset)
    with import_lock(Dataset(found.folder_of(item))):
        pass
    # Not under the lock: Windows does not move a folder with an open file in it.
    return found.delete(item)


def check_unused(dataset: Dataset) -> None:
    """Check that no job of anything else uses a dataset, before its photos are put to other uses.

    Raises
    ------
    DatasetError
        A training, an evaluation or other work uses it, or waits to; the message names it.
    """
    workspace = dataset.folder.parent.parent
    using = jobs_using(workspace, dataset.folder.parent.name, dataset.folder.name, dataset.name)
    jobs = [job for job in using if not job.folder.is_relative_to(dataset.jobs)]
    if jobs:
        raise DatasetError(in_use_text(workspace, f"The dataset {dataset.name!r}", jobs))


def repair_dataset(workspace: Path, dataset: Dataset | DatasetEntry | DamagedItem | str) -> "RepairReport | None":
    """Rebuild the index of a damaged dataset from its photos and what is intact of the index.

    Parameters
    ----------
    workspace : Path
    dataset : Dataset, DatasetEntry, DamagedItem or str
        The dataset, its display name, or the name of its folder.

    Returns
    -------
    RepairReport or None
        None if nothing is damaged; nothing is changed then.

    Raises
    ------
    DatasetError
        There is no such dataset, photos are being added to it, or it can't be written.
    """
    # Imported on use: it loads what only checks of photos need.
    from sneaker_core.datasets.index_repair import index_problem, repair_index

    found = Dataset(datasets_of(workspace).folder_of(_item(dataset)))
    return None if index_problem(found) is None else repair_index(found)


def restore_dataset(workspace: Path, dataset: DatasetEntry | DamagedItem | str) -> Dataset:
    """Bring back a dataset, by its display name the one deleted last; under a free name if its own was taken.

    Raises
    ------
    DatasetError
        There is no such dataset in the bin.
    """
    return open_index(datasets_of(workspace).restore(dataset).folder)


def _item(
    dataset: Dataset | DatasetEntry | DamagedItem | str,
) -> DatasetEntry | DamagedItem | str:
    """A dataset as its collection knows it."""
    if isinstance(dataset, str):
        return clean_name(dataset)
    if not isinstance(dataset, Dataset):
        return dataset
    try:
        return _entry(dataset.folder)
    except DatasetError:
        return DamagedItem(dataset.folder.name)


def _checked_name(name: str) -> str:
    if not name or len(name) > _LONGEST_NAME:
        raise SneakerError(f"a name has 1 to {_LONGEST_NAME} characters.")
    return name


def _write_name(folder: Path, name: str) -> None:
    with Dataset(folder).changing() as db:
        set_fact(db, "name", name)


_SPEC = CollectionSpec[DatasetEntry](
    kind="datasets",
    noun="dataset",
    plural="datasets",
    error=DatasetError,
    holds_item=lambda folder: (folder / INDEX_FILE).exists() or Dataset(folder).images.is_dir(),
    read=_entry,
    is_busy=lambda entry: any(not job.state.ended for job in list_jobs(Dataset(entry.folder).jobs)),
    order=lambda entry: (entry.name.casefold(), entry.folder.name),
    read_name=lambda folder: Dataset(folder).name,
    write_name=_write_name,
    check_name=_checked_name,
)


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):  # no system would take it for a name
        return False


@dataclass(frozen=True)
class PhotoSource:
    """A source of labeled photos.

    Attributes
    ----------
    name : str
        Display name.
    folder : Path
        Absolute.
    dataset : Dataset or None
        None for a plain folder.
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
    """How records refer to a source of photos: by a dataset's id if it is in the workspace, or else by a path."""
    is_ours = source.dataset is not None and source.folder.parent == datasets_folder(workspace).absolute()
    return source.folder.name if is_ours else str(source.folder)


def open_samples(workspace: Path, source: str, only: tuple[str, ...] = ()) -> pd.DataFrame:
    """Labeled photos to train on or to measure with: of a dataset, as reviewed, or of a plain folder.

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
        Columns sample, path, label and split (None where no split is stored); and, if the dataset knows of any, world
        (None where it doesn't).

    Raises
    ------
    DatasetError
        There is no such dataset or folder, it is empty, or lacks a class that was asked for.
    """
    dataset = find_source(workspace, source).dataset
    if dataset is None:
        return read_labeled_folder(Path(source), only)
    samples = read_samples(dataset)
    samples = samples[~samples["excluded"]]
    wanted = set(map(clean_name, only))
    missing = sorted(wanted - set(samples["label"]))
    if missing:
        hint = did_you_mean(missing, sorted(set(samples["label"])))
        raise DatasetError(f"The dataset {dataset.name!r} has no photos of {', '.join(map(repr, missing))}.{hint}")
    if wanted:
        samples = samples[samples["label"].isin(wanted)]
    if samples.empty:
        raise DatasetError(f"The dataset {dataset.name!r} has no photos yet; import some first.")
    samples = samples[["sample", "path", "label", "split"]].reset_index(drop=True)
    worlds = read_worlds(dataset)
    if worlds.empty:
        return samples
    found = samples["sample"].map(worlds).astype(object)
    return samples.assign(**{WORLD: found.where(found.notna(), None)})
