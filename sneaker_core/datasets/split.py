"""Which photo is for learning, which for tuning, which for the final judgement."""

from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from sneaker_core.errors import DatasetError
from sneaker_core.paths import write_atomically

SPLIT_FILE = "split.csv"


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
