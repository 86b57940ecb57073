"""Which photos an evaluation takes, and what is known of it before it starts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sneaker_core.datasets.dataset_collection import find_source, open_samples
from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import Split, read_split
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.class_matching import renamed_classes, with_renamed_classes
from sneaker_core.evaluation.photo_uses import (
    USED_FOR,
    counting_rows,
    model_and_ancestors,
    photo_uses,
    use_counts,
    used_photos_text,
)
from sneaker_core.evaluation.table_columns import check_known_labels
from sneaker_core.evaluation.worlds import worlds_text
from sneaker_core.networks.model_registry import source_of_export
from sneaker_core.number_text import counted, some_of

# In place of a split.
ALL_PHOTOS = "all"
_NAMED = 6


@dataclass(frozen=True)
class EvaluationPlan:
    """The photos of an evaluation.

    Attributes
    ----------
    everything : DataFrame
        All photos of the data: columns sample, path, label, split, and world if it is known.
    samples : DataFrame
        Those to evaluate, with the column used_for.
    split : str or None
        Their split; None for all photos.
    split_of_data : bool
        Whether that is the dataset's own split.
    classes : tuple of str
        That the model knows.
    renamed : dict of str to str
        Class of the photos -> class of the model that it counts as; the photos have the latter.
    """

    everything: pd.DataFrame
    samples: pd.DataFrame
    split: str | None
    split_of_data: bool
    classes: tuple[str, ...]
    renamed: dict[str, str]

    @property
    def sentences(self) -> list[str]:
        """What will be evaluated and what will be left out, for people."""
        known = self.samples[self.samples["label"].isin(self.classes)]
        unknown = self.samples[~self.samples["label"].isin(self.classes)]
        which = "all photos" if self.split is None else f"the {self.split} split"
        found = [f"{counted(len(counting_rows(known, known)), 'photo')} will count toward the numbers ({which})."]
        if len(unknown):
            labels = list(unknown["label"].value_counts().index)
            found.append(
                f"{counted(len(unknown), 'photo')} will be left out, of {counted(len(labels), 'class', 'classes')} "
                f"that the model doesn't know: {some_of(labels, _NAMED)}."
            )
        used = used_photos_text(use_counts(known))
        return [*found, used] if used else found


def plan_evaluation(
    workspace: Path,
    model_folder: Path,
    classes: Iterable[str],
    sources: Mapping[str, str | Path],
    split: str | None = None,
    everything: pd.DataFrame | None = None,
    *,
    rename: Mapping[str, str] | None = None,
    match_names: bool = False,
) -> EvaluationPlan:
    """Decide which photos to evaluate a model on.

    Parameters
    ----------
    workspace, model_folder : Path
    classes : iterable of str
        The model's.
    sources : mapping
        World -> dataset or folder; the world is empty if there is only one unnamed source.
    split : str, optional
        "train", "val" or "test" of the model, or of the dataset if the model has seen none of the photos or comes
        without a split; `ALL_PHOTOS` for all. By default the test photos if there are any, or else all.
    everything : DataFrame, optional
        The photos, if they have been read already.
    rename, match_names
        As for `class_matching.renamed_classes`.

    Raises
    ------
    DatasetError
        There are no such photos or classes, or the model knows none of their classes.
    """
    if everything is None:
        everything = read_sources(workspace, sources)
    model_folder = source_of_export(workspace, model_folder)
    classes, shown = tuple(classes), sources_text(workspace, sources)
    renamed = renamed_classes(everything["label"], classes, rename, match_names)
    everything = with_renamed_classes(everything, renamed)
    samples, chosen, of_data = _chosen(everything, model_folder, split, shown)
    check_known_labels(samples["label"], classes)
    line = model_and_ancestors(workspace, model_folder)
    samples = samples.assign(**{USED_FOR: photo_uses(samples["sample"], *line)})
    return EvaluationPlan(everything, samples, chosen, of_data, classes, renamed)


def read_sources(workspace: Path, sources: Mapping[str, str | Path]) -> pd.DataFrame:
    """The photos of all sources; their names go before the worlds that a dataset knows of itself."""
    parts = []
    for world, source in sources.items():
        samples = open_samples(workspace, str(source))
        parts.append(samples.assign(**{WORLD: world}) if world else samples)
    return pd.concat(parts, ignore_index=True)


def sources_text(workspace: Path, sources: Mapping[str, str | Path]) -> str:
    """What an evaluation is of, for people: the dataset's name, or the names of the worlds."""
    names = [name for name in sources if name]
    if not names:
        return find_source(workspace, str(sources[""])).name
    return worlds_text(names)


def _chosen(
    samples: pd.DataFrame, model_folder: Path, split: str | None, shown: str
) -> tuple[pd.DataFrame, str | None, bool]:
    """The photos of a split or all, which split that is, and whether it is the dataset's own."""
    if split == ALL_PHOTOS:
        return samples.drop(columns="split"), None, False
    if split is not None:
        return _of_split(samples, model_folder, split, shown)
    try:
        return _of_split(samples, model_folder, Split.TEST.value, shown)
    except DatasetError:  # nothing is known of test photos
        return samples.drop(columns="split"), None, False


def _of_split(
    samples: pd.DataFrame, model_folder: Path, split: str, shown: str
) -> tuple[pd.DataFrame, str | None, bool]:
    """The photos of one split.

    The model's own split takes precedence. If the model has seen none of the photos or comes without a split, the
    dataset's split is safe to use.
    """
    stored, samples = samples["split"], samples.drop(columns="split")
    try:
        of_model = read_split(model_folder)
    except DatasetError:
        if stored.isna().all():
            raise
        of_model = pd.DataFrame({"sample": [], "label": [], "split": []}, dtype=str)
    of_data = bool(stored.notna().any()) and not samples["sample"].isin(of_model["sample"]).any()
    if of_data:
        found = samples[stored == split]
    else:
        found = samples.merge(of_model.loc[of_model["split"] == split, ["sample", "label"]], on=["sample", "label"])
    if found.empty:
        whose = "no photos in its own" if of_data else "no photos of the model's"
        raise DatasetError(f"{shown} has {whose} {split} split. Choose another split, or all photos.")
    return found, split, of_data
