"""Training, validation and test splits of labeled photos."""

from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from sneaker_core.errors import DatasetError
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.clean_names import clean_name

SPLIT_FILE = "split.csv"
# Name -> shares of validation and of test photos; the rest is for training.
PRESETS = {"70:30": (0.0, 0.30), "80:20": (0.0, 0.20), "70/15/15": (0.15, 0.15)}


class Split(StrEnum):
    """What a photo is used for."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


def split_by_group(labels: pd.Series, groups: pd.Series, val_share: float, test_share: float, seed: int) -> pd.Series:
    """Split photos so that near-duplicates always end up in the same split.

    Each class contributes its share to each split in whole groups, in an order that depends on the seed. A group with
    several labels stays in training: its true label is uncertain, so it must not be used for evaluation.

    Parameters
    ----------
    labels : Series of str
    groups : Series of int
        Near-duplicate group of each photo; same index as `labels`.
    val_share, test_share : float
        Shares of each class, 0 to 1; their sum is below 1.
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
    ambiguous = labels.groupby(groups).transform("nunique") > 1
    for label in sorted(labels.unique()):
        members = groups[(labels == label) & ~ambiguous]
        sizes = members.value_counts().sort_index()
        order = rng.permutation(sizes.index.to_numpy(copy=True))
        for name, share in ((Split.TEST, test_share), (Split.VAL, val_share)):
            quota = round(share * len(members))
            totals = sizes[order].cumsum().to_numpy()
            taken = order[: int(np.searchsorted(totals, quota, side="right"))]
            order = order[len(taken) :]
            split[members.index[members.isin(taken)]] = name.value
        if not ((labels == label) & (split == Split.TRAIN)).any():
            raise DatasetError(f"The class {label!r} has too few photos to split: {len(members)}.")
    return split


def complete_split(photos: pd.DataFrame, val_share: float, test_share: float, seed: int) -> pd.Series:
    """Return the stored split with missing parts taken from its training photos; a new split if none is stored.

    Parameters
    ----------
    photos : DataFrame
        Columns label, group (of near-duplicates) and split (None for photos that were added after the split).
    val_share, test_share, seed
        As for `split_by_group`, for a part that no photo is in.

    Raises
    ------
    DatasetError
        As `split_by_group`.
    """
    stored = photos["split"]
    # A photo added after the split follows its near-duplicates, or else goes to training.
    stored = stored.fillna(stored.groupby(photos["group"]).transform("first")).fillna(Split.TRAIN.value)
    shares = {Split.VAL: val_share, Split.TEST: test_share}
    missing = {split: 0.0 if (stored == split).any() else share for split, share in shares.items()}
    if not any(missing.values()):
        return stored
    training = photos[stored == Split.TRAIN]
    divided = split_by_group(training["label"], training["group"], missing[Split.VAL], missing[Split.TEST], seed)
    return divided.reindex(photos.index).fillna(stored)


def parse_shares(text: str) -> tuple[float, float]:
    """Read the shares of validation and test photos.

    Parameters
    ----------
    text : str
        "70:30" (training and test) or "70/15/15" (training, validation and test), with any numbers.

    Raises
    ------
    DatasetError
        The text has another form.
    """
    parts = text.replace(":", "/").split("/")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    total = sum(numbers)
    if len(numbers) not in (2, 3) or min(numbers) < 0 or not 0 < total < float("inf"):
        raise DatasetError(f"Write a split as 80:20 (training, test) or 70/15/15 (with validation), not {text!r}.")
    val = numbers[1] if len(numbers) == 3 else 0.0
    return val / total, numbers[-1] / total


def write_split(folder: Path, samples: pd.DataFrame) -> None:
    """Save the split that a model was trained with: columns sample, label, split."""
    rows = samples[["sample", "label", "split"]].sort_values(["label", "split", "sample"])
    write_atomically(folder / SPLIT_FILE, rows.to_csv(index=False, lineterminator="\n").encode())


def read_split(folder: Path) -> pd.DataFrame:
    """Read what `write_split` saved.

    Raises
    ------
    DatasetError
        The model has no readable split.
    """
    try:
        # A class may be named "NA": only an empty label means that there is none.
        table = pd.read_csv(folder / SPLIT_FILE, dtype=str, keep_default_na=False, na_values=[""])
        if {"sample", "label", "split"} <= set(table) and table["split"].dropna().isin(list(Split)).all():
            return table.assign(label=table["label"].map(clean_name, na_action="ignore"))
    except (OSError, ValueError):
        pass
    raise DatasetError(
        f"{folder} has no readable {SPLIT_FILE}, so it is unknown which photos the model was trained on."
    )
