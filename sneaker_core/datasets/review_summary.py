"""Summaries of the decisions in a dataset's history, batch by batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from sneaker_core.datasets.review_log import Action
from sneaker_core.number_text import counted

_DONE = {
    Action.KEEP: "kept",
    Action.EXCLUDE: "excluded",
    Action.RELABEL: "relabeled to",
    Action.MERGE: "merged into",
}


@dataclass(frozen=True)
class BatchChange:
    """What a batch did to some of its photos.

    Attributes
    ----------
    action : Action
    label : str or None
        The new class, for relabeling and merging.
    photos : int
    """

    action: Action
    label: str | None
    photos: int


@dataclass(frozen=True)
class BatchSummary:
    """Decisions that were made together.

    Attributes
    ----------
    batch : str
    time : float
        Of the first decision, in seconds since 1970.
    author : str
    photos : int
        Number of photos.
    undone : int
        Number of decisions that were undone.
    decisions : int
        Number of decisions.
    changes : tuple of BatchChange
        One for each action and class; most photos first.
    """

    batch: str
    time: float
    author: str
    photos: int
    undone: int
    decisions: int
    changes: tuple[BatchChange, ...]


def summarize_batch(decisions: pd.DataFrame) -> BatchSummary:
    """Summarize the decisions of one batch.

    Parameters
    ----------
    decisions : DataFrame
        At least one row of `review_log.history`, all of the same batch.
    """
    first = decisions.iloc[-1]
    photos: dict[tuple[str, str | None], set[str]] = {}
    for row in decisions.itertuples():
        label = row.label if isinstance(row.label, str) else None
        photos.setdefault((str(row.action), label), set()).add(str(row.sample))
    changes = [BatchChange(Action(action), label, len(samples)) for (action, label), samples in photos.items()]
    changes.sort(key=lambda change: (-change.photos, list(Action).index(change.action), change.label or ""))
    return BatchSummary(
        batch=str(first["batch"]),
        time=float(decisions["time"].min()),
        author=str(first["author"]),
        photos=int(decisions["sample"].nunique()),
        undone=int(decisions["undone"].notna().sum()),
        decisions=len(decisions),
        changes=tuple(changes),
    )


def summarize_history(decisions: pd.DataFrame) -> list[BatchSummary]:
    """Summarize all batches of `review_log.history`, newest first."""
    return [summarize_batch(rows) for _, rows in decisions.groupby("batch", sort=False)]


def describe_changes(changes: Sequence[BatchChange], show_label: Callable[[str], str] = str) -> str:
    """Describe a batch in one phrase: "4 photos relabeled to Air Jordan 3, 3 photos excluded".

    Parameters
    ----------
    changes : sequence of BatchChange
    show_label : callable
        Formats a class name, for example to escape or shorten it.
    """
    return ", ".join(
        " ".join(
            [
                counted(change.photos, "photo"),
                _DONE[change.action],
                *([show_label(change.label)] if change.label else []),
            ]
        )
        for change in changes
    )
