"""Rebuild a damaged index from the photos and from every row that is still intact.

The damaged index is kept beside the new one. What a check computes from the photos (measures, embeddings, findings) is
not taken over: the next check computes it again.
"""

import contextlib
import json
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sneaker_core import images
from sneaker_core.datasets.index import (
    INDEX_FILE,
    Dataset,
    import_lock,
    read_classes,
    read_provenance,
    read_rejects,
    read_samples,
    set_fact,
    tried_links,
)
from sneaker_core.datasets.index_schema import FORMAT, SCHEMA, upgrade
from sneaker_core.datasets.photo_folder import sample_id
from sneaker_core.datasets.quality.findings import read_findings, read_near_duplicate_groups
from sneaker_core.datasets.quality.scan import read_map
from sneaker_core.datasets.quality.stored_measures import read_embeddings, read_measures
from sneaker_core.datasets.review_log import apply_decisions, history
from sneaker_core.errors import DamagedError, DatasetError, ImageError
from sneaker_core.records.dataset_records import (
    ClassFolderRow,
    FactsRecord,
    RejectRow,
    SampleRow,
    StoredDecisionRow,
    StoredLinkRow,
    StoredProvenanceRow,
)
from sneaker_core.records.reading import Record, check_rows, checked, parsed
from sneaker_core.workspace.safe_names import name_as_text

# Facts that can't be computed again.
_KEPT_FACTS = ("name", "created", "split", "worlds", "classes_kept_apart", "revision")
# What the tables are called in reports.
_PHOTOS, _DECISIONS = "photos", "decisions"


@dataclass
class RepairReport:
    """What became of a damaged index.

    Attributes
    ----------
    name : str
        The dataset's display name; that of its folder if the index no longer said.
    photos : int
        In the new index.
    read_again : int
        Photos whose row was damaged: they have the class of their folder.
    decisions : int
        Review decisions that were kept.
    lost : dict of str to int
        Rows that could not be kept, by what they are.
    unusable : dict of str to str
        Files that are in the folder of photos but not in the new index -> why.
    kept_as : str
        Name of the damaged index.
    """

    name: str = ""
    photos: int = 0
    read_again: int = 0
    decisions: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    unusable: dict[str, str] = field(default_factory=dict)
    kept_as: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "lost": {what: count for what, count in self.lost.items() if count}}


def index_problem(dataset: Dataset) -> str | None:
    """What is wrong with an index, from reading all of it; None if it is intact."""
    readers = (
        read_classes, read_provenance, read_rejects, tried_links, history, read_findings, read_near_duplicate_groups,
        read_measures, read_map,
    )  # fmt: skip
    try:
        _ = dataset.name, dataset.revision, *(dataset.fact(key) for key in FactsRecord.__struct_fields__)
        read_embeddings(dataset, read_samples(dataset)["sample"])
        for read in readers:
            read(dataset)
        with dataset.reading() as db:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except DatasetError as error:
        return str(error)
    return None if found == "ok" else f"{dataset.index} is damaged: {found}."


def repair_index(dataset: Dataset) -> RepairReport:
    """Rebuild the index of a dataset. The photos are not changed.

    Raises
    ------
    DatasetError
        It is in use, or can't be written.
    """
    with import_lock(dataset), contextlib.ExitStack() as stack:
        unfinished = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=dataset.folder, prefix=".repair-")))
        try:
            report = _rebuilt(dataset, _Salvage(_copy(dataset, unfinished)), unfinished / INDEX_FILE)
            report.kept_as = _replace(dataset, unfinished / INDEX_FILE)
        except OSError as error:
            raise DatasetError(f"Can't write to {dataset.folder}: {error.strerror}.") from error
        except sqlite3.OperationalError as error:
            raise DatasetError(f"Can't write a new index to {dataset.folder}: {error}.") from error
    return report


def _copy(dataset: Dataset, folder: Path) -> Path:
    """A copy of the damaged index that SQLite may change while reading it."""
    for ending in ("", "-wal"):
        file = dataset.index.with_name(INDEX_FILE + ending)
        if file.is_file():
            shutil.copyfile(file, folder / f"damaged{ending}")
    return folder / "damaged"


def _replace(dataset: Dataset, new: Path) -> str:
    """Put the new index in place, keeping the damaged one under another name, which is returned."""
    number = 1
    while (kept := dataset.folder / f"index-damaged-{number}.sqlite").exists():
        number += 1
    if dataset.index.is_dir():
        dataset.index.rename(kept)
    elif dataset.index.exists():
        shutil.copyfile(dataset.index, kept)
    for ending in ("-wal", "-shm"):  # they belong to the damaged index
        dataset.index.with_name(INDEX_FILE + ending).unlink(missing_ok=True)
    new.replace(dataset.index)
    return kept.name if kept.exists() else ""


class _Salvage:
    """What can still be read from a damaged index."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lost: Counter[str] = Counter()
        with contextlib.suppress(sqlite3.Error, DamagedError), self._connected() as db:
            upgrade(db)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as db:
            db.text_factory = lambda data: data.decode(errors="replace")
            yield db

    def rows(self, what: str, table: str, columns: str, schema: type[Record]) -> list[tuple[Any, ...]]:
        """The rows of a table that fit their schema, up to where it can't be read."""
        found: list[tuple[Any, ...]] = []
        try:
            with self._connected() as db:
                for row in db.execute(f"SELECT {columns} FROM {table}"):
                    try:
                        check_rows([row], schema, table)
                    except DamagedError:
                        self.lost[what] += 1
                    else:
                        found.append(row)
        except sqlite3.Error:
            self.lost[f"{what} (the rest of the table)"] += 1
        return found

    def facts(self) -> dict[str, Any]:
        """The facts that fit their schema."""
        found = {}
        with contextlib.suppress(sqlite3.Error), self._connected() as db:
            for key, text in db.execute("SELECT key, value FROM facts"):
                if key in _KEPT_FACTS:
                    try:
                        value = parsed(str(text), key)
                        checked({key: value}, FactsRecord, key)
                    except DamagedError:
                        self.lost["facts about the dataset"] += 1
                    else:
                        found[key] = value
        return found


def _rebuilt(dataset: Dataset, old: _Salvage, file: Path) -> RepairReport:
    """Write the new index."""
    facts, report = old.facts(), RepairReport()
    report.name = str(facts.get("name") or dataset.folder.name)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
        db.execute("BEGIN")
        now = time.time()
        # Caches must not take the new index for a state of the old one.
        revision = int(facts.get("revision", now)) + 1
        for key, value in {
            "created": now,
            **facts,
            "format": FORMAT,
            "name": report.name,
            "revision": revision,
        }.items():
            set_fact(db, key, value)
        classes = _Classes(db, old.rows("classes", "classes", "class, label, folder", ClassFolderRow))
        samples = old.rows(_PHOTOS, "samples", ", ".join(SampleRow.__struct_fields__), SampleRow)
        _add_photos(dataset, db, classes, samples, report)
        _add_logs(db, old, classes, report)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.execute("PRAGMA journal_mode = DELETE")
    report.lost.update(old.lost)
    return report


class _Classes:
    """The classes of the new index; numbers are those of the old one."""

    def __init__(self, db: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
        self.db = db
        self.numbers: dict[str, int] = {}
        for number, label, folder in rows:
            with contextlib.suppress(sqlite3.IntegrityError):
                db.execute("INSERT INTO classes VALUES (?, ?, ?)", (number, label, folder))
                self.numbers[folder] = number

    def of_folder(self, folder: str) -> int:
        """The class whose photos are in a folder; named like the folder if its row was lost."""
        if folder not in self.numbers:
            label = folder
            while self.db.execute("SELECT 1 FROM classes WHERE label = ?", (label,)).fetchone():
                label += " (folder)"
            added = self.db.execute("INSERT INTO classes(label, folder) VALUES (?, ?)", (label, folder))
            self.numbers[folder] = int(added.lastrowid or 0)
        return self.numbers[folder]

    def has(self, number: int | None) -> bool:
        """Whether there is a class of that number."""
        return number is None or number in self.numbers.values()


def _add_photos(
    dataset: Dataset, db: sqlite3.Connection, classes: _Classes, rows: list[tuple[Any, ...]], report: RepairReport
) -> None:
    """Add each photo in the folder of photos, from its row where that is intact."""
    intact = {row[1]: row for row in rows}
    for path in sorted(dataset.images.glob("*/*")):
        place = path.relative_to(dataset.images).as_posix()
        own = classes.of_folder(path.parent.name)
        row = intact.pop(place, None)
        if row is not None and row[8] == path.stat().st_size:
            sample, file, label, excluded, original, *rest = row
            original = original if classes.has(original) else own
            label = label if classes.has(label) else original
            values = (sample, file, rest[-2], original, label, excluded, *rest[:4], rest[-1])
        else:
            try:
                values = _read_again(path, place, own)
            except (ImageError, OSError) as error:
                report.unusable[name_as_text(place)] = str(error)
                continue
            report.read_again += 1
        try:
            db.execute("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        except sqlite3.IntegrityError:
            report.unusable[name_as_text(place)] = "The same photo is there twice."
        else:
            report.photos += 1
    report.lost[f"{_PHOTOS} whose file is missing"] += len(intact)


def _read_again(path: Path, place: str, label: int) -> tuple[Any, ...]:
    data = path.read_bytes()
    if sample_id(data) != path.stem:
        raise ImageError("The file was changed since it was imported.")
    photo = images.decode_photo(data, shrink_to=64)
    return (path.stem, place, path.name, label, label, 0, None, photo.width, photo.height, len(data), time.time())


def _add_logs(db: sqlite3.Connection, old: _Salvage, classes: _Classes, report: RepairReport) -> None:
    """Add where photos came from, what was decided about them, and what could not be imported."""
    present = {sample for (sample,) in db.execute("SELECT sample FROM samples")}
    columns = "decision, batch, time, author, sample, action, label, kinds, undone"
    for row in old.rows(_DECISIONS, "decisions", columns, StoredDecisionRow):
        if row[4] in present and classes.has(row[6]) and _lists_kinds(row[7]):
            db.execute("INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            report.decisions += 1
        else:
            old.lost[_DECISIONS] += 1
    columns = "sample, label, name, source, split, url, query, time"
    for row in old.rows("sources of photos", "provenance", columns, StoredProvenanceRow):
        if row[0] in present and classes.has(row[1]):
            db.execute("INSERT OR IGNORE INTO provenance VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    rejects = old.rows("rejected files", "rejects", "source, name, reason, time", RejectRow)
    db.executemany("INSERT OR IGNORE INTO rejects VALUES (?, ?, ?, ?)", rejects)
    links = old.rows("web addresses", "links", "url, reason, time", StoredLinkRow)
    db.executemany("INSERT OR IGNORE INTO links VALUES (?, ?, ?)", links)
    # A photo that was read again knows its name and its given split from where it came from.
    db.execute(
        "UPDATE samples SET name = coalesce((SELECT name FROM provenance WHERE provenance.sample = samples.sample "
        "ORDER BY time LIMIT 1), name) WHERE name = substr(file, instr(file, '/') + 1)"
    )
    apply_decisions(db, [sample for (sample,) in db.execute("SELECT DISTINCT sample FROM decisions")])


def _lists_kinds(text: str) -> bool:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
