"""From measures to findings: the thresholds, and one table of everything that may be wrong with a dataset.

A finding is a photo, a kind and a score; whether it counts is for people to decide. What they dismiss stays dismissed.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.index import Dataset, read_samples, set_fact
from sneaker_core.datasets.index_schema import RENAMED_KINDS
from sneaker_core.datasets.review_log import Action, decide


class Kind(StrEnum):
    """What may be wrong with a photo, the gravest first."""

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
        """Accept the names that kinds had before, in addresses and on the command line."""
        renamed = RENAMED_KINDS.get(str(value))
        return None if renamed is None else cls(renamed)


# A person who gives a photo another label has settled what it shows.
LABEL_KINDS = (Kind.TWO_LABELS, Kind.WRONG_LABEL)

FINDING_COLUMNS = ["sample", "kind", "score", "group_id", "suggestion", "advice"]


@dataclass(frozen=True)
class Thresholds:
    """From where on a measure is a finding: the one place.

    Attributes
    ----------
    min_side : int
        Pixels of the shorter side.
    max_aspect : float
        Longer over shorter side.
    min_sharpness : float
        0 to 1; photos of shops and phones measure 0.6 and more, blurred over two pixels of a thumbnail 0.4 and less.
    min_light : float
        Luma, 0 to 1, of the lightest twentieth.
    max_dark : float
        Luma, 0 to 1, of the darkest twentieth.
    outlier_distance : float
        Distance to the nearest photos of its class, in standard deviations above what is usual in the dataset.
    not_sneaker_ood_score : float
        Unlikeness to any sneaker that the network knows, in standard deviations above what is usual in the dataset.
    min_label_score : float
        How far the suggested label must be ahead of the given one, 0 to 1.
    """

    min_side: int = 100
    max_aspect: float = 2.5
    min_sharpness: float = 0.5
    min_light: float = 0.2
    max_dark: float = 0.88
    outlier_distance: float = 4.0
    not_sneaker_ood_score: float = 4.0
    min_label_score: float = 0.5


def pixel_findings(samples: pd.DataFrame, measures: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Findings of single photos by their pixels: too small, odd in shape, blurry, dark, bright.

    Parameters
    ----------
    samples : DataFrame
        Columns sample, width, height.
    measures : DataFrame
        Columns sample, light, dark, sharpness.
    thresholds : Thresholds

    Returns
    -------
    DataFrame
        Columns sample, kind, score (0 at the threshold to 1 at the worst), group, suggestion, advice.
    """
    table = samples.merge(measures, on="sample")
    side = table[["width", "height"]].min(axis=1)
    aspect = table[["width", "height"]].max(axis=1) / side
    found = [
        _below(table, Kind.TOO_SMALL, side, thresholds.min_side, "at {value:.0f} pixels it shows little detail"),
        _below(table, Kind.BLURRY, table["sharpness"], thresholds.min_sharpness, "nothing in it is sharp"),
        _below(table, Kind.DARK, table["light"], thresholds.min_light, "even its lightest parts are dark"),
        _below(table, Kind.OVEREXPOSED, 1 - table["dark"], 1 - thresholds.max_dark, "nearly all of it is white"),
        _below(table, Kind.ODD_ASPECT_RATIO, 1 / aspect, 1 / thresholds.max_aspect, "far longer than it is wide"),
    ]
    return pd.concat(found, ignore_index=True)


def _below(table: pd.DataFrame, kind: Kind, value: pd.Series, least: float, advice: str) -> pd.DataFrame:
    """A finding for each photo whose value is below the least that is fine."""
    bad = (value < least).to_numpy()
    words = [advice.format(value=number) for number in value[bad]]
    return finding_rows(table["sample"][bad], kind, 1 - value[bad] / least, advice=words)


def finding_rows(
    samples: Iterable[str],
    kind: Kind,
    scores: Iterable[float],
    group_id: Iterable[int | None] | None = None,
    suggestion: Iterable[str | None] | None = None,
    advice: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Rows of the table of findings, all of one kind."""
    samples = list(samples)
    nothing = [None] * len(samples)
    values = {
        "sample": samples,
        "kind": kind.value,
        "score": np.clip(np.asarray(list(scores), dtype=float), 0, 1),
        "group_id": list(group_id) if group_id is not None else nothing,
        "suggestion": list(suggestion) if suggestion is not None else nothing,
        "advice": list(advice) if advice is not None else nothing,
    }
    return pd.DataFrame(values, columns=FINDING_COLUMNS).astype(
        {"group_id": object, "suggestion": object, "kind": object}
    )


def near_duplicate_findings(samples: pd.DataFrame, provenance: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Findings about copies: near-duplicates, and one photo under two labels.

    Of copies under one label the largest is worth keeping. Copies under two labels contradict each other, so each of
    them is in doubt.

    Parameters
    ----------
    samples : DataFrame
        Columns sample, label, width, height, bytes; of the photos that are not excluded.
    provenance : DataFrame
        Columns sample, label: every label that the same bytes came under.
    groups : Series of int
        Equal for copies; indexed by sample.
    """
    table = samples.assign(group_id=samples["sample"].map(groups), pixels=samples["width"] * samples["height"])
    labels = pd.concat([table[["sample", "label"]], provenance[["sample", "label"]]]).drop_duplicates()
    labels["group_id"] = labels["sample"].map(groups)
    together = (
        labels[labels["sample"].isin(table["sample"])].groupby("group_id")["label"].agg(lambda row: sorted(set(row)))
    )
    in_doubt = table[table["group_id"].map(together.map(len)) > 1]
    two = finding_rows(
        in_doubt["sample"],
        Kind.TWO_LABELS,
        [1.0] * len(in_doubt),
        in_doubt["group_id"],
        advice=[f"the same photo is filed as {' and '.join(together[number])}" for number in in_doubt["group_id"]],
    )
    size = table.groupby("group_id")["sample"].transform("size")
    copies = table[size > 1].sort_values(
        ["group_id", "pixels", "bytes", "sample"], ascending=[True, False, False, True]
    )
    best = ~copies.duplicated("group_id")
    advice = [
        f"the largest of {n} copies: keep this one" if first else f"one of {n} copies of a photo"
        for n, first in zip(size[copies.index], best, strict=True)
    ]
    near = finding_rows(
        copies["sample"], Kind.NEAR_DUPLICATE, np.where(best, 0.5, 1.0), copies["group_id"], advice=advice
    )
    return pd.concat([two, near], ignore_index=True)


def embedding_findings(
    samples: pd.Series,
    distance: NDArray[np.float64],
    ood_scores: NDArray[np.float64],
    unknown: NDArray[np.bool_],
    thresholds: Thresholds,
) -> pd.DataFrame:
    """Findings about photos that look like no other: pictures of other things, and outliers.

    Parameters
    ----------
    samples : Series of str
    distance : float array (N,)
        To the nearest photos of its class, in the dataset's own standard deviations.
    ood_scores : float array (N,)
        Unlikeness to a sneaker, in the dataset's own standard deviations.
    unknown : bool array (N,)
        Whether the network takes the photo for no sneaker that it knows.
    thresholds : Thresholds
    """
    # In a dataset of sneakers that the network was not taught, all are unknown to it and nothing of that is news: a
    # picture of something else is still stranger than the rest.
    other = unknown & (ood_scores > thresholds.not_sneaker_ood_score)
    far = (distance > thresholds.outlier_distance) & ~other
    nothing, alone = "it does not look like a sneaker", "it looks unlike the other photos of its class"
    return pd.concat(
        [
            finding_rows(samples[other], Kind.NOT_SNEAKER, _rising(ood_scores[other]), advice=[nothing] * other.sum()),
            finding_rows(samples[far], Kind.OUTLIER, _rising(distance[far]), advice=[alone] * far.sum()),
        ],
        ignore_index=True,
    )


def _rising(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 - np.exp(-distance / 4))


def label_findings(suspected: pd.DataFrame, samples: pd.Series, thresholds: Thresholds) -> pd.DataFrame:
    """Findings about labels that are probably wrong.

    Parameters
    ----------
    suspected : DataFrame
        From `labels.suspected_labels`.
    samples : Series of str
        Same index.
    thresholds : Thresholds
    """
    sure = suspected[suspected["score"] >= thresholds.min_label_score]
    advice = [f"it looks like {label}" for label in sure["suggestion"]]
    return finding_rows(samples[sure.index], Kind.WRONG_LABEL, sure["score"], None, sure["suggestion"], advice)


def store_findings(dataset: Dataset, findings: pd.DataFrame, groups: pd.Series, scan: Mapping[str, object]) -> None:
    """Put the findings of a scan in the place of those before; all at once."""
    rows = findings.astype(object).where(findings.notna(), None)
    with dataset.changing() as db:
        db.execute("DELETE FROM findings")
        db.executemany("INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?)", rows[FINDING_COLUMNS].itertuples(index=False))
        store_near_duplicate_groups(db, groups)
        set_fact(db, "scan", scan)


def store_near_duplicate_groups(db: sqlite3.Connection, groups: pd.Series) -> None:
    """Put groups of copies, by sample, in the place of those before."""
    db.execute("DELETE FROM near_duplicates")
    db.executemany("INSERT INTO near_duplicates VALUES (?, ?)", zip(groups.index, map(int, groups), strict=True))


def read_findings(dataset: Dataset, *, dismissed: bool = False) -> pd.DataFrame:
    """The findings that still count: not on excluded photos, not dismissed, not settled by decisions on other copies.

    Parameters
    ----------
    dataset : Dataset
    dismissed : bool
        Also those that were dismissed, marked so.

    Returns
    -------
    DataFrame
        Columns sample, kind, score, group_id, suggestion, advice, open (bool); the gravest kind first,
        the highest scores first within a kind.
    """
    with dataset.reading() as db:
        rows = db.execute("SELECT sample, kind, score, group_id, suggestion, advice FROM findings").fetchall()
        settled = {
            (sample, kind)
            for sample, action, kinds in db.execute("SELECT sample, action, kinds FROM decisions WHERE undone IS NULL")
            for kind in (*json.loads(kinds), *(LABEL_KINDS if action == Action.RELABEL else ()))
        }
        excluded = {sample for (sample,) in db.execute("SELECT sample FROM samples WHERE excluded")}
    table = pd.DataFrame.from_records(rows, columns=FINDING_COLUMNS)
    table["open"] = np.array(
        [
            sample not in excluded and (sample, kind) not in settled
            for sample, kind in zip(table["sample"], table["kind"], strict=True)
        ],
        dtype=np.bool_,
    )
    table["open"] &= ~_settled_with_group(table, read_samples(dataset))
    if not dismissed:
        table = table[table["open"]]
    order = {kind.value: place for place, kind in enumerate(Kind)}
    table = table.assign(place=table["kind"].map(order))
    # A group stands together.
    return table.sort_values(
        ["place", "group_id", "score", "sample"], ascending=[True, True, False, True], ignore_index=True
    ).drop(columns="place")


def _settled_with_group(findings: pd.DataFrame, samples: pd.DataFrame) -> pd.Series:
    """Findings about copies that decisions on the other copies have settled.

    The only copy that is left is no copy, and copies that agree on their class contradict nobody.
    """
    by_sample = samples.set_index("sample")
    group = [findings["kind"], findings["group_id"]]
    left = findings["sample"].map(by_sample.loc[~by_sample["excluded"], "label"]).groupby(group)
    # One photo may have come from two folders: it has one label only, and contradicts itself until somebody decides.
    decided = (
        findings["sample"].map(by_sample["excluded"] | (by_sample["label"] != by_sample["original_label"])).fillna(True)
    )
    alone = (findings["kind"] == Kind.NEAR_DUPLICATE) & (left.transform("count") < 2)
    agreed = (findings["kind"] == Kind.TWO_LABELS) & (left.transform("nunique") < 2)
    return (alone | agreed) & decided.astype(float).groupby(group).transform("max").eq(1)


def read_near_duplicate_groups(dataset: Dataset) -> pd.Series:
    """The number of each photo's group of copies, by sample; photos that came after the last scan are not in it."""
    with dataset.reading() as db:
        rows = db.execute("SELECT sample, group_id FROM near_duplicates").fetchall()
    return pd.Series(dict(rows), dtype="int64", name="group_id")


def suggested_decisions(dataset: Dataset) -> pd.DataFrame:
    """What to do about the open findings, where that can be told without a person.

    Wrong labels become what the probe reads; of copies the largest stays; copies under two labels and pictures of
    other things go. Blurry, dark, small and odd photos stay: a model should have seen such ones.

    Returns
    -------
    DataFrame
        Columns sample, action, label (None but for relabelling), kinds (tuple of the findings it settles).
    """
    findings = read_findings(dataset)
    copies = findings["kind"] == Kind.NEAR_DUPLICATE
    doubtful = findings["kind"].isin([Kind.TWO_LABELS, Kind.NOT_SNEAKER])
    spare = copies & (findings["score"] > 0.5) & ~findings["sample"].isin(_last_copies(dataset, findings[copies]))
    goes = findings[doubtful | spare]
    gone = goes.groupby("sample")["kind"].agg(tuple)
    moved = findings[(findings["kind"] == Kind.WRONG_LABEL) & ~findings["sample"].isin(gone.index)]
    known = set(read_samples(dataset)["label"])
    moved = moved[moved["suggestion"].isin(known)]
    return pd.concat(
        [
            pd.DataFrame({"sample": gone.index, "action": Action.EXCLUDE, "label": None, "kinds": gone.to_numpy()}),
            pd.DataFrame(
                {
                    "sample": moved["sample"],
                    "action": Action.RELABEL,
                    "label": moved["suggestion"],
                    "kinds": [(Kind.WRONG_LABEL.value,)] * len(moved),
                }
            ),
        ],
        ignore_index=True,
    )


def _last_copies(dataset: Dataset, copies: pd.DataFrame) -> set[str]:
    """The largest photo of each group whose best one was excluded since the scan: only copies are left of it."""
    samples = read_samples(dataset)
    left = samples[~samples["excluded"]]
    left = left.assign(
        group_id=left["sample"].map(read_near_duplicate_groups(dataset)), pixels=left["width"] * left["height"]
    )
    spare = left["sample"].isin(copies.loc[copies["score"] > 0.5, "sample"])
    left = left[~left["group_id"].isin(left.loc[~spare, "group_id"])].sort_values(["pixels", "bytes"], ascending=False)
    return set(left.drop_duplicates("group_id")["sample"])


def apply_suggestions(dataset: Dataset, suggested: pd.DataFrame | None = None, author: str = "") -> str | None:
    """Do what `suggested_decisions` says.

    Parameters
    ----------
    dataset : Dataset
    suggested : DataFrame, optional
        Some rows of `suggested_decisions`; all when left out.
    author : str

    Returns
    -------
    str or None
        The one batch of it all, for `review.undo`; None when there was nothing to do.
    """
    rows = suggested_decisions(dataset) if suggested is None else suggested
    together: dict[tuple[Action, str | None, tuple[str, ...]], list[str]] = {}
    columns = (rows[column] for column in ("sample", "action", "label", "kinds"))
    for sample, action, label, kinds in zip(*columns, strict=True):
        moved_to = label if action == Action.RELABEL else None
        together.setdefault((Action(action), moved_to, kinds), []).append(sample)
    batch = None
    for (action, label, kinds), samples in together.items():
        batch = decide(dataset, samples, action, label, kinds, author, batch)
    return batch


def open_kinds(dataset: Dataset, samples: Iterable[str]) -> list[str]:
    """The kinds of findings that are open on any of these photos."""
    findings = read_findings(dataset)
    return sorted(set(findings.loc[findings["sample"].isin(list(samples)), "kind"]))
