"""The studies of a workspace: read, renamed, deleted and restored. A study is a hyperparameter search and its trials.

::

    <workspace>/studies/<id>/
      study.json       what is searched; written once
      study.sqlite     the trials, in Optuna's storage; several processes may work on it
      lock             held while a process creates these two
      job/             the job of its process; job-*/ those of processes that joined it
      about.json       its display name
    <workspace>/bin/studies/<id>/    a deleted study
"""

import contextlib
import json
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.errors import RecipeError, RunError, SneakerError
from sneaker_core.training.recipe_fields import augmentation_strength, current_fields
from sneaker_core.workspace.collection import ABOUT_FILE, Collection, CollectionSpec, read_name
from sneaker_core.workspace.jobs import Job, JobState, read_job, stop_job
from sneaker_core.workspace.paths import run_job_folder
from sneaker_core.workspace.references import by_name

if TYPE_CHECKING:
    import optuna
    import pandas as pd

STUDY_FILE = "study.json"
TRIALS_FILE = "study.sqlite"
# The name of the one study that a storage holds.
STORED_NAME = "study"
_COLUMNS = ("number", "state", "val_top1", "epochs", "seconds", "note")
_WORDS = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running"}
# Seconds that a process waits for another one that writes.
_PATIENCE = 60.0
# Every so many seconds a process tells that it still works on its trial; silent for so many, it is taken for dead.
_BEAT, _DEAD_AFTER = 20, 120


@dataclass(frozen=True)
class Study:
    """A search for the best recipe, as its folder tells it.

    Attributes
    ----------
    name : str
        Its display name.
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
    jobs : tuple of Job
        Of the processes that worked on it, the latest first.
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
    jobs: tuple[Job, ...]
    trials: "pd.DataFrame"

    @property
    def id(self) -> str:
        """The name of its folder: the same for life."""
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
        """The complete trial that was right most often, of several the first; None where none is complete."""
        complete = self.trials[self.trials["state"] == "complete"]
        if complete.empty:
            return None
        return plain(complete.iloc[int(complete["val_top1"].astype(float).to_numpy().argmax())])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        told = ("id", "name", "dataset", "recipe_name", "changes", "minutes", "created", "error", "best")
        counts = self.trials["state"].value_counts()
        return {
            **{key: getattr(self, key) for key in told},
            "folder": str(self.folder),
            "state": self.state.value,
            "trials": {word: int(counts.get(word, 0)) for word in _WORDS.values()},
        }


def plain(row: "pd.Series") -> dict[str, Any]:
    """A row of the table of trials for JSON, without what it has no value for."""
    values = row.dropna().to_dict()
    return {str(key): value.item() if hasattr(value, "item") else value for key, value in values.items()}


def studies_of(workspace: Path) -> Collection[Study]:
    """The studies of a workspace as a collection."""
    return Collection(workspace, _SPEC)


def list_studies(workspace: Path) -> list[Study]:
    """All studies, newest first; a damaged one is listed as failed."""
    return studies_of(workspace).list()


def find_study(workspace: Path, name: str) -> Study:
    """The study with a display name; never a path, so safe for names from outside.

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
    """What is known of a study; nothing is written, and it may be at work.

    Raises
    ------
    RunError
        There is no study in that folder.
    """
    file = folder / STUDY_FILE
    if not file.exists():
        raise RunError(f"There is no study in {folder}.")
    jobs, error = _jobs(folder), None
    try:
        settings = _settings(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecipeError):
        settings = _settings({"dataset": "", "source": "", "recipe": {}, "created": file.stat().st_mtime})
        error = f"{file} is damaged and cannot be read."
    try:
        trials = _table(folder / TRIALS_FILE, all_ended=bool(jobs) and all(job.state.ended for job in jobs))
    except RunError as damage:
        trials, error = _rows([]), error or str(damage)
    state = JobState.FAILED if error else _state(jobs, trials)
    if not error and state is JobState.FAILED:
        error = jobs[0].error
    return Study(read_name(folder), folder, **settings, state=state, error=error, jobs=jobs, trials=trials)


def _settings(values: Mapping[str, Any]) -> dict[str, Any]:
    epochs, size = (values.get(key) for key in ("trial_epochs", "trial_size"))
    negatives = values.get("negatives", values.get("others"))
    recipe, fixed = _base_recipe(values)
    return {
        "dataset": str(values["dataset"]),
        "source": _source(values),
        "recipe": recipe,
        "fixed": fixed,
        "networks": tuple(map(str, values.get("networks", ()))),
        "only": tuple(map(str, values.get("only", ()))),
        "negatives": None if negatives is None else str(negatives),
        "minutes": float(values.get("minutes", 0)),
        "trial_epochs": None if epochs is None else int(epochs),
        "trial_size": None if size is None else int(size),
        "created": float(values["created"]),
    }


def _source(values: Mapping[str, Any]) -> str:
    source = str(values["source"])
    return source if values.get("format", 1) >= 2 else by_name(source)


def _base_recipe(values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The base recipe and the fixed settings; old records hold a preset and the settings that differ from it."""
    if "recipe" in values:
        return current_fields(values["recipe"]), tuple(map(str, values.get("fixed", ())))
    # Imported only for old studies: it loads torch.
    from sneaker_core.training.recipe import make_recipe

    changes = current_fields(values.get("changes", {}))
    return make_recipe(str(values["recipe_name"]), changes).to_dict(), tuple(sorted(changes))


def _jobs(folder: Path) -> tuple[Job, ...]:
    jobs = []
    for place in (run_job_folder(folder), *folder.glob("job-*")):
        with contextlib.suppress(SneakerError, TypeError, ValueError):
            jobs.append(read_job(place))
    return tuple(sorted(jobs, key=lambda job: -job.started))


def _state(jobs: tuple[Job, ...], trials: "pd.DataFrame") -> JobState:
    """Where a study stands: with the liveliest of its processes, else with the latest."""
    states = [job.state for job in jobs]
    for living in (JobState.RUNNING, JobState.STOPPING, JobState.QUEUED):
        if living in states:
            return living
    if states:
        return states[0]
    return JobState.RUNNING if (trials["state"] == "running").any() else JobState.DONE


def _table(file: Path, all_ended: bool) -> "pd.DataFrame":
    """The trials; those of processes that are known to have ended are no longer running."""
    if not file.exists():
        return _rows([])
    import optuna

    with storage(file, writable=False) as opened:
        try:
            study = optuna.load_study(study_name=STORED_NAME, storage=opened)
        except KeyError:  # it is being made at this very moment
            return _rows([])
        table = _rows(study.get_trials(deepcopy=False))
    if all_ended:
        lost = table["state"] == "running"
        table.loc[lost, ["state", "note"]] = ["failed", "Its process has ended."]
    return table


def _rows(trials: "list[optuna.trial.FrozenTrial]") -> "pd.DataFrame":
    import pandas as pd

    rows = [trial_row(trial) for trial in trials if trial.state.name in _WORDS]
    searched = sorted({key for row in rows for key in row} - set(_COLUMNS))
    return pd.DataFrame(rows, columns=[*_COLUMNS, *searched])


def trial_row(trial: "optuna.trial.FrozenTrial") -> dict[str, Any]:
    """A trial as a row of the table."""
    told, seconds = trial.intermediate_values, None
    if trial.datetime_start and trial.datetime_complete:
        seconds = (trial.datetime_complete - trial.datetime_start).total_seconds()
    return {
        "number": trial.number,
        "state": _WORDS[trial.state.name],
        "val_top1": told[max(told)] if told else None,
        "epochs": max(told, default=0),
        "seconds": seconds,
        "note": trial.user_attrs.get("note", ""),
        **current_fields(trial.params),
    }


@contextlib.contextmanager
def storage(file: Path, *, writable: bool) -> "Iterator[optuna.storages.RDBStorage]":
    """Optuna's storage in one SQLite file, closed at the end; made where it is missing and `writable`.

    Raises
    ------
    RunError
        It cannot be read or written, at the start or while the body works with it.
    """
    import optuna
    import sqlalchemy

    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    # By a connection of our own: in a URL of sqlalchemy a name of a folder may not hold every sign.
    where = f"{file.resolve().as_uri()}?mode={'rwc' if writable else 'rw'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(where, timeout=_PATIENCE, check_same_thread=False, uri=True)

    opened = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            opened = optuna.storages.RDBStorage(
                "sqlite://",
                engine_kwargs={"creator": connect, "poolclass": sqlalchemy.pool.NullPool},
                skip_compatibility_check=not writable,
                skip_table_creation=not writable,
                heartbeat_interval=_BEAT,
                grace_period=_DEAD_AFTER,
            )
        yield opened
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and opened is not None:
            raise  # of the body; while opening, it says that another version of Optuna wrote the file
        raise RunError(
            f"The trials in {file} cannot be read or written; free the disk or the file, or start a new study."
        ) from error
    finally:
        if opened is not None:
            opened.remove_session()
            opened.engine.dispose()


def stop_study(study: Study) -> None:
    """Ask every process of a study to stop; each ends at its next step."""
    for job in study.jobs:
        if not job.state.ended:
            stop_job(job.folder)


def rename_study(workspace: Path, study: Study | str, new: str) -> Study:
    """Give a study another display name.

    Raises
    ------
    RunError
        There is no such study, or it can't have that name.
    """
    return studies_of(workspace).rename(study, new)


def delete_study(workspace: Path, study: Study | str) -> Path:
    """Move a study to the bin, from where `restore_study` brings it back.

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


def deleted_studies(workspace: Path) -> list[Study]:
    """The studies in the bin, those deleted last first."""
    return studies_of(workspace).deleted()


def restore_study(workspace: Path, study: Study | str) -> Study:
    """Bring back a study, by its display name the one deleted last; under a free name if its own was taken.

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
