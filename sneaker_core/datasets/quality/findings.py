"""The table of findings: everything that may be wrong with the photos of a dataset.

A finding is a photo, a kind and a score. The user decides what to do about it, and dismissed findings stay dismissed.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from enum import StrEnum

import numpy as np
import pandas as pd

from sneaker_core.datasets.index import Dataset, checked_rows, read_samples, set_fact
from sneaker_core.datasets.index_schema import RENAMED_KINDS
from sneaker_core.datasets.review_log import Action, dismissed_kinds, relabeled_samples
from sneaker_core.records.dataset_records import DismissalRow, FindingRow, GroupRow
from sneaker_core.records.reading import damaged


class Kind(StrEnum):
    """What may be wrong with a photo, most serious first."""

    TWO_LABELS = "two_labels"
    WRONG_LABEL = "wrong_label"
    NOT_SNEAKER = "not_sneaker"
    NEAR_DUPLICATE = "near_duplicate"
    OUTLIER = "outlier"
    BLURRY = "blurry"
    DARK = "dark"
    OVEREXPOSED = "overexposed"
    TOO_SMALL = "too_small"
    ODD_ASPECT_RATIO = "odd_aspect_ratio"

    @classmethod
    def _missing_(cls, value: object) -> "Kind | None":
        """Accept earlier names of kinds, in URLs and on the command line."""
        renamed = RENAMED_KINDS.get(str(value))
        return None if renamed is None else cls(renamed)


# Findings that are resolved when the user changes the photo's label.
LABEL_KINDS = (Kind.TWO_LABELS, Kind.WRONG_LABEL)

FINDING_COLUMNS = ["sample", "kind", "score", "group_id", "suggestion", "advice"]


def finding_rows(
    samples: Iterable[str],
    kind: Kind,
    scores: Iterable[float],
    group_id: Iterable[int | None] | None = None,
    suggestion: Iterable[str | None] | None = None,
    advice: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Build findings of one kind: a DataFrame with the columns `FINDING_COLUMNS`."""
    samples = list(samples)
    missing = [None] * len(samples)
    values = {
        "sample": samples,
        "kind": kind.value,
        "score": np.clip(np.asarray(list(scores), dtype=float), 0, 1),
        "group_id": list(group_id) if group_id is not None else missing,
        "suggestion": list(suggestion) if suggestion is not None else missing,
        "advice": list(advice) if advice is not None else missing,
    }
    return pd.DataFrame(values, columns=FINDING_COLUMNS).astype(
        {"group_id": object, "suggestion": object, "kind": object}
    )


def store_findings(dataset: Dataset, findings: pd.DataFrame, groups: pd.Series, scan: Mapping[str, object]) -> None:
    """Replace the findings and near-duplicate groups of the previous scan in one transaction."""
    rows = findings.astype(object).where(findings.notna(), None)
    with dataset.changing() as db:
        db.execute("DELETE FROM findings")
        db.executemany("INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?)", rows[FINDING_COLUMNS].itertuples(index=False))
        store_near_duplicate_groups(db, groups)
        set_fact(db, "scan", scan)


def store_near_duplicate_groups(db: sqlite3.Connection, groups: pd.Series) -> None:
    """Replace the near-duplicate groups; `groups` is indexed by sample."""
    db.execute("DELETE FROM near_duplicates")
    db.executemany("INSERT INTO near_duplicates VALUES (?, ?)", zip(groups.index, map(int, groups), strict=True))


def read_near_duplicate_groups(dataset: Dataset) -> pd.Series:
    """Return the near-duplicate group of each photo, indexed by sample; photos added since the search are missing."""
    with dataset.reading() as db:
        rows = checked_rows(db, "SELECT sample, group_id FROM near_duplicates JOIN samples USING (sample)", GroupRow)
    return pd.Series(dict(rows), dtype="int64", name="group_id")


def read_findings(dataset: Dataset, *, dismissed: bool = False) -> pd.DataFrame:
    """Return the open findings: not dismissed, not about excluded photos, not resolved by other decisions.

    Parameters
    ----------
    dataset : Dataset
    dismissed : bool
        Whether to include findings that are no longer open.

    Returns
    -------
    DataFrame
        Columns sample, kind, score, group_id, suggestion, advice, open (bool); sorted by kind, most serious first,
        then by group and descending score.
    """
    with dataset.reading() as db:
        rows = checked_rows(
            db,
            f"SELECT {', '.join(FINDING_COLUMNS)} FROM findings JOIN samples USING (sample)",
            FindingRow,
        )
        if unknown := {row[1] for row in rows} - set(Kind):
            raise damaged(dataset.index, f"there is no kind of finding {min(unknown)!r}")
        dismissals = checked_rows(db, "SELECT sample, action, kinds FROM decisions WHERE undone IS NULL", DismissalRow)
        resolved = {
            (sample, kind)
            for sample, action, kinds in dismissals
            for kind in (*dismissed_kinds(kinds), *(LABEL_KINDS if action == Action.RELABEL else ()))
        }
        excluded = {sample for (sample,) in db.execute("SELECT sample FROM samples WHERE excluded")}
    table = pd.DataFrame.from_records(rows, columns=FINDING_COLUMNS)
    table["open"] = np.array(
        [
            sample not in excluded and (sample, kind) not in resolved
            for sample, kind in zip(table["sample"], table["kind"], strict=True)
        ],
        dtype=np.bool_,
    )
    table["open"] &= ~_resolved_in_group(table, read_samples(dataset), relabeled_samples(dataset))
    if not dismissed:
        table = table[table["open"]]
    order = {kind.value: place for place, kind in enumerate(Kind)}
    table = table.assign(place=table["kind"].map(order))
    return table.sort_values(
        ["place", "group_id", "score", "sample"], ascending=[True, True, False, True], ignore_index=True
    ).drop(columns="place")


def _resolved_in_group(findings: pd.DataFrame, samples: pd.DataFrame, relabeled: set[str]) -> pd.Series:
    """Which findings about near-duplicates are resolved by decisions on other photos of the group.

    A photo that is the only one left is no duplicate, and near-duplicates with one label don't contradict each other.
    """
    by_sample = samples.set_index("sample")
    group = [findings["kind"], findings["group_id"]]
    left = findings["sample"].map(by_sample.loc[~by_sample["excluded"], "label"]).groupby(group)
    # A single photo imported with two labels stays in doubt until somebody decides.
    changed = by_sample["excluded"] | by_sample.index.isin(relabeled)
    decided = findings["sample"].map(changed).fillna(True)
    alone = (findings["kind"] == Kind.NEAR_DUPLICATE) & (left.transform("count") < 2)
    agreed = (findings["kind"] == Kind.TWO_LABELS) & (left.transform("nunique") < 2)
    return (alone | agreed) & decided.astype(float).groupby(group).transform("max").eq(1)


def open_kinds(dataset: Dataset, samples: Iterable[str]) -> list[str]:
    """Return the kinds of open findings about any of these photos."""
    findings = read_findings(dataset)
    return sorted(set(findings.loc[findings["sample"].isin(list(samples)), "kind"]))
