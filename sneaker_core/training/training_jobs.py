"""Trainings started, stopped and gone on with from outside: each is a ``train`` command in a process of its own."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.errors import RunError, SpaceError
from sneaker_core.training.run_collection import Run, check_run_name, find_run, run_at_rest
from sneaker_core.workspace.jobs import start_job_in, stop_job
from sneaker_core.workspace.paths import datasets_folder, queue_folder, run_job_folder, runs_folder

if TYPE_CHECKING:
    from sneaker_core.training.recipe import Recipe

# Photos are stored somewhat larger than the network sees them, three bytes a pixel.
_BYTES_A_PIXEL = 3 * 1.33
# A training keeps two states of four times the weights (network, average, two of the optimiser), the best weights and
# the model; one of the head alone keeps the model only.
_COPIES, _COPIES_HEAD_ALONE = 10, 1
_FLOAT = 4


def start_training(
    workspace: Path,
    dataset: str,
    recipe_name: str,
    changes: Mapping[str, Any],
    name: str,
    only: Iterable[str] = (),
    others: Path | None = None,
) -> Path:
    """Start a training in the background; it waits for those that were started before.

    Parameters
    ----------
    workspace : Path
    dataset : str
        The name of a dataset, or a folder laid out as ``<class>/*``.
    recipe_name : str
    changes : mapping
        Settings of the recipe that are to be others: field -> value; None values are passed over.
    name : str
        Of the run.
    only : iterable of str
        Classes to use; all when empty.
    others : Path, optional
        A folder with photos of anything but sneakers.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    RecipeError
        A setting is out of its range.
    DatasetError
        There are no such photos.
    RunError
        The name cannot be used.
    SpaceError
        The disk is too full.
    """
    from sneaker_core.training.recipe import make_recipe

    chosen, only = make_recipe(recipe_name, changes), tuple(only)
    check_run_name(workspace, name)
    source, _ = source_of(dataset, workspace)
    photos, classes = _counted(source, workspace, only)
    photos += 0 if others is None else _files(others)
    check_space(workspace, needed_bytes(chosen, photos, classes + 1))
    settings = [f"{key}={_plain(value)}" for key, value in changes.items() if value is not None]
    folder = runs_folder(workspace) / name
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise RunError(f"There is a run named {name!r} already; choose another name.") from None
    arguments = _arguments(workspace, source, recipe_name, name, settings, only, others)
    try:
        start_job_in(run_job_folder(folder), f"Training {name}", arguments, queue_folder(workspace))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)  # or its name would be taken
        raise RunError(f"The run {name!r} cannot be started in {folder}: {error.strerror}.") from error
    return folder


def _arguments(
    workspace: Path,
    source: str,
    recipe_name: str,
    name: str,
    settings: Iterable[str] = (),
    only: Iterable[str] = (),
    others: str | Path | None = None,
    resume: bool = False,
) -> list[str]:
    """What stands behind ``python -m sneaker_core``."""
    return [
        *("--workspace", str(workspace.absolute()), "train", "--recipe", recipe_name, "--run", name, "--queue"),
        *(["--resume"] if resume else []),
        *(word for setting in settings for word in ("--set", setting)),
        *(word for label in only for word in ("--class", label)),
        *([] if others is None else ["--others", str(Path(others).absolute())]),
        *("--", source),  # last, as a dataset's name may begin with a dash
    ]


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def source_of(dataset: str, workspace: Path) -> tuple[str, str]:
    """What names the photos for a process that is elsewhere, and what they are called.

    Raises
    ------
    DatasetError
        There is no such dataset or folder.
    """
    from sneaker_core.datasets.dataset_collection import find_source

    found = find_source(dataset, workspace)
    # By name where it has one, so that the workspace can be moved.
    named = found.dataset is not None and found.folder.parent == datasets_folder(workspace)
    return (found.name if named else str(found.folder)), found.name


def _counted(source: str, workspace: Path, only: tuple[str, ...]) -> tuple[int, int]:
    """About how many photos and classes there are; never less."""
    from sneaker_core.datasets.dataset_collection import open_samples
    from sneaker_core.datasets.index import INDEX_FILE

    folder = Path(source)
    if folder.is_absolute() and folder.is_dir() and not (folder / INDEX_FILE).exists() and not only:
        # To list a plain folder is to read every photo in it; the training will.
        return _files(folder), sum(1 for path in folder.iterdir() if path.is_dir())
    samples = open_samples(source, workspace, only)
    return len(samples), samples["label"].nunique()


def _files(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file())


def needed_bytes(recipe: "Recipe", photos: int, outputs: int) -> int:
    """About how much of the disk a training takes while it lasts.

    Parameters
    ----------
    recipe : Recipe
    photos : int
    outputs : int
        Logits of the network.
    """
    import torch

    from sneaker_core.networks.architectures import build_network

    with torch.device("meta"):  # counted, not made
        network = build_network(recipe.network, outputs, recipe.head_kind)
    weights = _FLOAT * sum(value.numel() for value in network.parameters())
    pixels = photos * recipe.size**2 * _BYTES_A_PIXEL
    return round(pixels + weights * (_COPIES_HEAD_ALONE if recipe.trainable == "head" else _COPIES))


def check_space(folder: Path, needed: int) -> None:
    """Whether there is room for so many bytes where a folder is, or will be.

    Raises
    ------
    SpaceError
        There is not; the message says how much is needed, how much is free, and where.
    """
    there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise SpaceError(
            f"This training needs about {_gigabytes(needed)} of the disk at {folder}, where {_gigabytes(free)} are "
            "free; make room, or choose fewer photos, a smaller size or a smaller network."
        )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.0f} MB"


def resume_training(workspace: Path, name: str) -> Path:
    """Go on with a run that stopped, failed or was lost; one that never began starts anew with the same settings.

    Returns
    -------
    Path
        The run's folder.

    Raises
    ------
    RunError
        There is no such run, it is at work or done, or it is too damaged to go on.
    """
    run = run_at_rest(workspace, name)
    if run.is_done:
        raise RunError(f"The run {name!r} is done already; its model is ready to use.")
    arguments = _again(workspace, run)
    start_job_in(run_job_folder(run.folder), f"Training {name}", arguments, queue_folder(workspace))
    return run.folder


def _again(workspace: Path, run: Run) -> list[str]:
    if run.recipe and run.source:
        # The recipe itself is the run's own; its name is only asked for.
        recipe_name = run.recipe_name or "finetune"
        return _arguments(workspace, run.source, recipe_name, run.name, (), run.only, run.others, resume=True)
    if run.job is None or run.is_damaged or "train" not in run.job.arguments:
        raise RunError(f"Nothing is left of the run {run.name!r} to go on with; delete it and start a new one.")
    # The workspace may have been moved, and the run been renamed, since it was started; a shell may have left out both.
    before = run.job.arguments[run.job.arguments.index("train") :]
    words = [run.name if option == "--run" else word for option, word in zip(("", *before), before, strict=False)]
    queued = [] if "--queue" in words else ["--queue"]
    return ["--workspace", str(workspace.absolute()), words[0], *queued, *words[1:]]


def stop_training(workspace: Path, name: str) -> None:
    """Ask a run to stop; it ends after the present step and keeps the best it has, or leaves the queue.

    Raises
    ------
    RunError
        There is no such run, or it is not at work.
    """
    run = find_run(workspace, name)
    if run.state.ended:
        raise RunError(f"The run {name!r} is not at work, so there is nothing to stop.")
    stop_job(run_job_folder(run.folder))
