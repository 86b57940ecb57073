"""Photos to calibrate an exported model on and to compare it on: those that the model was trained and tested with."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sneaker_core.datasets.dataset_collection import list_datasets, open_samples, source_folder
from sneaker_core.datasets.split import Split, read_split
from sneaker_core.datasets.synthetic.redrawn_photos import redraw_photos
from sneaker_core.datasets.synthetic.sample_plan import photo_names
from sneaker_core.errors import DatasetError, SneakerError
from sneaker_core.evaluation.evaluation_collection import own_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Evaluation, read_run_evaluation
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.workspace.paths import BUNDLED_MODELS, SAMPLE_PHOTOS

# Drawn when there are no other photos: the size and seed of the synthetic dataset they are from.
_DRAWN_PER_CLASS, _DRAWN_SEED = 60, 0
_SEED = 0


def test_photos(workspace: Path, folder: Path, spec: ModelSpec, most: int) -> pd.DataFrame:
    """Photos that the model was tested with, as far as they are here: columns path and label.

    Parameters
    ----------
    workspace, folder : Path
        The model's folder.
    spec : ModelSpec
    most : int
        A sample, always the same, if there are more.
    """
    found = _own_table(workspace, folder)
    if found.empty:
        found = _of_split(workspace, folder, Split.TEST)
    return _sampled(found[found["label"].isin(spec.classes)], most)


def training_photos(workspace: Path, folder: Path, most: int) -> pd.DataFrame:
    """Photos that the model was trained with, or others like its test photos: columns path and label."""
    found = _of_split(workspace, folder, Split.TRAIN)
    return _other_synthetic(workspace, folder, most) if found.empty else _sampled(found, most)


def drawn_photos(workspace: Path, count: int) -> pd.DataFrame:
    """Sneakers that the program draws, and its sample photos: columns path and label, which no model need know."""
    samples = [str(file) for file in sorted(SAMPLE_PHOTOS.glob("*.jpg"))][:count]
    names = sorted(photo_names(_DRAWN_PER_CLASS, _DRAWN_SEED))
    chosen = _sampled(pd.DataFrame({"path": names}), max(0, count - len(samples)))["path"]
    drawn = redraw_photos(workspace, chosen, _DRAWN_PER_CLASS, _DRAWN_SEED)
    return pd.DataFrame({"path": [*samples, *map(str, drawn.values())], "label": None})


def _own_evaluation(workspace: Path, folder: Path) -> Evaluation | None:
    found = own_evaluation(folder, folder.absolute().parent == BUNDLED_MODELS)
    return None if found is None else replace(found, workspace=workspace)


def _own_table(workspace: Path, folder: Path) -> pd.DataFrame:
    """The test photos of the evaluation that belongs to the model, without those that aren't there."""
    with contextlib.suppress(SneakerError):
        if (evaluation := _own_evaluation(workspace, folder)) is not None:
            return _there(read_table(evaluation))
    return _none()


def _there(photos: pd.DataFrame) -> pd.DataFrame:
    photos = photos.loc[photos["path"].notna(), ["path", "label"]]
    is_here = [Path(path).is_file() for path in photos["path"]]
    return photos[pd.Series(is_here, photos.index, bool)]  # a list would select columns where it is empty


def _none() -> pd.DataFrame:
    return pd.DataFrame({"path": [], "label": []}, dtype=str)


def _of_split(workspace: Path, folder: Path, split: Split) -> pd.DataFrame:
    """The photos of a split of the model, from the dataset that has most of them."""
    try:
        wanted = read_split(folder)
    except DatasetError:
        return _none()
    wanted = wanted.loc[wanted["split"] == split, ["sample", "label"]].drop_duplicates("sample")
    found = [wanted.merge(samples, on=["sample", "label"]) for samples in _sources(workspace, folder)]
    return max((_there(rows) for rows in found), key=len, default=_none())


def _sources(workspace: Path, folder: Path) -> Iterator[pd.DataFrame]:
    """The photos of all datasets, and of the folder that the model's run was trained on."""
    names = [entry.name for entry in list_datasets(workspace)]
    of_run = read_run_evaluation(folder.parent)
    if of_run is not None:
        with contextlib.suppress(SneakerError):
            names.append(str(source_folder(workspace, of_run[1])))
    for name in names:
        with contextlib.suppress(SneakerError):
            yield open_samples(workspace, name)[["sample", "path", "label"]]


def _other_synthetic(workspace: Path, folder: Path, most: int) -> pd.DataFrame:
    """Photos of the synthetic dataset of the model that aren't test photos."""
    with contextlib.suppress(SneakerError):
        evaluation = _own_evaluation(workspace, folder)
        if evaluation is not None and (plan := evaluation.synthetic) is not None:
            tested = {Path(path).name for path in read_table(evaluation)["path"].dropna()}
            others = sorted(photo_names(plan.per_class, plan.seed) - tested)
            chosen = _sampled(pd.DataFrame({"path": others}), most)["path"]
            files = redraw_photos(workspace, chosen, plan.per_class, plan.seed)
            return pd.DataFrame({"path": list(map(str, files.values())), "label": None})
    return _none()


def _sampled(photos: pd.DataFrame, most: int) -> pd.DataFrame:
    rows = np.sort(np.random.default_rng(_SEED).permutation(len(photos))[:most])
    return photos.iloc[rows].reset_index(drop=True)
