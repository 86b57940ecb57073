"""Evaluation of a model on labelled photos, a dataset or a folder: the work, and the job that does it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sneaker_core import process_group
from sneaker_core.datasets.dataset_collection import find_source, open_samples
from sneaker_core.datasets.split import Split, read_split
from sneaker_core.errors import DatasetError, ModelNotFoundError, StoppedError
from sneaker_core.evaluation.evaluation_collection import (
    Evaluation,
    Halves,
    Kind,
    check_name,
    default_name,
    find_evaluation,
    write_evaluation,
)
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import Reading, prediction_table, read_photos
from sneaker_core.evaluation.table_columns import check_known, compact
from sneaker_core.networks.checkpoint import SneakerModel, load_model, read_spec, weights_version
from sneaker_core.networks.model_registry import find_model, find_named_model
from sneaker_core.workspace.jobs import start_job_in
from sneaker_core.workspace.paths import evaluation_job_folder, evaluations_folder, model_evaluation_folder

# Training photos of each class that are kept to look for alike ones among.
NEIGHBOURS_PER_CLASS = 150
_SEED = 0
_JUDGING, _LEARNED = "Judging photos", "Looking at training photos"

Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation came to.

    Attributes
    ----------
    evaluation : Evaluation
        Its folder is None where it was not kept.
    table : DataFrame
        The prediction table.
    figures : dict
        As `metrics.summary`, and rejected: path -> why it could not be read.
    """

    evaluation: Evaluation
    table: pd.DataFrame
    figures: dict[str, Any]


def evaluate(
    model_folder: Path,
    data: str | Path,
    workspace: Path,
    split: str | None = None,
    *,
    neighbours: bool = True,
    name: str | None = None,
    report: Report = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Evaluated:
    """Measure a model on labelled photos.

    Of several processes (torchrun) all must call this with the same arguments; the first one writes.

    Parameters
    ----------
    model_folder : Path
    data : str or Path
        The name of a dataset, or a folder laid out as ``<class>/*``. Classes are matched by name; photos of classes
        that the model does not know are counted, not judged.
    workspace : Path
        Where the dataset is looked up, and the evaluation is kept.
    split : str, optional
        Only the photos that served the model as "train", "val" or "test", found again by their bytes; or, where it saw
        none of them or does not tell, those of the dataset's own split.
    neighbours : bool
        Whether to keep embeddings of training photos too, at most 150 a class; only with a `name`.
    name : str, optional
        To keep the evaluation by; it is not kept when left out.
    report : callable
        Called with photos done, photos in all, and the step.
    stopped : callable
        Asked now and then whether to stop; not of several processes.

    Raises
    ------
    DatasetError
        There are no such photos, or no class is known to the model.
    CheckpointError
        The model is damaged.
    StoppedError
        It was stopped; nothing is kept.
    SneakerError
        The name cannot be used.
    SpaceError
        The disk is full.
    """
    told = _Told(report, stopped)
    if name is not None:
        _check_free(workspace, name)
    model, source = load_model(model_folder), find_source(str(data), workspace)
    everything = open_samples(str(data), workspace)
    samples, of_data = _of_split(everything, model_folder, split, source.name)
    check_known(samples["label"], model.spec.classes)
    reading = read_photos(model, list(samples["path"]), told.about(len(samples), _JUDGING))
    readable = samples[~samples["path"].isin(reading.rejected)]
    table = prediction_table(model, readable, reading.outputs, reading.facts)
    figures = {**summary(table), "rejected": reading.rejected}
    evaluation = Evaluation(
        name or f"{model.spec.name} on {source.name}",
        Kind.STORED,
        None if name is None else evaluations_folder(workspace) / name,
        model=model.spec.name,
        model_folder=model_folder.absolute(),
        model_version=weights_version(model_folder),
        data=source.name,
        dataset_folder=None if source.dataset is None else source.folder,
        split=split,
        split_of_data=of_data,
        created=time.time(),
        **{key: figures[key] for key in ("n", "top1", "rejected", "left_out")},
    )
    if name is None:
        return Evaluated(evaluation, table, figures)
    learned = _training_photos(everything, model_folder, model.spec.classes) if neighbours else None
    kept = None if learned is None else _embedded(model, learned, table, reading, told)
    evaluation = replace(evaluation, with_neighbours=kept is not None)
    if process_group.is_first():
        write_evaluation(evaluation, table, reading.outputs.embeddings, kept)
    process_group.wait_for_all()
    return Evaluated(evaluation, table, figures)


@dataclass(frozen=True)
class _Told:
    """Tells how far the work is, and ends it when that is asked for."""

    report: Report
    stopped: Callable[[], bool]

    def about(self, total: int, step: str) -> Callable[[int], None]:
        """For one step of the work."""

        def progress(done: int) -> None:
            if process_group.is_first():
                self.report(done, total, step)
            if process_group.count() == 1 and self.stopped():
                raise StoppedError("The evaluation was stopped; nothing of it was kept.")

        progress(0)
        return progress


def _check_free(workspace: Path, name: str) -> None:
    """Whether an evaluation may be kept by a name; a job's own folder is there already, but holds nothing yet."""
    folder = evaluations_folder(workspace) / name
    if folder.is_dir() and [path.name for path in folder.iterdir()] == [evaluation_job_folder(folder).name]:
        return
    check_name(workspace, name)


def _of_split(samples: pd.DataFrame, model_folder: Path, split: str | None, shown: str) -> tuple[pd.DataFrame, bool]:
    """The photos of one split, or all; and whether the split is the dataset's own.

    What counts is what photos served the model as. Where it saw none of them, or does not tell, nothing speaks against
    the dataset's own split.
    """
    stored, samples = samples["split"], samples.drop(columns="split")
    if split is None:
        return samples, False
    try:
        served = read_split(model_folder)
    except DatasetError:
        if stored.isna().all():
            raise
        served = pd.DataFrame({"sample": [], "label": [], "split": []}, dtype=str)
    of_data = bool(stored.notna().any()) and not samples["sample"].isin(served["sample"]).any()
    if of_data:
        found = samples[stored == split]
    else:
        found = samples.merge(served.loc[served["split"] == split, ["sample", "label"]], on=["sample", "label"])
    if found.empty:
        whose = "has no photos of its own" if of_data else "has none of the model's"
        raise DatasetError(f"{shown} {whose} {split} split; choose another split, or all photos.")
    return found, of_data


def _training_photos(samples: pd.DataFrame, model_folder: Path, classes: tuple[str, ...]) -> pd.DataFrame | None:
    """Photos that the model learned from: those of its own split, else the dataset's training photos."""
    try:
        split = read_split(model_folder)
        mine = set(split.loc[split["split"] == Split.TRAIN.value, "sample"])
    except DatasetError:
        mine = set()
    own = samples["sample"].isin(mine)
    learned = samples[own if own.any() else samples["split"] == Split.TRAIN.value]
    learned = learned[learned["label"].isin(classes)]
    if learned.empty:
        return None
    some = learned.sample(frac=1, random_state=_SEED).groupby("label").head(NEIGHBOURS_PER_CLASS)
    return some.sort_index()[["sample", "path", "label"]].reset_index(drop=True)


def _embedded(
    model: SneakerModel, learned: pd.DataFrame, table: pd.DataFrame, reading: Reading, told: _Told
) -> tuple[pd.DataFrame, Halves] | None:
    """Training photos with their embeddings; those that were judged just now are not read again."""
    vectors = dict(zip(table["path"], reading.outputs.embeddings, strict=True))
    new = [path for path in learned["path"] if path not in vectors and path not in reading.rejected]
    if new:
        try:
            more = read_photos(model, new, told.about(len(new), _LEARNED), measured=False)
        except DatasetError:  # none of them can be read any more
            more = None
        if more is not None:
            read = (path for path in new if path not in more.rejected)
            vectors |= dict(zip(read, more.outputs.embeddings, strict=True))
    learned = learned[learned["path"].isin(vectors)].reset_index(drop=True)
    if learned.empty:
        return None
    return learned, np.stack([vectors[path] for path in learned["path"]]).astype(np.float16)


def keep_with_model(evaluated: Evaluated, model_folder: Path) -> Path:
    """Keep an evaluation in its model's folder, to travel with it: no path, no embedding, narrow types.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SpaceError
        It cannot be written.
    """
    folder = model_evaluation_folder(model_folder)
    # What could not be read is named by paths of this machine; how many they are is told by the model's card.
    kept = replace(
        evaluated.evaluation,
        folder=folder,
        model_folder=None,
        dataset_folder=None,
        rejected={},
        with_neighbours=False,
    )
    write_evaluation(kept, compact(evaluated.table))
    return folder


def start_evaluation(
    workspace: Path,
    model: str,
    data: str,
    split: str | None = None,
    *,
    name: str | None = None,
    neighbours: bool = True,
) -> Evaluation:
    """Start an evaluation in the background.

    Parameters
    ----------
    workspace : Path
    model : str
        As for `networks.library.find_model`.
    data, split, neighbours
        As for `evaluate`.
    name : str, optional
        To keep it by; made of model and data when left out. That of one which failed or was stopped starts it again.

    Returns
    -------
    Evaluation
        As it stands at its start; `library.find_evaluation` tells how far it is.

    Raises
    ------
    ModelNotFoundError, DatasetError
        There is no such model, or there are no such photos.
    SneakerError
        The name cannot be used.
    BusyError
        It is at work already.
    """
    model_folder, source = find_model(model, workspace), find_source(data, workspace)
    spec = read_spec(model_folder)
    if name is None:
        name = default_name(workspace, spec.name, source.name, split)
    _check_free(workspace, name)
    folder = evaluations_folder(workspace) / name
    arguments = [
        *("--workspace", str(workspace.absolute()), "evaluate", "--data", str(source.folder), "--name", name),
        *([] if split is None else ["--split", split]),
        *([] if neighbours else ["--no-neighbours"]),
        *("--", _argument_of(model, model_folder, workspace)),  # last, as a name may begin with a dash
    ]
    try:
        start_job_in(evaluation_job_folder(folder), f"Evaluating {spec.name} on {source.name}", arguments)
    except OSError as error:
        raise DatasetError(f"The evaluation cannot be started in {folder}: {error.strerror}.") from error
    return find_evaluation(name, workspace, Kind.STORED)


def _argument_of(model: str, folder: Path, workspace: Path) -> str:
    """What names a model for a process that is elsewhere."""
    try:
        return model if find_named_model(model, workspace) == folder else str(folder.absolute())
    except ModelNotFoundError:
        return str(folder.absolute())
