"""Decisions on photos: keep, relabel, exclude; and on whole classes: merge.

Each decision is a row in a log. It takes effect immediately and can be undone individually; photo files never change.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from enum import StrEnum

import pandas as pd

from sneaker_core.datasets.index import Dataset, checked_rows
from sneaker_core.datasets.index_schema import ensure_class
from sneaker_core.errors import DatasetError
from sneaker_core.records.dataset_records import DecisionRow, DismissedRecord
from sneaker_core.records.reading import checked, parsed
from sneaker_core.workspace.clean_names import clean_name

_LONGEST_LABEL = 300
_DECISION = "A decision in the index"


class Action(StrEnum):
    """What is decided about a photo."""

    KEEP = "keep"
    RELABEL = "relabel"
    EXCLUDE = "exclude"
    # The class of the photos gets another name; nothing is said about the photos.
    MERGE = "merge"


_WITH_LABEL = (Action.RELABEL, Action.MERGE)

# The state of a photo follows from its decisions in force: the last one about the photo says whether it is excluded,
# the last relabeling or merge what it is called.
_APPLY = """
UPDATE samples SET
  excluded = coalesce((SELECT action = 'exclude' FROM decisions
    WHERE decisions.sample = samples.sample AND undone IS NULL AND action != 'merge'
    ORDER BY decision DESC LIMIT 1), 0),
  label = coalesce((SELECT decisions.label FROM decisions
    WHERE decisions.sample = samples.sample AND undone IS NULL AND action IN ('relabel', 'merge')
    ORDER BY decision DESC LIMIT 1), original_label)
WHERE sample = ?
"""


def decide(
    dataset: Dataset,
    samples: Sequence[str],
    action: Action,
    label: str | None = None,
    kinds: Iterable[str] = (),
    author: str = "",
    batch: str | None = None,
) -> str:
    """Record a decision on photos and apply it.

    Parameters
    ----------
    dataset : Dataset
    samples : sequence of str
        Ids of one or more photos.
    action : Action
    label : str, optional
        The new class, for `Action.RELABEL` and `Action.MERGE`; a new name creates a new class.
    kinds : iterable of str
        Kinds of findings that this decision dismisses. They stay dismissed when the dataset is scanned again.
    author : str
        Who decided, so that "Undo" only affects a person's own decisions.
    batch : str, optional
        From an earlier call: adds these decisions to that batch, so that they are undone together.

    Returns
    -------
    str
        The batch, for `undo`.

    Raises
    ------
    DatasetError
        A photo is not in the dataset, or the label is missing or doesn't fit the action. Nothing changes then.
    """
    name = clean_name(label or "")
    if (action in _WITH_LABEL) != bool(name):
        raise DatasetError("Relabeling needs a class name, and keeping and excluding take none.")
    if not samples:
        raise DatasetError("Choose at least one photo.")
    batch, now, dismissed = batch or uuid.uuid4().hex[:16], time.time(), json.dumps(sorted(set(kinds)))
    with dataset.changing() as db:
        _check_present(db, samples)
        number = _class_number(db, name) if name else None
        rows = [(batch, now, author, sample, action.value, number, dismissed) for sample in dict.fromkeys(samples)]
        db.executemany(
            "INSERT INTO decisions(batch, time, author, sample, action, label, kinds) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        apply_decisions(db, samples)
    return batch


def apply_decisions(db: sqlite3.Connection, samples: Iterable[str]) -> None:
    """Bring the state of photos in line with the decisions on them."""
    db.executemany(_APPLY, [(sample,) for sample in samples])


def _check_present(db: sqlite3.Connection, samples: Sequence[str]) -> None:
    for sample in samples:
        if db.execute("SELECT 1 FROM samples WHERE sample = ?", (sample,)).fetchone() is None:
            raise DatasetError(f"There is no photo {sample[:40]!r} in this dataset.")


def _class_number(db: sqlite3.Connection, label: str) -> int:
    """The number of a class, which is added if it is new."""
    if len(label) > _LONGEST_LABEL:
        raise DatasetError(f"A class name may have at most {_LONGEST_LABEL} characters.")
    return ensure_class(db, label)[0]


def undo(dataset: Dataset, batch: str | None = None, decision: int | None = None, author: str | None = None) -> int:
    """Undo a batch, a single decision, or the last batch in force.

    Parameters
    ----------
    dataset : Dataset
    batch : str, optional
        From `decide`.
    decision : int, optional
        From `history`.
    author : str, optional
        If neither of these is given: whose last batch to undo; by default, anyone's.

    Returns
    -------
    int
        Number of photos whose state was restored.

    Raises
    ------
    DatasetError
        There is nothing to undo.
    """
    with dataset.changing() as db:
        if batch is None and decision is None:
            batch = _last_batch(db, author)
        rows = db.execute(
            "SELECT decision, sample FROM decisions WHERE (batch = ? OR decision = ?) AND undone IS NULL",
            (batch, decision),
        ).fetchall()
        if not rows:
            raise DatasetError("There is no such decision to undo.")
        now = time.time()
        db.executemany("UPDATE decisions SET undone = ? WHERE decision = ?", [(now, number) for number, _ in rows])
        apply_decisions(db, [sample for _, sample in rows])
    return len(rows)


def dismissed_kinds(text: str) -> tuple[str, ...]:
    """The kinds of findings that a decision dismisses, from its row.

    Raises
    ------
    DamagedError
        The row doesn't list them.
    """
    values = {"kinds": parsed(text, _DECISION)}
    return tuple(checked(values, DismissedRecord, _DECISION).kinds)


def _last_batch(db: sqlite3.Connection, author: str | None) -> str | None:
    row = db.execute(
        "SELECT batch FROM decisions WHERE undone IS NULL AND (? IS NULL OR author = ?) ORDER BY decision DESC LIMIT 1",
        (author, author),
    ).fetchone()
    return row[0] if row else None


def relabeled_samples(dataset: Dataset) -> set[str]:
    """The photos that somebody has given another class; merged classes don't count."""
    query = "SELECT DISTINCT sample FROM decisions WHERE undone IS NULL AND action = 'relabel'"
    with dataset.reading() as db:
        return {sample for (sample,) in db.execute(query)}


def history(dataset: Dataset) -> pd.DataFrame:
    """Return all decisions, newest first, including those that were undone.

    Returns
    -------
    DataFrame
        Columns decision, batch, time (seconds since 1970), author, sample, name, action, label (None except for
        relabeling and merging), kinds (tuple of dismissed findings), undone (time, or None while in force).
    """
    with dataset.reading() as db:
        rows = checked_rows(
            db,
            "SELECT decision, batch, time, author, decisions.sample, samples.name, action, classes.label, kinds, "
            "undone "
            "FROM decisions JOIN samples ON samples.sample = decisions.sample "
            "LEFT JOIN classes ON classes.class = decisions.label ORDER BY decision DESC",
            DecisionRow,
        )
        table = pd.DataFrame.from_records(rows, columns=list(DecisionRow.__struct_fields__))
        table["label"] = [clean_name(label) if isinstance(label, str) else None for label in table["label"]]
        table["kinds"] = [dismissed_kinds(text) for text in table["kinds"]]
    table["undone"] = table["undone"].astype(float)
    return table


def last_change(dataset: Dataset) -> float:
    """When what a training would read changed last, in seconds since 1970: photos were added, decided on, or undone.

    To keep a photo changes nothing for a training.
    """
    with dataset.reading() as db:
        decided = db.execute(
            "SELECT max(max(time, coalesce(undone, 0))) FROM decisions WHERE action != 'keep'"
        ).fetchone()[0]
        added = db.execute("SELECT max(added) FROM samples").fetchone()[0]
    times = [time for time in (decided, added) if isinstance(time, (int, float))]
    return max(map(float, times), default=0.0)
