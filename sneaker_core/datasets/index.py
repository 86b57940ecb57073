"""A dataset: a folder of photos with an SQLite index.

::

    <dataset>/
      index.sqlite              the rows of all photos, findings and decisions
      images/<class>/<sample>   the original bytes, in the folder of the class they were imported with
      thumbnails/               small JPEGs
      incoming/                 photos that are being imported

Photos and rows always agree: a photo stays in ``incoming`` until its row is committed, and only then moves to its
place. Opening the dataset after a crash finishes such moves and deletes photos that have no row.
"""

import contextlib
import json
import shlex
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.index_schema import FORMAT, SCHEMA, class_name, read_format, upgrade, upgraded_copy
from sneaker_core.errors import DamagedError, DatasetError, ReadOnlyError, SneakerError
from sneaker_core.records.dataset_records import ClassRow, FactsRecord, LinkRow, ProvenanceRow, RejectRow, SampleRow
from sneaker_core.records.reading import Record, check_rows, checked, damaged, parsed
from sneaker_core.settings import read_only
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.read_only import check_changeable

INDEX_FILE = "index.sqlite"
_LOCK_FILE = "import.lock"
_PATIENCE = 60.0  # seconds to wait for another process to finish writing


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def index(self) -> Path:
        """File with the rows of all photos."""
        return self.folder / INDEX_FILE

    @property
    def images(self) -> Path:
        """Folder of the photos."""
        return self.folder / "images"

    @property
    def incoming(self) -> Path:
        """Folder of photos whose rows are not committed yet."""
        return self.folder / "incoming"

    @property
    def jobs(self) -> Path:
        """Folder of the dataset's background jobs."""
        return self.folder / "jobs"

    @property
    def name(self) -> str:
        """Display name; the folder may be called something else."""
        return str(self._needed_fact("name"))

    @property
    def shown_name(self) -> str:
        """Display name, or that of the folder if the index is damaged; for messages."""
        try:
            return self.name
        except DatasetError:
            return self.folder.name

    @property
    def revision(self) -> int:
        """A number that grows with every change, for cache keys."""
        return int(self._needed_fact("revision"))

    def _needed_fact(self, key: str) -> Any:
        value = self.fact(key)
        if value is None:
            raise self._damage(f"it has no {key}")
        return value

    def fact(self, key: str, default: Any = None) -> Any:
        """Return a stored value that concerns the whole dataset.

        Raises
        ------
        DatasetError
            The value is damaged, or the index as for `reading`.
        """
        with self.reading() as db:
            row = db.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
            if row is None:
                return default
            value = parsed(str(row[0]), self.index)
            checked({key: value}, FactsRecord, self.index)
        return value

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for reading.

        Raises
        ------
        DatasetError
            The index is missing, damaged or from a newer SoleScope.
        """
        with self._connected() as db:
            yield db

    @contextlib.contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Open a connection for writing, in one transaction.

        Raises
        ------
        DatasetError
            As for `reading`, or the disk is full. Nothing changes then.
        ReadOnlyError
            SoleScope is read-only.
        """
        check_changeable()
        with self._connected() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("UPDATE facts SET value = value + 1 WHERE key = 'revision'")
                db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            # Not `connect(file)`, which would create an empty index if there is none.
            db = sqlite3.connect(f"{self.index.as_uri()}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None)
        except (sqlite3.Error, ValueError):
            if self.images.is_dir():
                raise self._damage("it can't be opened") from None
            raise DatasetError(f"{self.folder} is not a dataset: it has no readable {INDEX_FILE}.") from None
        try:
            version = read_format(db)
            if version > FORMAT:
                raise DatasetError(
                    f"{self.folder} was written by another version of SoleScope. Update SoleScope to open it."
                )
            if version < 1:
                raise self._damage("it doesn't say in which format it is")
            if version != FORMAT and read_only():
                with upgraded_copy(db) as copy:
                    yield copy
                return
            if version != FORMAT:
                upgrade(db)
            yield db
        except DamagedError as error:
            raise DatasetError(f"{error} {self._repair_hint}") from None
        except sqlite3.OperationalError as error:
            if is_passing(error):
                raise DatasetError(f"Can't use the index of {self.folder.name} right now: {error}.") from error
            raise self._damage(str(error)) from error
        except sqlite3.DatabaseError as error:
            raise self._damage(str(error)) from error
        finally:
            db.close()

    def _damage(self, what: str) -> DatasetError:
        return DatasetError(f"{damaged(self.index, what)} {self._repair_hint}")

    @property
    def _repair_hint(self) -> str:
        name = shlex.quote(self.folder.name)
        return f"The photos in {self.images} are intact: rebuild the index from them with “dataset repair {name}”."


def is_passing(error: sqlite3.OperationalError) -> bool:
    """Whether an index can be used again later: it is in use, or its disk is full or read-only."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code not in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def checked_rows(db: sqlite3.Connection, query: str, schema: type[Record], *values: object) -> list[tuple[Any, ...]]:
    """The rows that a query selects; values replace the question marks in it.

    Raises
    ------
    DamagedError
        One doesn't fit the schema; `Dataset.reading` turns it into a DatasetError.
    """
    rows = db.execute(query, values).fetchall()
    check_rows(rows, schema, "The index")
    return rows


def set_fact(db: sqlite3.Connection, key: str, value: Any) -> None:
    """Store a value that concerns the whole dataset."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, json.dumps(value, ensure_ascii=False)))


def create_index(folder: Path, name: str) -> Dataset:
    """Create an empty dataset, completely or not at all.

    Raises
    ------
    DatasetError
        The folder already exists.
    """
    check_changeable()
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        unfinished.chmod(0o755)
        with contextlib.closing(sqlite3.connect(unfinished / INDEX_FILE, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(SCHEMA)
            facts = {"format": FORMAT, "name": name, "created": time.time(), "revision": 0}
            for key, value in facts.items():
                set_fact(db, key, value)
        for part in ("images", "thumbnails", "incoming", "jobs"):
            (unfinished / part).mkdir()
        unfinished.rename(folder)
    except OSError:
        raise DatasetError(f"{folder} already exists; choose another name.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Dataset(folder)


def open_index(folder: Path) -> Dataset:
    """Open a dataset, after finishing an import that was interrupted by a crash.

    Raises
    ------
    DatasetError
        The folder has no dataset, or a newer version of SoleScope wrote it.
    """
    dataset = Dataset(folder.resolve())
    with dataset.reading():
        pass  # raises an error if the index can't be read
    if dataset.incoming.is_dir() and any(dataset.incoming.iterdir()):
        with contextlib.suppress(DatasetError, ReadOnlyError), import_lock(dataset):
            recover_incoming(dataset)
    return dataset


@contextlib.contextmanager
def import_lock(dataset: Dataset) -> Iterator[None]:
    """Hold the lock for adding photos; the system releases it if the process dies.

    Raises
    ------
    DatasetError
        Another process or thread holds it, or the dataset can't be written.
    """
    check_changeable()
    try:
        lock = take_lock(dataset.folder / _LOCK_FILE)
    except SneakerError as error:
        raise DatasetError(str(error)) from error
    if lock is None:
        raise DatasetError(
            f"Photos are already being added to {dataset.shown_name!r}. Wait until that has finished, or stop it."
        )
    with lock:
        yield


def recover_incoming(dataset: Dataset) -> None:
    """Move incoming photos that have a row to their places and delete the others; requires `import_lock`."""
    # Some tools lose empty folders when they copy a dataset.
    dataset.incoming.mkdir(exist_ok=True)
    waiting = list(dataset.incoming.iterdir())
    with dataset.reading() as db:
        for path in waiting:
            row = db.execute("SELECT file FROM samples WHERE sample = ?", (path.stem,)).fetchone()
            if row is None:
                path.unlink(missing_ok=True)
            else:
                move_into_place(path, dataset.images / row[0])


def move_into_place(waiting: Path, place: Path) -> None:
    """Move an incoming photo to its place; if that fails, opening the dataset tries again.

    Raises
    ------
    DatasetError
        The disk is full or not writable.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        waiting.replace(place)
    except OSError as error:
        raise DatasetError(f"Can't move a photo to {place.parent}: {error.strerror}.") from error


def read_samples(dataset: Dataset) -> pd.DataFrame:
    """Return all photos of a dataset with all decisions applied.

    Returns
    -------
    DataFrame
        Columns sample, path, label, excluded (bool), original_label (the label it was imported with), split ("train",
        "val", "test" or None), width, height (pixels), bytes, name, added (seconds since 1970); sorted by label, name.
    """
    with dataset.reading() as db:
        columns = SampleRow.__struct_fields__
        rows = checked_rows(db, f"SELECT {', '.join(columns)} FROM samples", SampleRow)
        classes = checked_rows(db, "SELECT class, label FROM classes", ClassRow)
        labels = {number: class_name(label) for number, label in classes}
        table = pd.DataFrame.from_records(rows, columns=["path" if name == "file" else name for name in columns])
        for column in ("label", "original_label"):
            unknown = table.loc[~table[column].isin(list(labels)), "sample"]
            if len(unknown):
                raise damaged(dataset.index, f"the photo {unknown.iloc[0]} has no class")
    root = f"{dataset.images}/"
    table["path"] = [root + file for file in table["path"]]
    for column in ("label", "original_label"):
        table[column] = table[column].map(labels).astype(object)
    table["split"] = table["split"].astype(object).where(table["split"].notna(), None)
    table["excluded"] = table["excluded"].astype(bool)
    return table.sort_values(["label", "name"], ignore_index=True, kind="stable")


def read_classes(dataset: Dataset) -> list[str]:
    """Return the sorted names of all classes, including those without photos."""
    with dataset.reading() as db:
        rows = checked_rows(db, "SELECT class, label FROM classes", ClassRow)
        return sorted({class_name(label) for _, label in rows})


def read_provenance(dataset: Dataset) -> pd.DataFrame:
    """Return where each photo came from; a photo may have several sources.

    Returns
    -------
    DataFrame
        Columns sample, label, name, source, split, url, query, time; sorted by time.
    """
    table = _table(
        dataset,
        "SELECT sample, classes.label, name, source, split, url, query, time FROM provenance "
        "JOIN classes ON classes.class = provenance.label ORDER BY time, name",
        ProvenanceRow,
    )
    return table.assign(label=table["label"].map(class_name).astype(object))


def read_rejects(dataset: Dataset) -> pd.DataFrame:
    """Return files that could not be imported: columns source, name, reason, time; sorted by source, name."""
    return _table(dataset, "SELECT source, name, reason, time FROM rejects", RejectRow)


def web_provenance(dataset: Dataset) -> pd.DataFrame:
    """Return the rows of `read_provenance` that have a URL."""
    provenance = read_provenance(dataset)
    return provenance[provenance["url"].notna()].reset_index(drop=True)


def tried_links(dataset: Dataset) -> set[str]:
    """Return web addresses that did not give a photo before."""
    with dataset.reading() as db:
        return {url for (url,) in checked_rows(db, "SELECT url FROM links", LinkRow)}


def remember_link(dataset: Dataset, url: str, reason: str) -> None:
    """Record that a web address gave no photo, with the reason."""
    with dataset.changing() as db:
        db.execute("INSERT OR REPLACE INTO links VALUES (?, ?, ?)", (url, reason, time.time()))


def _table(dataset: Dataset, query: str, schema: type[Record]) -> pd.DataFrame:
    with dataset.reading() as db:
        return pd.DataFrame.from_records(checked_rows(db, query, schema), columns=list(schema.__struct_fields__))
