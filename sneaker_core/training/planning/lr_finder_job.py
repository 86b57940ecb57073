"""Learning-rate finder in the background: a job of kind "find_lr".

::

    <workspace>/rates/<job>/
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sneaker_core.training.recipe import Recipe
from sneaker_core.training.training_jobs import recipe_in, source_of, training_params
from sneaker_core.workspace.jobs import Job, Worker, list_jobs, new_job_folder, start_job
from sneaker_core.workspace.paths import lr_finder_folder, path_from_text


def lr_finder_params(
    workspace: Path,
    dataset: str,
    recipe: Recipe,
    only: Iterable[str] = (),
    negatives: Path | None = None,
) -> dict[str, Any]:
    """The params of a "find_lr" job; the same settings and photos give the same params.

    Parameters
    ----------
    workspace : Path
    dataset : str
        Name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
        Its learning rate is ignored.
    only, negatives
        As for `start_training`.

    Raises
    ------
    DatasetError
        There is no such dataset or folder.
    """
    source, _ = source_of(workspace, dataset)
    params = training_params(workspace, "", source, recipe.to_dict(), only, negatives)
    del params["run"], params["recipe"]["learning_rate"]
    return params


def start_lr_finder(workspace: Path, params: Mapping[str, Any]) -> Path:
    """Start the learning-rate finder.

    Parameters
    ----------
    workspace : Path
    params : mapping
        From `lr_finder_params`.

    Returns
    -------
    Path
        The job's folder.
    """
    folder = new_job_folder(lr_finder_folder(workspace))
    return start_job(folder, "find_lr", params, title="Finding a learning rate", workspace=workspace)


def newest_lr_finder_job(workspace: Path, params: Mapping[str, Any]) -> Job | None:
    """The latest finder job with exactly these params; None if there is none."""
    wanted = {"steps": None, **params}
    jobs = list_jobs(lr_finder_folder(workspace))
    return next((job for job in jobs if job.kind == "find_lr" and {"steps": None, **job.params} == wanted), None)


def run_lr_finder_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Find a learning rate; params: as `lr_finder_params` returns them, and steps."""
    from sneaker_core.datasets.dataset_collection import source_folder
    from sneaker_core.training.planning.lr_finder import find_learning_rate

    negatives = params.get("negatives")
    more = {} if params.get("steps") is None else {"steps": int(params["steps"])}
    search = find_learning_rate(
        str(source_folder(workspace, params["dataset"])),
        recipe_in(params),
        workspace,
        worker,
        tuple(params.get("classes", ())),
        None if negatives is None else path_from_text(workspace, negatives),
        **more,
    )
    worker.result = search.to_dict()
    worker.log(f"Suggested learning rate: {search.suggestion}")
