"""What the review decisions on a dataset are worth: accuracy without and with them, on photos that they don't touch."""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.findings import read_near_duplicate_groups
from sneaker_core.datasets.review_log import Action, history
from sneaker_core.datasets.split import Split, complete_split
from sneaker_core.evaluation.comparison import paired_interval
from sneaker_core.number_text import counted, percent
from sneaker_core.training.linear_head import ClassSums, LinearHead, Vectors, fit_head

# Below this many validation photos, an interval says nothing.
MIN_PHOTOS = 30
# Validation photos of a dataset without a split; the split is not stored.
_VAL_SHARE, _SEED = 0.2, 0
_PART = 4096  # photos that are read at once

NOT_CHECKED = "To measure what your decisions are worth, the photos have to be checked once."
NO_DECISIONS = "As soon as you decide on photos, you see here what your decisions are worth."

VectorsOf = Callable[[pd.Series], Vectors]


class WorthState(StrEnum):
    """How far the worth of decisions is known."""

    NOT_CHECKED = "not_checked"
    NO_DECISIONS = "no_decisions"
    TOO_FEW = "too_few"
    NOTHING_CHANGED = "nothing_changed"
    MEASURED = "measured"


@dataclass(frozen=True)
class Worth:
    """What decisions are worth.

    Attributes
    ----------
    state : WorthState
    decisions : int
        Photos with a decision in force.
    on_training : int
        Those among them that a head is trained on, with or without the decisions.
    since : float or None
        When the first of these decisions was made, in seconds since 1970.
    photos : int
        Validation photos that were measured on, near-duplicates counted once.
    classes : int
        Classes with training photos, without the decisions.
    before, after : float
        Share of these photos that is predicted correctly without and with the decisions; nan if not measured.
    low, high : float
        95% interval of the difference, by `paired_interval`; nan if not measured.
    missing : int
        Photos without an embedding; they are left out.
    """

    state: WorthState
    decisions: int = 0
    on_training: int = 0
    since: float | None = None
    photos: int = 0
    classes: int = 0
    before: float = math.nan
    after: float = math.nan
    low: float = math.nan
    high: float = math.nan
    missing: int = 0

    @property
    def may_be_luck(self) -> bool:
        """Whether the interval includes no difference at all; false if nothing was measured."""
        return self.low <= 0 <= self.high

    @property
    def sentence(self) -> str:
        """What the decisions are worth, in one or two sentences."""
        if self.state is WorthState.NOT_CHECKED:
            return NOT_CHECKED
        if self.state is WorthState.NO_DECISIONS:
            return NO_DECISIONS
        decisions = counted(self.decisions, "decision")
        if self.state is WorthState.NOTHING_CHANGED:
            unchanged = (
                f"{decisions}: {percent(self.after, 1)}, the same as without, because no training photo has changed."
            )
            return f"{unchanged} Relabel or exclude some to see what that is worth."
        if self.state is WorthState.TOO_FEW:
            return f"{decisions}: too early to tell what that is worth. {self._too_few}"
        points = f"{_points(self.after - self.before)} points, 95% interval {_points(self.low)} to {_points(self.high)}"
        text = f"{decisions}: {percent(self.before, 1)} → {percent(self.after, 1)} ({points})"
        if self.may_be_luck:
            return f"{text}, which may be luck."
        return f"{text}." if self.low > 0 else f"{text}. That is a loss: look at your decisions again under History."

    @property
    def _too_few(self) -> str:
        if self.classes < 2:
            return "There have to be training photos of at least two classes."
        return f"{MIN_PHOTOS} untouched validation photos are needed, and there are {self.photos}."

    def explanation(self, day: str) -> str:
        """How this was measured, and which decisions count.

        Parameters
        ----------
        day : str
            Of `since`, in the reader's time zone.
        """
        left_out = self.decisions - self.on_training
        parts = [
            f"Accuracy on {counted(self.photos, 'validation photo')} that no decision touched, once with the labels as "
            f"imported and once with all decisions since reviewing began on {day}, except those undone. Both times the "
            "same simple classifier is trained on the bundled model's embeddings; a full training may gain more or "
            "less.",
        ]
        if left_out:
            parts.append(
                f"{counted(left_out, 'decision')} on validation or test photos can't help and {_are(left_out)} "
                "left out both times."
            )
        if self.missing:
            parts.append(f"{counted(self.missing, 'photo')} that no check has seen {_are(self.missing)} left out.")
        return " ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; what was not measured is None."""
        values = {key: None if _is_nan(value) else value for key, value in asdict(self).items()}
        return {**values, "may_be_luck": self.may_be_luck, "sentence": self.sentence}


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _points(share: float) -> str:
    """A difference in percentage points, with its sign: "+2.3"."""
    return f"{100 * share:+.1f}".replace("-", "−")


@dataclass(frozen=True)
class Baseline:
    """The head without any decisions, for the next measurement of the same dataset.

    Attributes
    ----------
    key : str
        Of the photos, their labels and their split.
    sums : ClassSums
        Of the training photos.
    predicted : object array (n,)
        For the validation photos, in order.
    validation : float array (n, D)
        Their embeddings.
    """

    key: str
    sums: ClassSums
    predicted: NDArray[np.object_]
    validation: Vectors


def decisions_worth(
    photos: pd.DataFrame, vectors_of: VectorsOf, known: Baseline | None = None, version: object = None
) -> tuple[Worth, Baseline | None]:
    """Train a head without and with the decisions, and compare both on the same untouched validation photos.

    Both heads are fitted exactly, with the same settings, so the result depends on the decisions alone and not on
    their order. Decisions on validation photos take these photos out of both measurements, so no label that is tested
    against was ever decided. Near-duplicates count once, since they are right or wrong together. The interval is
    Newcombe's for paired proportions; see `comparison.paired_interval` for the source.

    Parameters
    ----------
    photos : DataFrame
        As from `reviewed_photos`.
    vectors_of : callable
        Gives the embeddings (n, D) of n samples.
    known : Baseline, optional
        From an earlier call.
    version : object
        Tells embeddings by one model from those by another.
    """
    decided = int(photos["decided"].sum())
    train = photos[photos["split"] == Split.TRAIN]
    validation = photos[photos["split"] == Split.VAL]
    changed = train[train["after"].fillna("") != train["before"]]
    untouched = ~validation["decided"] & ~validation.assign(free=~validation["decided"]).duplicated(["group", "free"])
    worth = Worth(
        WorthState.MEASURED,
        decisions=decided,
        on_training=int(train["decided"].sum()),
        photos=int(untouched.sum()),
        classes=train["before"].nunique(),
    )
    unmeasured = WorthState.TOO_FEW if decided else WorthState.NO_DECISIONS
    if worth.photos < MIN_PHOTOS or worth.classes < 2:
        return replace(worth, state=unmeasured), known
    # Without decisions, too, so that the first one is measured as fast as the others.
    baseline = _baseline(train, validation, vectors_of, known, version)
    rows = untouched.to_numpy()
    predicted = baseline.predicted[rows]
    if not changed.empty:
        head = _head_with_decisions(baseline, changed, vectors_of)
        if head is None:
            return replace(worth, state=WorthState.TOO_FEW, classes=1), baseline
        predicted = head.predict(baseline.validation[rows])
    elif decided:
        worth = replace(worth, state=WorthState.NOTHING_CHANGED)
    else:
        worth = replace(worth, state=WorthState.NO_DECISIONS)
    labels = validation["before"].to_numpy(dtype=object)[rows]
    return _compared(worth, baseline.predicted[rows] == labels, predicted == labels), baseline


def _compared(worth: Worth, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Worth:
    """With the figures of two heads, given which of the same photos each predicts correctly."""
    fixed, broken, both = (int(rows.sum()) for rows in (after & ~before, before & ~after, before & after))
    low, high = paired_interval(fixed, broken, both, len(before))
    return replace(worth, before=float(before.mean()), after=float(after.mean()), low=low, high=high)


def _baseline(
    train: pd.DataFrame, validation: pd.DataFrame, vectors_of: VectorsOf, known: Baseline | None, version: object
) -> Baseline:
    digest = hashlib.sha256(repr(version).encode())
    for table in (train, validation):
        digest.update("\n".join(["", *table["sample"], *table["before"]]).encode())
    key = digest.hexdigest()
    if known is not None and known.key == key:
        return known

    def parts() -> Iterator[tuple[Vectors, list[str]]]:
        for start in range(0, len(train), _PART):
            part = train.iloc[start : start + _PART]
            yield vectors_of(part["sample"]), list(part["before"])

    sums = ClassSums.of(parts())
    assert sums is not None  # there are training photos of at least two classes
    vectors = vectors_of(validation["sample"])
    return Baseline(key, sums, fit_head(sums).predict(vectors), vectors)


def _head_with_decisions(baseline: Baseline, changed: pd.DataFrame, vectors_of: VectorsOf) -> LinearHead | None:
    """The head with decisions on training photos; None if they leave fewer than two classes."""
    vectors, kept = vectors_of(changed["sample"]), changed["after"].notna().to_numpy()
    sums = baseline.sums.plus(vectors, list(changed["before"]), -1.0)
    if kept.any():
        sums = sums.plus(vectors[kept], list(changed["after"][kept]))
    return fit_head(sums) if (sums.counts > 0.5).sum() > 1 else None


def reviewed_photos(samples: pd.DataFrame, decisions: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Each photo without and with the decisions in force.

    Merging classes gives a class another name and decides nothing about a photo, so it applies without decisions, too.
    A dataset without a split, or without validation photos, gets them here by near-duplicate group, with a seed and by
    the labels without decisions, so that no decision moves a photo from one side to the other.

    Parameters
    ----------
    samples : DataFrame
        From `index.read_samples`.
    decisions : DataFrame
        From `review_log.history`.
    groups : Series
        Near-duplicate groups, indexed by sample; a photo that isn't there is alone.

    Returns
    -------
    DataFrame
        Columns sample, before, after (labels; None where the photo is excluded), decided (bool), group, split; sorted
        by sample.
    """
    in_force = decisions[decisions["undone"].isna()]
    alone = pd.Series(-1 - np.arange(len(samples)), index=samples.index)
    table = pd.DataFrame(
        {
            "sample": samples["sample"],
            "before": _labels_without(samples, in_force),
            "after": samples["label"].astype(object).where(~samples["excluded"], None),
            "decided": samples["sample"].isin(in_force.loc[in_force["action"] != Action.MERGE, "sample"]),
            "group": samples["sample"].map(groups).fillna(alone).astype("int64"),
            "split": samples["split"],
        }
    ).sort_values("sample", ignore_index=True)
    # No test photos: nothing is chosen here that they would have to judge.
    return table.assign(split=complete_split(table.assign(label=table["before"]), _VAL_SHARE, 0.0, _SEED))


def _labels_without(samples: pd.DataFrame, in_force: pd.DataFrame) -> "pd.Series[Any]":
    """The classes that photos were imported with, under the names that these have now."""
    original = samples["original_label"]
    if not (in_force["action"] == Action.MERGE).any():
        return original
    relabeled = samples["sample"].isin(in_force.loc[in_force["action"] == Action.RELABEL, "sample"])
    merged = in_force[in_force["action"] == Action.MERGE].drop_duplicates("sample")  # the last one: newest first
    renamed = dict(zip(merged["sample"], merged["label"], strict=True))
    pairs = zip(samples["sample"], original, strict=True)
    names = pd.Series([renamed.get(sample, label) for sample, label in pairs], index=samples.index, dtype=object)
    # A relabeled photo may have been merged with its new class: it follows those that it was imported with.
    usual = names[~relabeled].groupby(original[~relabeled]).agg(lambda found: found.mode().iloc[0])
    return names.mask(relabeled, original.map(usual).fillna(original)).astype(object)


def dataset_worth(dataset: Dataset, known: Baseline | None = None) -> tuple[Worth, Baseline | None]:
    """Measure what the decisions on a dataset are worth, with the embeddings that a check has stored.

    Parameters
    ----------
    dataset : Dataset
    known : Baseline, optional
        From an earlier call for the same dataset.

    Raises
    ------
    DatasetError
        The dataset was deleted, or its index is damaged.
    """
    # Imported on use: it loads scipy, which pages that don't measure anything don't need.
    from sneaker_core.datasets.quality.stored_measures import read_embeddings, samples_missing_from

    decisions = history(dataset)
    samples = read_samples(dataset)
    missing = set(samples_missing_from(dataset, samples, "embeddings")["sample"])
    in_force = decisions[decisions["undone"].isna() & (decisions["action"] != Action.MERGE)]
    since = None if in_force.empty else float(in_force["time"].min())
    if len(missing) == len(samples) or (dataset.fact("scan") or {}).get("model") is None:
        return Worth(WorthState.NOT_CHECKED, in_force["sample"].nunique(), since=since), known

    def vectors_of(wanted: pd.Series) -> Vectors:
        return np.stack(list(read_embeddings(dataset, wanted).loc[list(wanted), "vector"]))

    photos = reviewed_photos(samples, decisions, read_near_duplicate_groups(dataset))
    photos = photos[~photos["sample"].isin(missing)].reset_index(drop=True)
    worth, baseline = decisions_worth(photos, vectors_of, known, dataset.fact("embedded_by"))
    return replace(worth, since=since, missing=len(missing)), baseline
