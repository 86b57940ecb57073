"""Which photo is for learning, which for tuning, which for the final judgement."""

from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from sneaker_core.datasets.index import Dataset, read_provenance, read_samples, set_fact
from sneaker_core.datasets.quality.findings import read_near_duplicate_groups
from sneaker_core.errors import DatasetError
from sneaker_core.workspace.atomic_files import write_atomically

SPLIT_FILE = "split.csv"
# Shares of validation and of test photos; the rest is for training.
PRESETS = {"70:30": (0.0, 0.30), "80:20": (0.0, 0.20), "70/15/15": (0.15, 0.15)}


class Split(StrEnum):
    """What a photo is used for."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def split_by_group(labels: pd.Series, groups: pd.Series, val_share: float, test_share: float, seed: int) -> pd.Series:
    """Split so that copies of one photo never sit on two sides.

    Every class gives its share to each split, whole groups at a time, in an order drawn from the seed. A group filed
    under several labels stays in training: what its photos show is in doubt, so nothing is judged by them.

    Parameters
    ----------
    labels : Series of str
    groups : Series of int
        Equal for photos that are copies of one another; same index as `labels`.
    val_share, test_share : float
        Shares of each class, 0 to 1, together below 1.
    seed : int

    Returns
    -------
    Series of str
        "train", "val" or "test"; same index as `labels`.

    Raises
    ------
    DatasetError
        The shares leave nothing to train on, or a class has too few photos for its shares.
    """
    if val_share < 0 or test_share < 0 or val_share + test_share >= 1:
        raise DatasetError(f"Shares of {val_share:g} and {test_share:g} leave no photos to train on.")
    rng = np.random.default_rng(seed)
    split = pd.Series(Split.TRAIN.value, index=labels.index, name="split")
    in_doubt = labels.groupby(groups).transform("nunique") > 1
    for label in sorted(labels.unique()):
        members = groups[(labels == label) & ~in_doubt]
        sizes = members.value_counts().sort_index()
        order = rng.permutation(sizes.index.to_numpy(copy=True))
        for name, share in ((Split.TEST, test_share), (Split.VAL, val_share)):
            quota = round(share * len(members))
            reached = sizes[order].cumsum().to_numpy()
            taken = order[: int(np.searchsorted(reached, quota, side="right"))]
            order = order[len(taken) :]
            split[members.index[members.isin(taken)]] = name.value
        if not ((labels == label) & (split == Split.TRAIN)).any():
            raise DatasetError(f"The class {label!r} has too few photos to split: {len(members)}.")
    return split


def write_split(folder: Path, samples: pd.DataFrame) -> None:
    """Keep what each photo was used for beside the model: columns sample, label, split."""
    rows = samples[["sample", "label", "split"]].sort_values(["label", "split", "sample"])
    write_atomically(folder / SPLIT_FILE, rows.to_csv(index=False, lineterminator="\n").encode())


def read_split(folder: Path) -> pd.DataFrame:
    """What `write_split` wrote.

    Raises
    ------
    DatasetError
        The model came without its split.
    """
    try:
        # A class may be named "NA": only an empty label means that there is none.
        return pd.read_csv(folder / SPLIT_FILE, dtype=str, keep_default_na=False, na_values=[""])
    except (OSError, ValueError):
        raise DatasetError(
            f"{folder} has no readable {SPLIT_FILE}, so nobody knows which photos the model saw."
        ) from None


def parse_shares(text: str) -> tuple[float, float]:
    """Shares of validation and test from the name of a preset or from three numbers.

    Parameters
    ----------
    text : str
        "70:30" (training and test) or "70/15/15" (training, validation and test), in any numbers.

    Raises
    ------
    DatasetError
        It is neither.
    """
    parts = text.replace(":", "/").split("/")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    total = sum(numbers)
    if len(numbers) not in (2, 3) or min(numbers) < 0 or not 0 < total < float("inf"):
        raise DatasetError(f"A split is written as 80:20 (training, test) or 70/15/15 (with validation), not {text!r}.")
    val = numbers[1] if len(numbers) == 3 else 0.0
    return val / total, numbers[-1] / total


def make_split(dataset: Dataset, val_share: float, test_share: float, seed: int = 0) -> None:
    """Split a dataset, every class by the same shares, and keep the split.

    Copies of one photo stay on one side; they are looked for first where photos came since that was last done.

    Parameters
    ----------
    dataset : Dataset
    val_share, test_share : float
        0 to 1, together below 1.
    seed : int

    Raises
    ------
    DatasetError
        The shares leave nothing to train on, or a class has too few photos.
    """
    # Not at the top: the enumeration above is wanted where nobody looks at pixels.
    from sneaker_core.datasets.quality.near_duplicate_groups import find_near_duplicate_groups

    find_near_duplicate_groups(dataset)
    samples = read_samples(dataset)
    kept = samples[~samples["excluded"]]
    split = split_by_group(kept["label"], _groups(dataset, kept), val_share, test_share, seed)
    with dataset.changing() as db:
        db.execute("UPDATE samples SET split = NULL")
        db.executemany("UPDATE samples SET split = ? WHERE sample = ?", zip(split, kept["sample"], strict=True))
        set_fact(db, "split", {"kind": "made", "val_share": val_share, "test_share": test_share, "seed": seed})


def _groups(dataset: Dataset, samples: pd.DataFrame) -> pd.Series:
    """The group of each photo; one whose copies nobody has looked for is a group of its own."""
    known = read_near_duplicate_groups(dataset)
    alone = pd.Series(range(len(samples)), index=samples.index) + int(known.max() + 1 if len(known) else 0)
    return samples["sample"].map(known).fillna(alone).astype("int64")


def find_leaks(dataset: Dataset) -> pd.DataFrame:
    """Copies of one photo that sit on different sides of the split, so that a model is judged by what it has seen.

    Returns
    -------
    DataFrame
        Columns group_id, sample, split, label; sorted by group_id. A photo that was imported with two
        splits is listed once for each.
    """
    samples = read_samples(dataset)
    kept = samples[~samples["excluded"] & samples["split"].notna()]
    table = kept[["sample", "split", "label"]].assign(group_id=_groups(dataset, kept))
    given = read_provenance(dataset)[["sample", "split"]].dropna()
    if (dataset.fact("split") or {}).get("kind") != "made":
        again = table.drop(columns="split").merge(given, on="sample")
        table = pd.concat([table, again]).drop_duplicates(["sample", "split"])
    leaks = table[table.groupby("group_id")["split"].transform("nunique") > 1]
    return leaks[["group_id", "sample", "split", "label"]].sort_values(
        ["group_id", "split", "sample"], ignore_index=True
    )
