"""Start, stop and resume trainings in the background: each is a job of kind "train"."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.errors import RunError, SpaceError
from sneaker_core.training.run_collection import check_run_name, find_run, find_run_by_id, run_at_rest, runs_of
from sneaker_core.workspace.jobs import Worker, start_job, stop_job
from sneaker_core.workspace.paths import path_from_text, path_to_text, run_job_folder
from sneaker_core.workspace.read_only import check_changeable

if TYPE_CHECKING:
    from sneaker_core.training.recipe import Recipe

# Three bytes per pixel; photos are stored somewhat larger than the network input.
_BYTES_PER_PIXEL = 3 * 1.33
# A training stores two states of four times the weights (network, EMA, two of the optimizer), the best weights and the
# model; a head-only training stores just the model.
_WEIGHT_COPIES, _WEIGHT_COPIES_HEAD_ONLY = 10, 1
_FLOAT = 4


def start_training(
    workspace: Path,
    dataset: str,
    recipe: "Recipe",
    name: str,
    only: Iterable[str] = (),
    negatives: Path | None = None,
    repeats: str | None = None,
) -> Path:
    """Start a training in the background; it waits in the queue until earlier trainings have ended.

    Parameters
    ----------
    workspace : Path
    dataset : str
        Name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
    name : str
        Name of the run.
    only : iterable of str
        Classes to use; empty for all.
    negatives : Path, optional
        Folder of photos that show no sneaker.
    repeats : str, optional
        Id of a run whose split is kept.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    DatasetError
        There are no such photos.
    RunError
        The name can't be used.
    SpaceError
        The disk is too full.
    """
    from sneaker_core.datasets.dataset_collection import source_folder

    only = tuple(only)
    check_run_name(workspace, name)
    source, _ = source_of(workspace, dataset)
    photos, classes = _counted(source_folder(workspace, source), workspace, only)
    photos += 0 if negatives is None else _files(negatives)
    check_space(workspace, needed_bytes(recipe, photos, classes + 1))
    folder = runs_of(workspace).create(name)
    params = training_params(workspace, folder.name, source, recipe.to_dict(), only, negatives, repeats)
    try:
        start_job(run_job_folder(folder), "train", params, title=f"Training {name}", workspace=workspace, queue=True)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)  # or its name would be taken
        raise RunError(f"The run {name!r} can't be started in {folder}: {error.strerror}.") from error
    return folder


def repeat_training(workspace: Path, name: str, new_name: str | None = None) -> Path:
    """Train a run once more, with the same settings on its photos as they are now.

    Photos that both have stay in their split, so that the two models can be compared on test photos that neither used.

    Parameters
    ----------
    workspace : Path
    name : str
        Of the run to repeat.
    new_name : str, optional
        By default `default_run_name` finds one.

    Returns
    -------
    Path
        The new run's folder.

    Raises
    ------
    RunError
        There is no such run, it was not trained, or the new name can't be used.
    DatasetError
        Its photos are gone.
    SpaceError
        The disk is too full.
    ReadOnlyError
        SoleScope was started read-only.
    """
    from sneaker_core.datasets.dataset_collection import source_folder
    from sneaker_core.training.recipe import Recipe
    from sneaker_core.training.train_model import default_run_name

    check_changeable()
    run = find_run(workspace, name)
    if not run.recipe or not run.source:
        raise RunError(f"The run {name!r} can't be trained again: it has no record of its photos and settings.")
    recipe = Recipe.from_dict(run.recipe)
    new_name = new_name or default_run_name(workspace, run.dataset, recipe.name)
    negatives = None if run.negatives is None else Path(run.negatives)
    photos = str(source_folder(workspace, run.source))
    return start_training(workspace, photos, recipe, new_name, run.only, negatives, repeats=run.folder.name)


def training_params(
    workspace: Path,
    run: str,
    source: str,
    recipe: Mapping[str, Any],
    only: Iterable[str] = (),
    negatives: str | Path | None = None,
    repeats: str | None = None,
) -> dict[str, Any]:
    """The params of a "train" job.

    Parameters
    ----------
    workspace : Path
    run : str
        The run's id.
    source : str
        From `source_of`.
    recipe : mapping
        From `Recipe.to_dict`.
    only, negatives, repeats
        As for `start_training`.
    """
    return {
        "run": run,
        "dataset": source,
        "recipe": dict(recipe),
        "classes": list(only),
        "negatives": None if negatives is None else path_to_text(workspace, Path(negatives)),
        **({} if repeats is None else {"repeats": repeats}),
    }


def recipe_in(params: Mapping[str, Any]) -> "Recipe":
    """The recipe in the params of a job; those of old jobs hold a preset and what differs from it.

    Raises
    ------
    RecipeError
        A setting is unknown or out of its range.
    """
    from sneaker_core.training.recipe import Recipe, former_recipe

    if "recipe" in params:
        return Recipe.from_dict(params["recipe"])
    return former_recipe(params["recipe_name"], params.get("changes") or {})


def run_training_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Train, or resume a run; params: as `training_params` returns them."""
    from sneaker_core.datasets.dataset_collection import source_folder
    from sneaker_core.training.recipe import Recipe
    from sneaker_core.training.train_model import train
    from sneaker_core.training.training_log import event_text, result_text

    run, negatives = find_run_by_id(workspace, params["run"]), params.get("negatives")

    def report(event: str, values: dict[str, Any]) -> None:
        if text := event_text(event, values):
            worker.log(text)

    resume = bool(run.recipe)
    chosen = Recipe() if resume else recipe_in(params)  # a run that has begun keeps its own recipe
    metrics = train(
        str(source_folder(workspace, params["dataset"])),
        chosen,
        run.folder,
        workspace,
        only=params.get("classes", ()),
        negatives=None if negatives is None else path_from_text(workspace, negatives),
        repeats=params.get("repeats"),
        worker=worker,
        report=report,
        resume=resume,
    )
    worker.result = {"run": run.folder.name}
    worker.log(result_text(run.name, metrics))


def source_of(workspace: Path, dataset: str) -> tuple[str, str]:
    """The source of photos as records store it, and its display name.

    Returns
    -------
    str
        The id of a dataset of the workspace, so that the workspace can be moved and the dataset renamed; otherwise the
        absolute path of a folder.
    str

    Raises
    ------
    DatasetError
        There is no such dataset or folder.
    """
    from sneaker_core.datasets.dataset_collection import find_source, source_reference

    found = find_source(workspace, dataset)
    return source_reference(workspace, found), found.name


def _counted(folder: Path, workspace: Path, only: tuple[str, ...]) -> tuple[int, int]:
    """An upper bound of the number of photos, and the number of classes."""
    from sneaker_core.datasets.dataset_collection import open_samples
    from sneaker_core.datasets.index import INDEX_FILE

    if not (folder / INDEX_FILE).exists() and not only:
        # Listing a plain folder properly means reading every photo in it; the training will.
        return _files(folder), sum(1 for path in folder.iterdir() if path.is_dir())
    samples = open_samples(workspace, str(folder), only)
    return len(samples), samples["label"].nunique()


def _files(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file())


def needed_bytes(recipe: "Recipe", photos: int, outputs: int) -> int:
    """Estimate the disk space a training needs.

    Parameters
    ----------
    recipe : Recipe
    photos : int
    outputs : int
        Number of logits.
    """
    import torch

    from sneaker_core.networks.architectures import build_network

    with torch.device("meta"):  # no memory is allocated
        network = build_network(recipe.network, outputs, recipe.head_kind)
    weights = _FLOAT * sum(value.numel() for value in network.parameters())
    pixels = photos * recipe.size**2 * _BYTES_PER_PIXEL
    return round(pixels + weights * (_WEIGHT_COPIES_HEAD_ONLY if recipe.trainable == "head" else _WEIGHT_COPIES))


def check_space(folder: Path, needed: int) -> None:
    """Check that there is enough free disk space for a folder, which need not exist.

    Raises
    ------
    SpaceError
        There is not enough; the message gives the needed and the free space.
    """
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise SpaceError(
            f"This training needs about {_gigabytes(needed)} of disk space at {folder}, but only "
            f"{_gigabytes(free)} are free. Free some space, or choose fewer photos, a smaller photo size or "
            "a smaller network."
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.0f} MB"


def resume_training(workspace: Path, name: str) -> Path:
    """Resume a run that was stopped, failed or was interrupted; one that never began starts with the same settings.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    RunError
        There is no such run, it is running or done, or it is too damaged to resume.
    """
    run = run_at_rest(workspace, name)
    if run.is_done:
        raise RunError(f"The run {name!r} is already done; its model is ready to use.")
    if run.recipe and run.source:
        # The run keeps its own recipe.
        params = training_params(workspace, run.folder.name, run.source, run.recipe, run.only, run.negatives)
    elif run.job is not None and run.job.kind == "train" and not run.is_damaged:
        params = run.job.params
    else:
        raise RunError(f"Nothing is left of the run {name!r} to resume. Delete it and start a new one.")
    start_job(run_job_folder(run.folder), "train", params, title=f"Training {name}", workspace=workspace, queue=True)
    return run.folder


def stop_training(workspace: Path, name: str) -> None:
    """Ask a run to stop; it ends after the current step and keeps its best weights, or leaves the queue.

    Raises
    ------
    RunError
        There is no such run, or it is not running.
    """
    run = find_run(workspace, name)
    if run.state.ended:
        raise RunError(f"The run {name!r} isn't running, so there is nothing to stop.")
    stop_job(run_job_folder(run.folder))
