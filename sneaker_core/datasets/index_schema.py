"""The tables of a dataset's index, and the upgrade of indexes written in an earlier format."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator

from sneaker_core.records.dataset_records import DismissedRecord
from sneaker_core.records.reading import checked, parsed
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.safe_names import safe_folder_name

FORMAT = 2

SCHEMA = """
CREATE TABLE facts(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE classes(
  class INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE, folder TEXT NOT NULL UNIQUE COLLATE NOCASE);
CREATE TABLE samples(
  sample TEXT PRIMARY KEY, file TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  original_label INTEGER NOT NULL REFERENCES classes, label INTEGER NOT NULL REFERENCES classes,
  excluded INTEGER NOT NULL DEFAULT 0, split TEXT,
  width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL, added REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE provenance(
  sample TEXT NOT NULL REFERENCES samples, label INTEGER NOT NULL REFERENCES classes, name TEXT NOT NULL,
  source TEXT NOT NULL, split TEXT, url TEXT, query TEXT, time REAL NOT NULL,
  PRIMARY KEY(sample, label, source, name)) WITHOUT ROWID;
CREATE TABLE rejects(
  source TEXT NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, time REAL NOT NULL,
  PRIMARY KEY(source, name)) WITHOUT ROWID;
CREATE TABLE links(url TEXT PRIMARY KEY, reason TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE decisions(
  decision INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT NOT NULL, time REAL NOT NULL, author TEXT NOT NULL,
  sample TEXT NOT NULL REFERENCES samples, action TEXT NOT NULL, label INTEGER REFERENCES classes,
  kinds TEXT NOT NULL, undone REAL);
CREATE INDEX decisions_of_sample ON decisions(sample, decision);
CREATE INDEX decisions_of_batch ON decisions(batch);
CREATE TABLE measures(
  sample TEXT PRIMARY KEY REFERENCES samples, hash BLOB NOT NULL, mirrored_hash BLOB NOT NULL, sketch BLOB NOT NULL,
  brightness REAL NOT NULL, light REAL NOT NULL, dark REAL NOT NULL, sharpness REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE embeddings(
  sample TEXT PRIMARY KEY REFERENCES samples, vector BLOB NOT NULL, ood_score REAL NOT NULL,
  x REAL, y REAL) WITHOUT ROWID;
CREATE TABLE findings(
  sample TEXT NOT NULL REFERENCES samples, kind TEXT NOT NULL, score REAL NOT NULL, group_id INTEGER,
  suggestion TEXT, advice TEXT, PRIMARY KEY(sample, kind)) WITHOUT ROWID;
CREATE TABLE near_duplicates(sample TEXT PRIMARY KEY REFERENCES samples, group_id INTEGER NOT NULL) WITHOUT ROWID;
"""

# Kinds of findings that have been renamed: the old value -> the value now.
RENAMED_KINDS = {"near_copy": "near_duplicate", "bright": "overexposed", "odd_shape": "odd_aspect_ratio"}

_RENAMED_TABLES_AND_COLUMNS = (
    "ALTER TABLE filings RENAME TO provenance",
    "ALTER TABLE families RENAME TO near_duplicates",
    "ALTER TABLE near_duplicates RENAME COLUMN family TO group_id",
    "ALTER TABLE findings RENAME COLUMN family TO group_id",
    "ALTER TABLE embeddings RENAME COLUMN strangeness TO ood_score",
    "ALTER TABLE samples RENAME COLUMN filed TO original_label",
)


def read_format(db: sqlite3.Connection) -> int:
    """Return the format that an index was written in; 0 if it does not say."""
    row = db.execute("SELECT value FROM facts WHERE key = 'format'").fetchone()
    return int(row[0]) if row is not None and re.fullmatch(r"\d{1,9}", str(row[0]), re.ASCII) else 0


def upgrade(db: sqlite3.Connection) -> None:
    """Bring an index of format 1 to the current format, in one transaction.

    Nothing is dropped: tables, columns and kinds of findings get their new names, in decisions too. Two processes may
    open the same index at the same time; the second finds the work done.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        if read_format(db) == 1:
            for statement in _RENAMED_TABLES_AND_COLUMNS:
                db.execute(statement)
            db.executemany(
                "UPDATE findings SET kind = ? WHERE kind = ?", [(new, old) for old, new in RENAMED_KINDS.items()]
            )
            _rename_dismissed_kinds(db)
            for table in ("provenance", "rejects"):
                db.execute(f"UPDATE {table} SET source = 'synthetic' WHERE source = 'drawn'")
            db.execute("UPDATE facts SET value = ? WHERE key = 'format'", (FORMAT,))
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def upgraded_copy(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """An index of format 1 in the current format, in memory: while SoleScope is read-only, the file stays as it is."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        db.backup(copy)
        upgrade(copy)
        yield copy


def _rename_dismissed_kinds(db: sqlite3.Connection) -> None:
    for (text,) in db.execute("SELECT DISTINCT kinds FROM decisions").fetchall():
        kinds = checked({"kinds": parsed(str(text), "A decision")}, DismissedRecord, "A decision").kinds
        renamed = json.dumps([RENAMED_KINDS.get(kind, kind) for kind in kinds])
        if renamed != text:
            db.execute("UPDATE decisions SET kinds = ? WHERE kinds = ?", (renamed, text))


def class_name(stored: str) -> str:
    """The name of a class; older versions stored names as they were written."""
    return clean_name(stored) or stored


def ensure_class(db: sqlite3.Connection, label: str) -> tuple[int, str]:
    """Return the number and folder of a class, which is added if it is new."""
    rows = db.execute("SELECT class, folder FROM classes WHERE label = ?", (label,)).fetchall() or [
        (number, folder)
        for number, folder, stored in db.execute("SELECT class, folder, label FROM classes ORDER BY class")
        if class_name(stored) == label
    ]
    if rows:
        return int(rows[0][0]), str(rows[0][1])
    folder = safe_folder_name(label, {taken.lower() for (taken,) in db.execute("SELECT folder FROM classes")})
    number = db.execute("INSERT INTO classes(label, folder) VALUES (?, ?)", (label, folder)).lastrowid
    return int(number or 0), folder
