"""Hyperparameter searches in the background: each is a job of kind "search"."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sneaker_core.training.hyperparameter_search import run_search
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.search_log import trial_text
from sneaker_core.training.study_collection import find_study, find_study_by_id
from sneaker_core.training.study_setup import open_study
from sneaker_core.workspace.jobs import Worker, start_job
from sneaker_core.workspace.paths import run_job_folder


def start_study(workspace: Path, dataset: str | Path, name: str, recipe: Recipe | None = None, **choices: Any) -> Path:
    """Start a search in the background, or resume one; it waits in the queue until earlier work has ended.

    Parameters
    ----------
    workspace, dataset, name, recipe, **choices
        As for `hyperparameter_search.run_search`, without worker and report.

    Returns
    -------
    Path
        The study's folder.

    Raises
    ------
    DatasetError, RecipeError, RunError
        As for `hyperparameter_search.run_search`.
    BusyError
        It is running already.
    """
    trials, minutes = choices.pop("trials", None), choices.get("minutes")
    study = open_study(workspace, dataset, name, recipe, **choices)
    return resume_study(workspace, study.name, trials=trials, minutes=minutes)


def resume_study(workspace: Path, name: str, *, trials: int | None = None, minutes: float | None = None) -> Path:
    """Resume a study in the background with its own settings.

    Parameters
    ----------
    workspace : Path
    name : str
        Name of the study.
    trials, minutes
        As for `search_params`.

    Returns
    -------
    Path
        The study's folder.

    Raises
    ------
    RunError
        There is no such study.
    BusyError
        It is running already.
    """
    study = find_study(workspace, name)
    params = search_params(study.folder.name, trials, minutes)
    title = f"Searching {name}"
    start_job(run_job_folder(study.folder), "search", params, title=title, workspace=workspace, queue=True)
    return study.folder


def search_params(study: str, trials: int | None = None, minutes: float | None = None) -> dict[str, Any]:
    """The params of a "search" job: the limits of this process; the study holds everything else.

    Parameters
    ----------
    study : str
        The study's id.
    trials : int, optional
        The job ends after this many trials.
    minutes : float, optional
        Time budget of the job; by default the study's own.
    """
    return {"study": study, "trials": trials, "minutes": minutes}


def run_search_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Search for the best recipe; params: as `search_params` returns them."""
    from sneaker_core.datasets.dataset_collection import source_folder

    study = find_study_by_id(workspace, params["study"])

    def report(event: str, values: dict[str, Any]) -> None:
        if event == "trial":
            worker.log(trial_text(values))

    found = run_search(
        workspace,
        source_folder(workspace, study.source),
        study.name,
        minutes=params.get("minutes"),
        trials=params.get("trials"),
        worker=worker,
        report=report,
    )
    worker.result = {"best": found.best}
