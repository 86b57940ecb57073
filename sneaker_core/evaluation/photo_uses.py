"""What the evaluated model used each photo for.

A photo that it was trained on or tuned with doesn't show how it does on new ones.

Imports nothing heavy: pages load it early.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sneaker_core.datasets.split import Split, read_split
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.number_text import counted

# The column of prediction tables: "train", "val", or "" for photos that the model has not used.
USED_FOR = "used_for"
_UNUSED = ""
# Training weighs most: a photo may be in several splits under several labels.
_WEIGHTS = (Split.TRAIN.value, Split.VAL.value)
_WORDS = {Split.TRAIN.value: "the model was trained on", Split.VAL.value: "the model was tuned with"}


def photo_uses(samples: pd.Series, *model_folders: Path) -> pd.Series:
    """What models used photos for, by their content.

    Parameters
    ----------
    samples : Series of str
        Hashes of the photos.
    *model_folders : Path
        A model and those that it started from, as in `model_and_ancestors`: what an earlier one used a photo for goes
        before. A model that comes without a split is not known to have used any.

    Returns
    -------
    Series of str
        "train", "val" or "" for each photo.
    """
    used: dict[str, str] = {}
    for folder in reversed(model_folders):
        try:
            split = read_split(folder)
        except DatasetError:
            continue
        for use in reversed(_WEIGHTS):
            used |= dict.fromkeys(split.loc[split["split"] == use, "sample"], use)
    return samples.map(lambda sample: used.get(sample, _UNUSED)).astype(object)


def has_split(model_folder: Path) -> bool:
    """Whether it is known which photos a model was trained on and tuned with."""
    try:
        read_split(model_folder)
    except DatasetError:
        return False
    return True


def model_and_ancestors(workspace: Path, model_folder: Path) -> list[Path]:
    """The folders of a model, of the model that it started from, and so on."""
    from sneaker_core.networks.checkpoint import read_spec
    from sneaker_core.networks.model_registry import find_model

    folders = [model_folder]
    while True:
        try:
            folder = find_model(workspace, str(read_spec(folders[-1]).recipe.get("init") or ""))
        except SneakerError:  # it started from general weights, or the model is gone
            return folders
        if folder in folders:
            return folders
        folders.append(folder)


def counted_use(rows: pd.DataFrame) -> str:
    """Which photos of a table count toward its metrics: "" for those that the model has not used, if there are any.

    Without any, "val" or else "train": metrics that must not be called the model's accuracy.

    Parameters
    ----------
    rows : DataFrame
        Photos of classes that the model knows.
    """
    found = set(rows[USED_FOR]) if USED_FOR in rows else {_UNUSED}
    return next((use for use in (_UNUSED, *reversed(_WEIGHTS)) if use in found), _UNUSED)


def counting_rows(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table that count toward its metrics, by what the model used their photos for.

    Parameters
    ----------
    table : DataFrame
    rows : DataFrame
        Those whose class the model knows.
    """
    return table[table[USED_FOR] == counted_use(rows)] if USED_FOR in table else table


def use_counts(rows: pd.DataFrame) -> dict[str, int]:
    """Photos that don't count because the model used them: use -> number.

    Parameters
    ----------
    rows : DataFrame
        Photos of classes that the model knows.
    """
    counts = dict(Counter(rows[USED_FOR])) if USED_FOR in rows else {}
    use = counted_use(rows)
    return {name: counts[name] for name in _WEIGHTS if name in counts and name != use}


def used_photos_text(used: Mapping[str, int]) -> str:
    """How many photos don't count, and why; empty if all do.

    "Left out of these numbers: 210 photos that the model was trained on and 45 that the model was tuned with. …"
    """
    if not used:
        return ""
    parts = [f"{counted(number, 'photo')} that {_WORDS[use]}" for use, number in used.items()]
    return f"Left out of these numbers: {' and '.join(parts)}. They don't show how the model does on new photos."


def use_warning(use: str) -> str:
    """Why metrics say nothing about new photos; empty if they do."""
    if not use:
        return ""
    return f"These are all photos that {_WORDS[use]}, so the numbers don't show how it does on new photos."
