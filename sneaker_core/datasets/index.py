"""A dataset: a folder with its photos and an index of them.

::

    <dataset>/
      index.sqlite              what is known of each photo, and every decision that was taken
      images/<class>/<sample>   the bytes as they came, in the folder of the class they were first filed under
      thumbnails/               small JPEGs, made once
      incoming/                 photos on their way in

Photos and rows agree at every moment that anybody can see: a photo waits in ``incoming`` until its row is committed
and only then moves to its place; whoever opens the dataset after a crash finishes the move, or drops what has no row.
"""

import contextlib
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.index_schema import FORMAT, SCHEMA, read_format, upgrade
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.safe_names import safe_folder_name

INDEX_FILE = "index.sqlite"
_LOCK_FILE = "import.lock"
_PATIENCE = 60.0  # seconds to wait while another process writes


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    @property
    def images(self) -> Path:
        """Where the photos lie."""
        return self.folder / "images"

    @property
    def incoming(self) -> Path:
        """Where photos wait for their rows."""
        return self.folder / "incoming"

    @property
    def jobs(self) -> Path:
        """Where work in the background keeps its state."""
        return self.folder / "jobs"

    @property
    def name(self) -> str:
        """As it was given, whatever its folder is called."""
        return str(self.fact("name"))

    @property
    def revision(self) -> int:
        """Grows with every change: a key for caches."""
        return int(self.fact("revision"))

    def fact(self, key: str, default: Any = None) -> Any:
        """One thing that is kept of the dataset as a whole."""
        with self.reading() as db:
            row = db.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return default if row is None else json.loads(row[0])

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with.

        Raises
        ------
        DatasetError
            The index is missing, damaged or from a newer SoleScope.
        """
        with self._connected() as db:
            yield db

    @contextlib.contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A connection to write with: all of it happens, at once, or nothing.

        Raises
        ------
        DatasetError
            As `reading`; or the disk is full; nothing has changed then.
        """
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
        file = self.folder / INDEX_FILE
        try:
            # Not `connect(file)`: that would make an empty index where there is none.
            db = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None)
        except (sqlite3.Error, ValueError):
            raise DatasetError(f"{self.folder} is no dataset: it has no {INDEX_FILE} that can be opened.") from None
        try:
            version = read_format(db)
            if version not in (1, FORMAT):
                raise DatasetError(
                    f"{self.folder} was written by another version of SoleScope; update SoleScope to open it."
                )
            if version != FORMAT:
                upgrade(db)
            yield db
        except sqlite3.OperationalError as error:
            raise DatasetError(f"The index of {self.folder.name} cannot be used just now: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise DatasetError(
                f"{file} is damaged; the photos in {self.images} are untouched: import that folder as a new dataset."
            ) from error
        finally:
            db.close()


def set_fact(db: sqlite3.Connection, key: str, value: Any) -> None:
    """Keep one thing of the dataset as a whole."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (key, json.dumps(value, ensure_ascii=False)))


def ensure_class(db: sqlite3.Connection, label: str) -> tuple[int, str]:
    """Number and folder of a class, made when it is new; on a connection to write with."""
    row = db.execute("SELECT class, folder FROM classes WHERE label = ?", (label,)).fetchone()
    if row is not None:
        return int(row[0]), str(row[1])
    folder = safe_folder_name(label, {taken.lower() for (taken,) in db.execute("SELECT folder FROM classes")})
    number = db.execute("INSERT INTO classes(label, folder) VALUES (?, ?)", (label, folder)).lastrowid
    return int(number or 0), folder


def create_index(folder: Path, name: str) -> Dataset:
    """Make an empty dataset, whole or not at all.

    Raises
    ------
    DatasetError
        There is something at that place already.
    """
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
        raise DatasetError(f"There is something at {folder} already; choose another name.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Dataset(folder)


def open_index(folder: Path) -> Dataset:
    """Open a dataset; what a crash left half done is finished first.

    Raises
    ------
    DatasetError
        The folder holds no dataset, or a newer SoleScope wrote it.
    """
    dataset = Dataset(folder.resolve())
    with dataset.reading():
        pass  # an index that cannot be read, or that a newer SoleScope wrote, is refused here
    if dataset.incoming.is_dir() and any(dataset.incoming.iterdir()):
        with contextlib.suppress(DatasetError), import_lock(dataset):
            recover_incoming(dataset)
    return dataset


@contextlib.contextmanager
def import_lock(dataset: Dataset) -> Iterator[None]:
    """Held by the one who brings photos in; let go by the system when its process dies.

    Raises
    ------
    DatasetError
        Another process or thread holds it, or the dataset cannot be written to.
    """
    try:
        lock = take_lock(dataset.folder / _LOCK_FILE)
    except SneakerError as error:
        raise DatasetError(str(error)) from error
    if lock is None:
        raise DatasetError(
            f"Photos are being added to {dataset.name!r} already; wait until that has ended, or stop it."
        )
    with lock:
        yield


def recover_incoming(dataset: Dataset) -> None:
    """Move waiting photos whose rows are there to their places, and drop those without; under `import_lock` only."""
    # Empty folders are lost where a dataset is copied by tools that know files only.
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
    """Give a photo its place; where that fails it goes on waiting, until the dataset is opened again.

    Raises
    ------
    DatasetError
        The disk is full or not to be written to.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        waiting.replace(place)
    except OSError as error:
        raise DatasetError(f"A photo cannot be moved to {place.parent}: {error.strerror}.") from error


def read_samples(dataset: Dataset) -> pd.DataFrame:
    """Every photo of a dataset as it stands after review.

    Returns
    -------
    DataFrame
        Columns sample, path, label, excluded (bool), original_label (the label it was imported with), split ("train",
        "val", "test" or None), width, height (pixels), bytes, name, added (seconds since 1970); sorted by label, name.
    """
    columns = [
        "sample",
        "path",
        "label",
        "excluded",
        "original_label",
        "split",
        "width",
        "height",
        "bytes",
        "name",
        "added",
    ]
    with dataset.reading() as db:
        selected = ", ".join("file" if column == "path" else column for column in columns)
        rows = db.execute(f"SELECT {selected} FROM samples")
        table = pd.DataFrame.from_records(rows.fetchall(), columns=columns)
        labels = dict(db.execute("SELECT class, label FROM classes").fetchall())
    root = f"{dataset.images}/"
    table["path"] = [root + file for file in table["path"]]
    for column in ("label", "original_label"):
        table[column] = table[column].map(labels).astype(object)
    table["split"] = table["split"].astype(object).where(table["split"].notna(), None)
    table["excluded"] = table["excluded"].astype(bool)
    return table.sort_values(["label", "name"], ignore_index=True, kind="stable")


def read_classes(dataset: Dataset) -> list[str]:
    """The names of all classes, also of those whose photos were all moved or excluded; sorted."""
    with dataset.reading() as db:
        return [label for (label,) in db.execute("SELECT label FROM classes ORDER BY label")]


def read_provenance(dataset: Dataset) -> pd.DataFrame:
    """Every place that a photo came from; one photo may have several.

    Returns
    -------
    DataFrame
        Columns sample, label, name, source, split, url, query, time; sorted by time.
    """
    return _table(
        dataset,
        "SELECT sample, classes.label, name, source, split, url, query, time FROM provenance "
        "JOIN classes ON classes.class = provenance.label ORDER BY time, name",
        ["sample", "label", "name", "source", "split", "url", "query", "time"],
    )


def read_rejects(dataset: Dataset) -> pd.DataFrame:
    """Files that could not come in: columns source, name, reason, time; sorted by source, name."""
    return _table(dataset, "SELECT source, name, reason, time FROM rejects", ["source", "name", "reason", "time"])


def web_provenance(dataset: Dataset) -> pd.DataFrame:
    """Photos that were collected from the web: as `read_provenance`, with a URL each."""
    provenance = read_provenance(dataset)
    return provenance[provenance["url"].notna()].reset_index(drop=True)


def tried_links(dataset: Dataset) -> set[str]:
    """Addresses on the web that gave no photo before."""
    with dataset.reading() as db:
        return {url for (url,) in db.execute("SELECT url FROM links")}


def remember_link(dataset: Dataset, url: str, reason: str) -> None:
    """Keep that an address gave no photo, and why."""
    with dataset.changing() as db:
        db.execute("INSERT OR REPLACE INTO links VALUES (?, ?, ?)", (url, reason, time.time()))


def _table(dataset: Dataset, query: str, columns: list[str]) -> pd.DataFrame:
    with dataset.reading() as db:
        return pd.DataFrame.from_records(db.execute(query).fetchall(), columns=columns)
