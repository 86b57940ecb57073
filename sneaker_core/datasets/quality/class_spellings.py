"""Classes whose names differ only in case, underscores, hyphens or spaces: probably one class in several spellings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sneaker_core.datasets.index import Dataset, read_samples, set_fact
from sneaker_core.datasets.review_log import Action, decide
from sneaker_core.errors import DatasetError
from sneaker_core.number_text import counted
from sneaker_core.workspace.clean_names import clean_name, did_you_mean, name_key

# Spellings that somebody said are different classes.
_FACT = "classes_kept_apart"


@dataclass(frozen=True)
class Spellings:
    """Classes whose names look alike.

    Attributes
    ----------
    counts : dict of str to int
        Name -> number of photos, without excluded ones; at least two names. The first is the suggested one: it has the
        most photos.
    """

    counts: dict[str, int]

    @property
    def suggested(self) -> str:
        """The name to keep."""
        return next(iter(self.counts))

    @property
    def others(self) -> list[str]:
        """The other names."""
        return list(self.counts)[1:]

    @property
    def question(self) -> str:
        """What to decide: "air_jordan_1 (12 photos) -> Air Jordan 1 (80 photos)?"."""
        named = [f"{name} ({counted(count, 'photo')})" for name, count in self.counts.items()]
        return f"{', '.join(named[1:])} -> {named[0]}?"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"counts": self.counts, "suggested": self.suggested, "question": self.question}


def spellings_title(count: int) -> str:
    """The finding in one phrase, for a number of groups: "2 groups of classes differ only in spelling"."""
    return f"{counted(count, 'group')} of classes {'differs' if count == 1 else 'differ'} only in spelling"


def class_spellings(dataset: Dataset, samples: pd.DataFrame | None = None) -> list[Spellings]:
    """Classes of a dataset whose names look alike, those with the most photos first; without those kept apart.

    Parameters
    ----------
    dataset : Dataset
    samples : DataFrame, optional
        From `index.read_samples`, if they have been read.
    """
    samples = read_samples(dataset) if samples is None else samples
    counts = samples.loc[~samples["excluded"], "label"].value_counts()
    groups: dict[str, dict[str, int]] = {}
    for name in sorted(counts.index, key=lambda name: (-counts[name], -name.count(" "), name.islower(), name)):
        groups.setdefault(name_key(name), {})[name] = int(counts[name])
    apart = [set(names) for names in dataset.fact(_FACT, [])]
    return [
        Spellings(names)
        for names in groups.values()
        if len(names) > 1 and not any(names.keys() <= kept for kept in apart)
    ]


def merged_samples(dataset: Dataset, names: Iterable[str]) -> list[str]:
    """The photos of some classes, excluded ones included."""
    samples = read_samples(dataset)
    return list(samples.loc[samples["label"].isin(list(names)), "sample"])


def merge_classes(dataset: Dataset, names: Iterable[str], into: str, author: str = "", batch: str | None = None) -> str:
    """Give classes the name of another one. It is a decision like others: logged, and undone with `review_log.undo`.

    Parameters
    ----------
    dataset : Dataset
    names : iterable of str
        Classes that lose their names.
    into : str
        The name to keep; a new one renames the classes.
    author, batch
        As for `review_log.decide`.

    Returns
    -------
    str
        The batch, for `undo`.

    Raises
    ------
    DatasetError
        There is no such class, or no name is lost.
    """
    kept = clean_name(into)
    lost = [name for name in dict.fromkeys(map(clean_name, names)) if name != kept]
    _check_present(dataset, lost)
    if not lost or not kept:
        raise DatasetError("Choose at least one class to merge, and the class to merge it into.")
    return decide(dataset, merged_samples(dataset, lost), Action.MERGE, kept, author=author, batch=batch)


def merge_spellings(dataset: Dataset, author: str = "") -> str | None:
    """Merge all classes whose names look alike under the suggested names, as one batch; None if there are none."""
    batch = None
    for found in class_spellings(dataset):
        batch = merge_classes(dataset, found.others, found.suggested, author, batch)
    return batch


def keep_apart(dataset: Dataset, names: Sequence[str]) -> None:
    """Record that classes whose names look alike are different ones, so that they are no finding anymore.

    Raises
    ------
    DatasetError
        There is no such class, or fewer than two.
    """
    apart = sorted(set(map(clean_name, names)))
    _check_present(dataset, apart)
    if len(apart) < 2:
        raise DatasetError("Name at least two classes to keep apart.")
    known = dataset.fact(_FACT, [])
    with dataset.changing() as db:
        set_fact(db, _FACT, [*known, *([apart] if apart not in known else [])])


def _check_present(dataset: Dataset, names: Iterable[str]) -> None:
    there = sorted(set(read_samples(dataset)["label"]))
    missing = [name for name in names if name not in there]
    if missing:
        listed = ", ".join(map(repr, missing))
        raise DatasetError(f"{dataset.name} has no photos of {listed}.{did_you_mean(missing, there)}")
