"""The studies of a workspace: read, renamed, deleted and restored. A study is a hyperparameter search and its trials.

::

    <workspace>/studies/<id>/
      study.json       settings of the search; written once
      study.sqlite     the trials, in Optuna's storage; several processes may work on it
      lock             held while a process creates these two
      job/             its job; job-*/ the jobs of processes that joined it
      about.json       its display name
    <workspace>/bin/studies/<id>/    a deleted study
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.errors import DamagedError, RecipeError, RunError, SneakerError
from sneaker_core.records.reading import damaged, read_record
from sneaker_core.records.training_records import StudyFile
from sneaker_core.training.recipe_fields import augmentation_strength, current_fields
from sneaker_core.training.study_trials import (
    _COLUMNS,
    _WORDS,
    TRIALS_FILE,
    _rows,
    _table,
    plain,
)
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import ABOUT_FILE, CollectionSpec, read_name
from sneaker_core.workspace.jobs import Job, JobState, read_job, stop_job
from sneaker_core.workspace.paths import run_job_folder
from sneaker_core.workspace.references import by_name

if TYPE_CHECKING:
    import pandas as pd

STUDY_FILE = "study.json"


@dataclass(frozen=True)
class Study:
    """A study (hyperparameter search) as its folder describes it.

    Attributes
    ----------
    name : str
        Display name.
    folder : Path
    dataset : str
        Its shown name.
    source : str
        A reference to a dataset or a folder of photos, for `dataset_collection.source_folder`.
    recipe : dict
        Values of the base recipe; empty if the study is damaged.
    fixed : tuple of str
        Settings that are not searched.
    networks : tuple of str
        Architectures to choose from; empty for the recipe's own.
    only : tuple of str
        Classes to use; empty for all.
    negatives : str or None
        Folder of photos that show no sneaker.
    minutes : float
        Time budget of each process.
    trial_epochs, trial_size : int or None
        Epochs and photo size of a trial; None for the defaults.
    created : float
        Seconds since 1970.
    state : JobState
    error : str or None
        Why it failed, in one sentence.
    problem : str or None
        What is wrong if a record of it is damaged.
    jobs : tuple of Job
        Jobs of the processes that worked on it, the latest first.
    trials : DataFrame
        By number: number, state ("complete", "pruned", "failed" or "running"), val_top1 (after the last epoch), epochs,
        seconds, note (why it ended early) and a column for each value that is searched.
    """

    name: str
    folder: Path
    dataset: str
    source: str
    recipe: dict[str, Any]
    fixed: tuple[str, ...]
    networks: tuple[str, ...]
    only: tuple[str, ...]
    negatives: str | None
    minutes: float
    trial_epochs: int | None
    trial_size: int | None
    created: float
    state: JobState
    error: str | None
    problem: str | None
    jobs: tuple[Job, ...]
    trials: "pd.DataFrame"

    @property
    def id(self) -> str:
        """The name of its folder, which never changes."""
        return self.folder.name

    @property
    def recipe_name(self) -> str:
        """Preset of the base recipe; empty if unknown."""
        return str(self.recipe.get("name", ""))

    @property
    def changes(self) -> dict[str, Any]:
        """Fixed settings and their values."""
        values = {**self.recipe, "augmentation": augmentation_strength(self.recipe)}
        return {name: values.get(name) for name in self.fixed}

    @property
    def searched(self) -> tuple[str, ...]:
        """Settings in which the trials differ."""
        return tuple(column for column in self.trials.columns if column not in _COLUMNS)

    @property
    def best(self) -> dict[str, Any] | None:
        """The complete trial with the highest validation accuracy, the first if tied; None if none is complete."""
        complete = self.trials[(self.trials["state"] == "complete") & self.trials["val_top1"].notna()]
        if complete.empty:
            return None
        return plain(complete.iloc[int(complete["val_top1"].astype(float).to_numpy().argmax())])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        fields = ("id", "name", "dataset", "recipe_name", "changes", "minutes", "created", "error", "problem", "best")
        counts = self.trials["state"].value_counts()
        return {
            **{key: getattr(self, key) for key in fields},
            "folder": str(self.folder),
            "state": self.state.value,
            "trials": {word: int(counts.get(word, 0)) for word in _WORDS.values()},
        }


def studies_of(workspace: Path) -> Collection[Study]:
    """The studies of a workspace as a collection."""
    return Collection(workspace, _SPEC)


def list_studies(workspace: Path) -> list[Study]:
    """All studies, newest first; a damaged one is listed as failed."""
    return studies_of(workspace).list()


def find_study(workspace: Path, name: str) -> Study:
    """The study with a display name, which is never used as a path, so untrusted names are safe.

    Raises
    ------
    RunError
        There is none; the message lists those that exist.
    """
    return studies_of(workspace).find(name)


def find_study_by_id(workspace: Path, study: str) -> Study:
    """The study that a record refers to by its id.

    Raises
    ------
    RunError
        There is none.
    """
    return studies_of(workspace).find_by_id(study)


def open_study_folder(workspace: Path, name: str) -> Path:
    """The folder of the study with a display name; created if there is none.

    Raises
    ------
    RunError
        A new study can't have that name.
    """
    return studies_of(workspace).open_folder(name)


def read_study(folder: Path) -> Study:
    """Read a study, which may be running; nothing is written.

    Raises
    ------
    RunError
        There is no study in that folder.
    """
    file = folder / STUDY_FILE
    if not file.exists():
        raise RunError(f"There is no study in {folder}. Delete it and start a new one.")
    jobs, problem = _jobs(folder), None
    try:
        settings = _settings(read_record(file, StudyFile))
    except (DamagedError, RecipeError) as damage:
        settings = _settings(StudyFile(dataset="", source="", recipe={}, created=max(file.stat().st_mtime, 0.0)))
        problem = str(damage) if isinstance(damage, DamagedError) else str(damaged(file, str(damage).rstrip(".")))
    try:
        trials = _table(folder / TRIALS_FILE, all_ended=bool(jobs) and all(job.state.ended for job in jobs))
    except RunError as damage:
        trials, problem = _rows([]), problem or str(damage)
    state = JobState.FAILED if problem else _state(jobs, trials)
    error = problem or (jobs[0].error if state is JobState.FAILED else None)
    return Study(
        read_name(folder), folder, **settings, state=state, error=error, problem=problem, jobs=jobs, trials=trials
    )


def _settings(record: StudyFile) -> dict[str, Any]:
    recipe, fixed = _base_recipe(record)
    return {
        "dataset": record.dataset,
        "source": record.source if record.format >= 2 else by_name(record.source),
        "recipe": recipe,
        "fixed": fixed,
        "networks": tuple(record.networks),
        "only": tuple(record.only),
        "negatives": record.negatives,
        "minutes": record.minutes,
        "trial_epochs": record.trial_epochs,
        "trial_size": record.trial_size,
        "created": record.created,
    }


def _base_recipe(record: StudyFile) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The base recipe and the fixed settings; old records hold a preset and the settings that differ from it."""
    if record.recipe is not None:
        return current_fields(record.recipe), tuple(record.fixed)
    # Imported only for old studies: it loads torch.
    from sneaker_core.training.recipe import former_recipe

    changes = current_fields(record.changes)
    return former_recipe(record.recipe_name, changes).to_dict(), tuple(sorted(changes))


def _jobs(folder: Path) -> tuple[Job, ...]:
    jobs = []
    for place in (run_job_folder(folder), *folder.glob("job-*")):
        with contextlib.suppress(SneakerError):
            jobs.append(read_job(place))
    return tuple(sorted(jobs, key=lambda job: -job.started))


def _state(jobs: tuple[Job, ...], trials: "pd.DataFrame") -> JobState:
    """State of a study: that of a running process if there is one, or else of the latest."""
    states = [job.state for job in jobs]
    for living in (JobState.RUNNING, JobState.STOPPING, JobState.QUEUED):
        if living in states:
            return living
    if states:
        return states[0]
    return JobState.RUNNING if (trials["state"] == "running").any() else JobState.DONE


def stop_study(study: Study) -> None:
    """Ask every process of a study to stop; each ends at its next step."""
    for job in study.jobs:
        if not job.state.ended:
            stop_job(job.folder)


def rename_study(workspace: Path, study: Study | str, new: str) -> Study:
    """Change the display name of a study.

    Raises
    ------
    RunError
        There is no such study, or it can't have that name.
    """
    return studies_of(workspace).rename(study, new)


def delete_study(workspace: Path, study: Study | str) -> Path:
    """Move a study to the bin; `restore_study` restores it.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    RunError
        There is no such study, or it is running.
    """
    return studies_of(workspace).delete(study)


def restore_study(workspace: Path, study: Study | str) -> Study:
    """Restore the most recently deleted study with a display name, under a free name if its own is now taken.

    Raises
    ------
    RunError
        There is no such study in the bin.
    """
    return studies_of(workspace).restore(study)


_SPEC = CollectionSpec[Study](
    kind="studies",
    noun="study",
    plural="studies",
    error=RunError,
    holds_item=lambda folder: any((folder / file).exists() for file in (STUDY_FILE, ABOUT_FILE)),
    read=read_study,
    is_busy=lambda study: any(not job.state.ended for job in study.jobs),
    order=lambda study: (-study.created, study.name),
)
