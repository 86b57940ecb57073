"""Classes of photos that a model knows under another name: they count as the model's classes on request."""

from collections.abc import Mapping, Sequence

import pandas as pd

from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.errors import DatasetError
from sneaker_core.workspace.clean_names import clean_name, did_you_mean, near_names


def renamed_classes(
    labels: pd.Series, classes: Sequence[str], rename: Mapping[str, str] | None, match_names: bool
) -> dict[str, str]:
    """Which classes of the photos count as which of the model's.

    Parameters
    ----------
    labels : Series of str
        Of all photos.
    classes : sequence of str
        The model's.
    rename : mapping of str to str, optional
        Class of the photos -> class of the model, as somebody chose.
    match_names : bool
        Whether classes that differ only in spelling from one of the model's count as that one.

    Returns
    -------
    dict of str to str
        The classes that get another name.

    Raises
    ------
    DatasetError
        There is no such class, among the photos or in the model.
    """
    there = sorted(set(labels))
    chosen = {clean_name(old): clean_name(new) for old, new in (rename or {}).items()}
    for names, known, whose in ((chosen, there, "The photos have"), (chosen.values(), classes, "The model has")):
        missing = [name for name in names if name not in known]
        if missing:
            listed = ", ".join(map(repr, missing))
            raise DatasetError(f"{whose} no class named {listed}.{did_you_mean(missing, known)}")
    found = {**(near_names(there, classes) if match_names else {}), **chosen}
    return {old: new for old, new in found.items() if old != new}


def with_renamed_classes(samples: pd.DataFrame, renamed: Mapping[str, str]) -> pd.DataFrame:
    """The photos with the names from `renamed_classes`; a photo that was in two spellings is listed once."""
    if not renamed:
        return samples
    same = [column for column in ("sample", "label", WORLD) if column in samples]
    return samples.assign(label=samples["label"].replace(dict(renamed))).drop_duplicates(same, ignore_index=True)
