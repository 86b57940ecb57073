"""Evaluate a model on a dataset or a folder of labeled photos, directly or as a background job."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sneaker_core import process_group
from sneaker_core.datasets.dataset_collection import find_source, source_folder, source_reference
from sneaker_core.datasets.split import Split, read_split
from sneaker_core.datasets.vanished_sources import check_there, told_if_vanished
from sneaker_core.errors import DatasetError, StoppedError
from sneaker_core.evaluation.evaluation_collection import default_name, evaluations_of, find_evaluation_by_id
from sneaker_core.evaluation.evaluation_files import Halves, distributed, write_evaluation
from sneaker_core.evaluation.evaluation_plan import ALL_PHOTOS, plan_evaluation, sources_text
from sneaker_core.evaluation.evaluation_record import EVALUATION_FILE, Evaluation, Kind
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.prediction_table import PhotoOutputs, prediction_table, run_on_photos
from sneaker_core.evaluation.table_columns import compact
from sneaker_core.evaluation.worlds import world_metrics
from sneaker_core.networks.checkpoint import SneakerModel, load_model, read_spec, weights_version
from sneaker_core.networks.model_registry import find_model, find_model_by_reference, model_reference
from sneaker_core.number_text import counted, percent
from sneaker_core.records.evaluation_records import SyntheticRecord
from sneaker_core.workspace.jobs import Worker, start_job
from sneaker_core.workspace.paths import PREDICTIONS_FILE, evaluation_job_folder, model_evaluation_folder

# Training photos of each class whose embeddings are kept to find similar photos.
NEIGHBORS_PER_CLASS = 150
_SEED = 0
_EVALUATING, _EMBEDDING = "Evaluating photos", "Embedding training photos"

Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class EvaluationResult:
    """What `evaluate` returns.

    Attributes
    ----------
    evaluation : Evaluation
        Its folder is None if it was not saved.
    table : DataFrame
        The prediction table.
    metrics : dict
        From `metrics.summary`, and rejected: path -> why the photo could not be read.
    """

    evaluation: Evaluation
    table: pd.DataFrame
    metrics: dict[str, Any]


def evaluate(
    model_folder: Path,
    data: str | Path | Mapping[str, str | Path],
    workspace: Path,
    split: str | None = None,
    *,
    neighbors: bool = True,
    name: str | None = None,
    rename: Mapping[str, str] | None = None,
    match_names: bool = False,
    report: Report = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> EvaluationResult:
    """Evaluate a model on labeled photos.

    In a process group (torchrun) all processes must call this with the same arguments; the first one writes.

    Parameters
    ----------
    model_folder : Path
    data : str, Path or mapping
        The name of a dataset, or a folder laid out as ``<class>/*``; or several by name, such as
        ``{"shop": "shop photos", "phone": "~/phone"}``, to compare the worlds that photos come from. Classes are
        matched by name; photos of classes that the model doesn't know are counted but not evaluated.
    workspace : Path
        Where the dataset is looked up and the evaluation is saved.
    split : str, optional
        Only photos of the model's "train", "val" or "test" split, matched by file content, or "all". If the model has
        seen none of the photos or comes without a split, the dataset's own split is used. By default the test photos
        if there are any, or else all. Photos that the model was trained on or tuned with don't count toward the
        metrics, unless there are no others.
    neighbors : bool
        Whether to save embeddings of training photos as well, at most 150 per class; needs a `name`.
    name : str, optional
        Saves the evaluation under this name; it is not saved by default.
    rename, match_names
        As for `class_matching.renamed_classes`: classes that the model knows under another name.
    report : callable
        Called with the number of photos done, the total, and the current step.
    stopped : callable
        Called regularly; if it returns True, the evaluation stops. Ignored in a process group.

    Raises
    ------
    DatasetError
        There are no such photos, or the model knows none of their classes.
    CheckpointError
        The model is damaged.
    StoppedError
        `stopped` returned True; nothing is saved.
    SneakerError
        The name can't be used, or the disk is full.
    """
    reporter = _Reporter(report, stopped)
    # By its folder: it may be renamed meanwhile.
    kept_in = None if name is None else _check_free(workspace, name)
    sources = data if isinstance(data, Mapping) else {"": data}
    classes = read_spec(model_folder).classes
    plan = plan_evaluation(workspace, model_folder, classes, sources, split, rename=rename, match_names=match_names)
    model, samples, shown = load_model(model_folder), plan.samples, sources_text(workspace, sources)
    used = [find_source(workspace, str(one)) for one in sources.values()]
    with told_if_vanished(used):
        found = run_on_photos(model, list(samples["path"]), reporter.start(len(samples), _EVALUATING))
    if found.rejected:
        check_there(used)
    readable = samples[~samples["path"].isin(found.rejected)]
    table = prediction_table(model, readable, found.outputs, found.properties)
    metrics = {**summary(table), "rejected": found.rejected}
    dataset = find_source(workspace, str(data)).dataset if not isinstance(data, Mapping) else None
    evaluation = Evaluation(
        name or f"{model.spec.name} on {shown}",
        Kind.STORED,
        kept_in,
        model=model.spec.name,
        model_folder=model_folder.absolute(),
        model_version=weights_version(model_folder),
        data=shown,
        dataset_folder=None if dataset is None else dataset.folder.absolute(),
        # Of all photos, those that count.
        split=plan.split or metrics["use"] or None,
        split_of_data=plan.split_of_data,
        created=time.time(),
        worlds=tuple(world_metrics(table)),
        renamed=plan.renamed,
        **{key: metrics[key] for key in ("n", "top1", "rejected", "left_out")},
    )
    if name is not None:
        training = _training_photos(plan.everything, model_folder, model.spec.classes) if neighbors else None
        evaluation = _saved(workspace, evaluation, model, table, found, training, reporter)
    return EvaluationResult(evaluation, table, metrics)


def _saved(
    workspace: Path,
    evaluation: Evaluation,
    model: SneakerModel,
    table: pd.DataFrame,
    found: PhotoOutputs,
    training: pd.DataFrame | None,
    reporter: "_Reporter",
) -> Evaluation:
    """Save an evaluation, with the embeddings of its training photos if there are any."""
    embedded = None if training is None else _embedded(model, training, table, found, reporter)
    evaluation = replace(evaluation, with_neighbors=embedded is not None)
    if process_group.is_first():
        folder = evaluation.folder or _open_folder(workspace, evaluation.name)
        evaluation = replace(evaluation, folder=folder)
        write_evaluation(evaluation, table, found.outputs.embeddings, embedded)
    process_group.wait_for_all()
    return evaluation


@dataclass(frozen=True)
class _Reporter:
    """Reports progress, and stops the work on request."""

    report: Report
    stopped: Callable[[], bool]

    def start(self, total: int, step: str) -> Callable[[int], None]:
        """Begin a step; returns its progress callback."""

        def progress(done: int) -> None:
            if process_group.is_first():
                self.report(done, total, step)
            if process_group.count() == 1 and self.stopped():
                raise StoppedError("The evaluation was stopped. Nothing was saved.")

        progress(0)
        return progress


def _open_folder(workspace: Path, name: str) -> Path:
    """The folder to save an evaluation in: a new one, or that of an evaluation that never got to save anything."""
    return _unfinished(workspace, name) or evaluations_of(workspace).create(name)


def _check_free(workspace: Path, name: str) -> Path | None:
    """Check that an evaluation can be saved under a name; returns its folder if it has one already."""
    folder = _unfinished(workspace, name)
    if folder is None:
        evaluations_of(workspace).check_name(name)
    return folder


def _unfinished(workspace: Path, name: str) -> Path | None:
    """The folder of the evaluation with that name, if it holds nothing but its name and its job."""
    found = evaluations_of(workspace).named(name)
    done = (EVALUATION_FILE, PREDICTIONS_FILE)
    return found[0] if len(found) == 1 and not any((found[0] / file).exists() for file in done) else None


def _training_photos(samples: pd.DataFrame, model_folder: Path, classes: tuple[str, ...]) -> pd.DataFrame | None:
    """Some of the model's training photos, by its own split or else the dataset's; None if there are none."""
    try:
        split = read_split(model_folder)
        trained_on = set(split.loc[split["split"] == Split.TRAIN.value, "sample"])
    except DatasetError:
        trained_on = set()
    own = samples["sample"].isin(trained_on)
    training = samples[own if own.any() else samples["split"] == Split.TRAIN.value]
    training = training[training["label"].isin(classes)]
    if training.empty:
        return None
    some = training.sample(frac=1, random_state=_SEED).groupby("label").head(NEIGHBORS_PER_CLASS)
    return some.sort_index()[["sample", "path", "label"]].reset_index(drop=True)


def _embedded(
    model: SneakerModel, training: pd.DataFrame, table: pd.DataFrame, found: PhotoOutputs, reporter: _Reporter
) -> tuple[pd.DataFrame, Halves] | None:
    """Training photos with their embeddings; photos that were just evaluated are not read again."""
    embeddings = dict(zip(table["path"], found.outputs.embeddings, strict=True))
    new = [path for path in training["path"] if path not in embeddings and path not in found.rejected]
    if new:
        try:
            more = run_on_photos(model, new, reporter.start(len(new), _EMBEDDING), with_measures=False)
        except DatasetError:  # none of them can be read anymore
            more = None
        if more is not None:
            read = (path for path in new if path not in more.rejected)
            embeddings |= dict(zip(read, more.outputs.embeddings, strict=True))
    training = training[training["path"].isin(embeddings)].reset_index(drop=True)
    if training.empty:
        return None
    return training, np.stack([embeddings[path] for path in training["path"]]).astype(np.float16)


def keep_with_model(
    result: EvaluationResult,
    model_folder: Path,
    synthetic: SyntheticRecord | None = None,
    photo_names: Mapping[str, str] | None = None,
) -> Path:
    """Save an evaluation in its model's folder, to be distributed with it: without paths and embeddings, compact.

    Parameters
    ----------
    result : EvaluationResult
    model_folder : Path
    synthetic : SyntheticRecord, optional
        How its photos are drawn again, if they are synthetic.
    photo_names : mapping, optional
        Sample -> name of the synthetic photo; needed with `synthetic`.

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
    kept = replace(distributed(result.evaluation), folder=folder, synthetic=synthetic)
    table = compact(result.table)
    write_evaluation(kept, table if photo_names is None else table.assign(path=table["sample"].map(photo_names)))
    return folder


def start_evaluation(
    workspace: Path,
    model: str,
    data: str | Mapping[str, str],
    split: str | None = None,
    *,
    name: str | None = None,
    neighbors: bool = True,
    rename: Mapping[str, str] | None = None,
) -> Evaluation:
    """Start an evaluation in the background.

    Parameters
    ----------
    workspace : Path
    model : str
        As for `networks.model_registry.find_model`.
    data, split, neighbors, rename
        As for `evaluate`.
    name : str, optional
        Name to save it under; made of model and data by default. The name of an evaluation that failed or was stopped
        starts it again.

    Returns
    -------
    Evaluation
        As it is now; `evaluation_collection.find_evaluation` returns its progress.

    Raises
    ------
    ModelNotFoundError, DatasetError
        There is no such model, there are no such photos, or the model knows none of their classes.
    SneakerError
        The name can't be used.
    BusyError
        The evaluation is running already.
    """
    model_folder, spec = find_model(workspace, model), read_spec(find_model(workspace, model))
    sources = data if isinstance(data, Mapping) else {"": data}
    plan = plan_evaluation(workspace, model_folder, spec.classes, sources, split, rename=rename)
    shown = sources_text(workspace, sources)
    references = {world: source_reference(workspace, find_source(workspace, one)) for world, one in sources.items()}
    if name is None:
        name = default_name(workspace, spec.name, shown, plan.split)
    folder = _open_folder(workspace, name)
    params = {
        "evaluation": folder.name,
        "model": model_reference(workspace, model_folder),
        **({"worlds": references} if isinstance(data, Mapping) else {"dataset": references[""]}),
        "split": plan.split or ALL_PHOTOS,
        "neighbors": neighbors,
        **({"rename": dict(rename)} if rename else {}),
    }
    try:
        start_job(
            evaluation_job_folder(folder),
            "evaluate",
            params,
            title=f"Evaluating {spec.name} on {shown}",
            workspace=workspace,
        )
    except OSError as error:
        raise DatasetError(f"The evaluation can't be started in {folder}: {error.strerror}.") from error
    return find_evaluation_by_id(workspace, folder.name)


def run_evaluation_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Evaluate a model; params: evaluation, model, dataset or worlds (name -> dataset), split, neighbors, rename."""
    worlds = {world: source_folder(workspace, one) for world, one in (params.get("worlds") or {}).items()}
    done = evaluate(
        find_model_by_reference(workspace, params["model"]),
        worlds or source_folder(workspace, params["dataset"]),
        workspace,
        params.get("split"),
        neighbors=params.get("neighbors", params.get("neighbours", True)),
        name=find_evaluation_by_id(workspace, params["evaluation"]).name,
        rename=params.get("rename"),
        report=worker.report,
        stopped=worker.stopped,
    )
    worker.result = {"evaluation": params["evaluation"], "n": done.metrics["n"], "top1": done.metrics["top1"]}
    worker.log(f"{counted(done.metrics['n'], 'photo')}, top-1 accuracy {percent(done.metrics['top1'], 1)}")
