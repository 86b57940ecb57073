"""The evaluations of a workspace, read from their folders: listed, found, renamed, deleted and restored.

::

    <workspace>/evaluations/<id>/
      evaluation.json       what was measured with what; written last
      predictions.parquet   the prediction table
      embeddings.npy        float16 (N, D); a row for each `embedding_row` of the table
      neighbours.parquet    training photos: sample, path, label
      neighbours.npy        float16 (M, D); their embeddings, row for row
      job/                  its job, if it was started in the background
    <workspace>/bin/evaluations/<id>/     a deleted evaluation

The evaluation of a bundled model (``models/<model>/evaluation/``, without photos) and the prediction table of each
finished run (``<workspace>/runs/<run>/predictions.parquet``) are listed too, but can't be changed.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sneaker_core.datasets.dataset_collection import list_datasets
from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_record import (
    EVALUATION_FILE,
    Evaluation,
    Kind,
    read_description,
    read_run_evaluation,
    read_stored,
)
from sneaker_core.networks.bundled_models import present_name
from sneaker_core.workspace.clean_names import clean_name
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import ABOUT_FILE, CollectionSpec, read_name
from sneaker_core.workspace.jobs import stop_job
from sneaker_core.workspace.paths import (
    BUNDLED_MODELS,
    PREDICTIONS_FILE,
    model_evaluation_folder,
    runs_folder,
)
from sneaker_core.workspace.references import name_in, text_of
from sneaker_core.workspace.safe_names import is_text, safe_folder_name


def evaluations_of(workspace: Path) -> Collection[Evaluation]:
    """The stored evaluations of a workspace as a collection."""
    return Collection(workspace, _SPEC)


def list_evaluations(workspace: Path) -> list[Evaluation]:
    """All evaluations: stored ones, newest first, then those of bundled models and of runs, each by name.

    A damaged one is listed with its `problem`; folders without an evaluation are skipped.
    """
    found = (model_evaluation(folder) for folder in _folders(BUNDLED_MODELS))
    bundled = [replace(one, workspace=workspace) for one in found if one is not None]
    return [*evaluations_of(workspace).list(), *bundled, *_of_runs(workspace)]


def usual_evaluation(evaluations: Sequence[Evaluation]) -> Evaluation | None:
    """The one to show until another is chosen: the first that can be opened; of bundled ones, one with pictures.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        From `list_evaluations`, so that a user's own come first.
    """
    ready = [one for one in evaluations if one.is_ready] or list(evaluations)
    if ready and ready[0].kind is Kind.BUNDLED:
        return next((one for one in ready if one.synthetic is not None), ready[0])
    return next(iter(ready), None)


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    folders = sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [path for path in folders if is_text(path.name)]


def find_evaluation(workspace: Path, name: str, kind: Kind | None = None) -> Evaluation:
    """The evaluation with a display name, which is never used as a path, so untrusted names are safe.

    Parameters
    ----------
    workspace : Path
    name : str
    kind : Kind, optional
        By default a saved evaluation takes precedence over a bundled one, and that over a run's.

    Raises
    ------
    SneakerError
        There is none; the message lists those that exist.
    """
    there = list_evaluations(workspace)
    for one in there:
        if kind in (None, one.kind) and _is_named(one, name):
            return one
    listed = ", ".join(repr(one.name) for one in there) or "none yet"
    raise SneakerError(f"No evaluation named {name[:80]!r}. Available evaluations: {listed}.")


def find_evaluation_by_id(workspace: Path, evaluation: str, kind: Kind = Kind.STORED) -> Evaluation:
    """The evaluation that a record refers to.

    Parameters
    ----------
    workspace : Path
    evaluation : str
        Its id, or a display name from an old record; see `references`.
    kind : Kind

    Raises
    ------
    SneakerError
        There is none.
    """
    name = name_in(evaluation)
    for one in list_evaluations(workspace):
        if one.kind is kind and (one.id == evaluation or _is_named(one, name)):
            return one
    return find_evaluation(workspace, text_of(evaluation), kind)


def _is_named(evaluation: Evaluation, name: str | None) -> bool:
    """Whether an evaluation has a name; that of a bundled model also has the name of the model it replaced."""
    wanted = present_name(name or "") if evaluation.kind is Kind.BUNDLED else name or ""
    return clean_name(evaluation.name) == clean_name(wanted)


def bundled_evaluation(model: str) -> Evaluation | None:
    """The evaluation that comes with a bundled model; None if there is none."""
    return model_evaluation(BUNDLED_MODELS / model)


def model_evaluation(model_folder: Path) -> Evaluation | None:
    """The evaluation that is kept in a model's folder; None if there is none."""
    folder = model_evaluation_folder(model_folder)
    if not (folder / EVALUATION_FILE).is_file():
        return None
    return replace(read_description(folder, Kind.BUNDLED, model_folder.name), model_folder=model_folder)


def own_evaluation(model_folder: Path, bundled: bool) -> Evaluation | None:
    """A model's evaluation on its own test photos: that of its folder, or else that of its run; None without one."""
    kept = model_evaluation(model_folder)
    of_run = None if bundled else read_run_evaluation(model_folder.parent)
    if of_run is not None and (kept is None or not kept.worlds or of_run[0].folder == kept.folder):
        return of_run[0]
    return kept


def _of_runs(workspace: Path) -> list[Evaluation]:
    found = [one for one in map(read_run_evaluation, _folders(runs_folder(workspace))) if one is not None]
    # Opening a dataset opens its index, so each is opened only once.
    datasets = list_datasets(workspace) if found else []
    ids, names = ({getattr(entry, key): entry for entry in datasets} for key in ("id", "name"))
    evaluations = []
    for evaluation, source in found:
        name = name_in(source)
        entry = ids.get(source) if name is None else names.get(name)
        if entry is not None:
            evaluation = replace(evaluation, data=entry.name, dataset_folder=entry.folder)
        evaluations.append(replace(evaluation, workspace=workspace))
    return sorted(evaluations, key=lambda one: one.name)


def free_name(workspace: Path, wanted: str) -> str:
    """The name if it is free, or else a similar one."""
    return evaluations_of(workspace).free_name(wanted)


def default_name(workspace: Path, model: str, data: str, split: str | None) -> str:
    """A name that no evaluation has yet: ``<model> on <data>``, with the split if only one is evaluated."""
    wanted = f"{model} on {data}" + (f", {split}" if split else "")
    return free_name(workspace, safe_folder_name(wanted.replace(",", "").lstrip("-")[:70]))


def _stored(workspace: Path, evaluation: Evaluation | str) -> Evaluation:
    """A stored evaluation."""
    found = find_evaluation(workspace, evaluation) if isinstance(evaluation, str) else evaluation
    if found.kind is not Kind.STORED:
        owner = "model" if found.kind is Kind.BUNDLED else "run"
        raise SneakerError(f"The evaluation {found.name!r} belongs to the {owner} of that name and stays with it.")
    return found


def rename_evaluation(workspace: Path, evaluation: Evaluation | str, new: str) -> Evaluation:
    """Change the display name of a saved evaluation.

    Raises
    ------
    SneakerError
        There is none, it belongs to a model or a run, or it can't have that name.
    """
    return evaluations_of(workspace).rename(_stored(workspace, evaluation), new)


def delete_evaluation(workspace: Path, evaluation: Evaluation | str) -> Path:
    """Move a saved evaluation to the bin; `restore_evaluation` restores it.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    SneakerError
        There is none, it is running, or it belongs to a model or a run.
    """
    return evaluations_of(workspace).delete(_stored(workspace, evaluation))


def restore_evaluation(workspace: Path, evaluation: Evaluation | str) -> Evaluation:
    """Restore the most recently deleted evaluation with a display name, under a free name if its own is now taken.

    Raises
    ------
    SneakerError
        There is none in the bin.
    """
    return evaluations_of(workspace).restore(evaluation)


def _holds_evaluation(folder: Path) -> bool:
    files = (EVALUATION_FILE, PREDICTIONS_FILE, ABOUT_FILE, "job/job.json")
    return any((folder / file).exists() for file in files)


def _names_elsewhere(workspace: Path) -> dict[str, str]:
    """Names of the evaluations of bundled models and of runs."""
    models = {folder.name: "the evaluation of a model that comes with SoleScope" for folder in _folders(BUNDLED_MODELS)}
    runs = {read_name(folder): "the evaluation of a run" for folder in _folders(runs_folder(workspace))}
    return {**models, **runs}


_SPEC = CollectionSpec[Evaluation](
    kind="evaluations",
    noun="evaluation",
    plural="evaluations",
    error=SneakerError,
    holds_item=_holds_evaluation,
    read=read_stored,
    is_busy=lambda evaluation: not evaluation.state.ended,
    order=lambda evaluation: (-evaluation.created, evaluation.name),
    reserved=_names_elsewhere,
)


def stop_evaluation(workspace: Path, name: str) -> None:
    """Ask an evaluation in the background to stop; nothing is saved.

    Raises
    ------
    SneakerError
        There is none, or it is not running.
    """
    found = find_evaluation(workspace, name)
    if found.job is None or found.state.ended:
        raise SneakerError(f"The evaluation {name!r} isn't running, so there is nothing to stop.")
    stop_job(found.job.folder)
