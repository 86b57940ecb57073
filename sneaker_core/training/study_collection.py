"""The studies there are: read, put in the bin and brought back. A study is a search for the best recipe.

::

    <workspace>/studies/<name>/
      study.json       what is searched, written once
      study.sqlite     the trials, in Optuna's own storage; several processes may work on it
      lock             held while a process makes these two
      job/             the job of its process; job-*/ those of processes that joined it
    <workspace>/bin/studies/<when>/<name>/     a deleted study
"""

import contextlib
import json
import shutil
import sqlite3
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.datasets.safe_names import safe_folder_name
from sneaker_core.errors import RecipeError, RunError, SneakerError
from sneaker_core.training.recipe_fields import augmentation_strength, current_fields
from sneaker_core.workspace.jobs import Job, JobState, read_job, stop_job
from sneaker_core.workspace.paths import bin_folder, run_job_folder, studies_folder
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
        Of its folder.
    folder : Path
    dataset : str
        Its shown name.
    source : str
        The dataset's name, or the absolute path of a folder of photos.
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
        told = ("name", "dataset", "recipe_name", "changes", "minutes", "created", "error", "best")
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


def list_studies(workspace: Path) -> list[Study]:
    """All studies, the newest first; a damaged one is listed as failed."""
    return sorted(_studies(studies_folder(workspace)), key=lambda study: (-study.created, study.name))


def _studies(parent: Path) -> Iterator[Study]:
    for folder in parent.iterdir() if parent.is_dir() else ():
        if not folder.name.startswith("."):
            # One that is deleted at this very moment is no longer here.
            with contextlib.suppress(RunError):
                yield read_study(folder)


def find_study(workspace: Path, name: str) -> Study:
    """A study by its name alone: never a path, so safe for names from outside.

    Raises
    ------
    RunError
        None goes by that name; the message lists those there are.
    """
    parent = studies_folder(workspace)
    names = sorted(folder.name for folder in parent.iterdir() if folder.is_dir()) if parent.is_dir() else []
    if name in names:
        with contextlib.suppress(RunError):
            return read_study(parent / name)
    listed = ", ".join(map(repr, names)) or "none yet"
    raise RunError(f"There is no study {name[:80]!r}; there are: {listed}.")


def find_study_by_id(workspace: Path, study: str) -> Study:
    """A study by its id, the name of its folder.

    Raises
    ------
    RunError
        There is none.
    """
    return find_study(workspace, study)


def study_folder(workspace: Path, name: str) -> Path:
    """The folder of a study that there is, or of a new one.

    Raises
    ------
    RunError
        It is no name for a folder on every system, or begins with a dash.
    """
    if name.startswith("-") or safe_folder_name(name) != name:
        raise RunError(
            f"A study cannot be called {name[:80]!r}; give it 1 to 80 letters, digits, spaces, dots, dashes or "
            "underscores, beginning with a letter or a digit."
        )
    return studies_folder(workspace) / name


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
    return Study(folder.name, folder, **settings, state=state, error=error, jobs=jobs, trials=trials)


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


def delete_study(workspace: Path, name: str) -> Path:
    """Put a study in the bin, from where `restore_study` brings it back.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    RunError
        There is no such study, or it is at work.
    """
    study = find_study(workspace, name)
    if not all(job.state.ended for job in study.jobs):
        raise RunError(f"The study {name!r} is at work; wait until it has ended, or stop it.")
    target = _bin(workspace) / f"{time.time_ns():020}" / name
    _move(study.folder, target)
    return target


def _bin(workspace: Path) -> Path:
    return bin_folder(workspace) / "studies"


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
    except OSError as error:
        raise RunError(f"{source} cannot be moved to {target}: {error.strerror}.") from error


def deleted_studies(workspace: Path) -> list[Study]:
    """The studies in the bin, the one deleted last first."""
    moments = sorted(_bin(workspace).iterdir(), reverse=True) if _bin(workspace).is_dir() else []
    return [study for moment in moments for study in _studies(moment)]


def restore_study(workspace: Path, name: str) -> Study:
    """Bring back the study of that name that was deleted last; when the name was taken meanwhile, as one beside it.

    Raises
    ------
    RunError
        The bin has no such study.
    """
    study = next((study for study in deleted_studies(workspace) if study.name == name), None)
    if study is None:
        raise RunError(f"The bin holds no study {name[:80]!r}.")
    parent = studies_folder(workspace)
    taken = {folder.name.casefold() for folder in parent.iterdir()} if parent.is_dir() else set()
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name} ({number})"
    _move(study.folder, parent / free)
    with contextlib.suppress(OSError):
        study.folder.parent.rmdir()
    return read_study(parent / free)
