"""The runs of a workspace, read from their folders: listed, renamed, annotated, deleted and restored.

::

    <workspace>/runs/<id>/        see `train_model`; about.json holds the display name and the note
    <workspace>/bin/runs/<id>/    a deleted run
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from msgspec import to_builtins

from sneaker_core.errors import DamagedError, RunError, SneakerError
from sneaker_core.networks.bundled_models import REPLACED_MODELS
from sneaker_core.records.job_params import TrainParams
from sneaker_core.records.model_records import InstalledRecord
from sneaker_core.records.reading import find_record, fitting, read_values
from sneaker_core.records.training_records import RunFile
from sneaker_core.training.recipe_fields import current_fields
from sneaker_core.training.run_metrics import HEADLINE, read_headline
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import (
    ABOUT_FILE,
    CollectionSpec,
    read_about,
    read_name,
    update_about,
    write_name,
)
from sneaker_core.workspace.jobs import Job, JobState, read_job
from sneaker_core.workspace.paths import (
    BUNDLED_MODELS,
    MODEL_FILE,
    PREDICTIONS_FILE,
    RUN_FILE,
    run_job_folder,
    run_model_folder,
)
from sneaker_core.workspace.references import by_name, text_of

CARD_FILE = "MODEL_CARD.md"
_LONGEST_NOTE = 10_000


@dataclass(frozen=True)
class Run:
    """A training run as its folder describes it.

    Attributes
    ----------
    name : str
        Display name, which is also that of its model.
    folder : Path
    dataset : str
        Display name of the dataset.
    source : str
        A reference to a dataset or a folder of photos, for `dataset_collection.source_folder`.
    only : tuple of str
        Classes to use; empty for all.
    negatives : str or None
        Folder of photos that show no sneaker.
    recipe_name : str
    recipe : dict
        Empty until the process has started.
    state : JobState
    created : float
        Seconds since 1970.
    seconds : float
        Training time so far.
    counts : dict of str to int
        Photos by split; empty until they have been read.
    error : str or None
        Why it failed, in one sentence.
    note : str
        The user's note.
    job : Job or None
        Its job; None if there is none.
    headline : dict of str to float
        Key metrics of the finished model on its test photos: n, top1, top3, ece.
    has_model : bool
        Whether the model can be used.
    taught_from : str or None
        For a model that was taught by example, without a training: the model that it is a copy of.
    installed : InstalledRecord or None
        For a model that was installed from a file: where it comes from.
    is_damaged : bool
        Whether a record of it can't be read; `error` says which, and what is wrong.
    """

    name: str
    folder: Path
    dataset: str
    source: str
    only: tuple[str, ...]
    negatives: str | None
    recipe_name: str
    recipe: dict[str, Any]
    state: JobState
    created: float
    seconds: float
    counts: dict[str, int]
    error: str | None
    note: str
    job: Job | None
    headline: dict[str, float]
    has_model: bool
    taught_from: str | None
    installed: InstalledRecord | None
    is_damaged: bool

    @property
    def id(self) -> str:
        """The name of its folder, which never changes."""
        return self.folder.name

    @property
    def is_retrained(self) -> bool:
        """Whether it is a copy of a model that was retrained with corrections, rather than taught by example."""
        return bool(self.taught_from and self.dataset)

    @property
    def is_done(self) -> bool:
        """Whether the training is complete."""
        return self.state is JobState.DONE

    @property
    def was_trained(self) -> bool:
        """Whether there is a training behind it: it was not taught by example, corrected or installed."""
        return not self.taught_from and self.installed is None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        fields = (
            "id", "name", "dataset", "recipe_name", "recipe", "created", "seconds", "counts", "error", "note",
            "has_model", "taught_from", "is_retrained",
        )  # fmt: skip
        return {
            **{key: getattr(self, key) for key in fields},
            "installed": to_builtins(self.installed),
            "folder": str(self.folder),
            "state": self.state.value,
            "problem": self.error if self.is_damaged else None,
            **{key: self.headline.get(key) for key in HEADLINE},
        }


def runs_of(workspace: Path) -> Collection[Run]:
    """The runs of a workspace as a collection."""
    return Collection(workspace, _SPEC)


def list_runs(workspace: Path) -> list[Run]:
    """All runs, newest first; a damaged one is listed as failed, and folders without a run are skipped."""
    return runs_of(workspace).list()


def find_run(workspace: Path, name: str) -> Run:
    """The run with a display name, which is never used as a path, so untrusted names are safe.

    Raises
    ------
    RunError
        There is none; the message lists those that exist.
    """
    return runs_of(workspace).find(name)


def find_run_by_id(workspace: Path, run: str) -> Run:
    """The run that a record refers to by its id.

    Raises
    ------
    RunError
        There is none.
    """
    return runs_of(workspace).find_by_id(run)


def read_run(folder: Path) -> Run:
    """Read a run.

    Raises
    ------
    RunError
        There is no run in that folder.
    """
    file = folder / RUN_FILE
    run, damage = _read_or_damage(lambda: find_record(file, RunFile))
    job, job_damage = _read_or_damage(lambda: read_job(run_job_folder(folder)))
    headline, model_damage = _read_or_damage(lambda: read_headline(folder))
    if not file.exists() and job is None and headline is None and not (job_damage or model_damage):
        raise RunError(f"There is no run in {folder}. Delete it and start a new one.")
    damage = damage or model_damage or (job_damage if run is None else None)
    run = run or RunFile()
    state, error = _state(run, job, _changed(file), headline is not None)
    if damage and state.ended:
        state, error = JobState.FAILED, f"{damage} Delete the run and start a new one."
    params = fitting(job.params, TrainParams) if job is not None and job.kind == "train" else None
    # The data of an installed model has only a name.
    source = run.source or ("" if run.installed else run.dataset)
    if run.format != 2:
        source = by_name(source)
    source = source or (params.dataset if params else "")
    return Run(
        name=read_name(folder),
        folder=folder,
        dataset=run.dataset or text_of(source),
        source=source,
        only=tuple(run.only),
        negatives=run.negatives or None,
        recipe_name=run.recipe_name or (_preset_in(params) if params else ""),
        recipe=current_fields(run.recipe),
        state=state,
        created=run.created or (job.started if job else _changed(run_model_folder(folder) / MODEL_FILE)),
        seconds=run.seconds,
        counts=run.counts,
        error=error,
        note=read_about(folder).note or "",
        job=job,
        headline=headline or {},
        has_model=headline is not None,
        taught_from=run.taught_from or None,
        installed=run.installed,
        is_damaged=damage is not None,
    )


T = TypeVar("T")


def _read_or_damage(read: Callable[[], T]) -> tuple[T | None, str | None]:
    """What a function reads, and what is wrong if it is damaged."""
    try:
        return read(), None
    except DamagedError as error:
        return None, str(error)
    except SneakerError:
        return None, None


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _preset_in(params: TrainParams) -> str:
    """The preset of the recipe that a job was started with."""
    return str(params.recipe.get("name") or params.recipe_name)


def _state(run: RunFile, job: Job | None, changed: float, has_model: bool) -> tuple[JobState, str | None]:
    """State of a run, and why it failed.

    While its job is alive, the job's state counts; later the run's own file, unless the job ended before writing it.
    """
    if job is not None and not job.state.ended:
        return job.state, None
    kept = next((state for state in JobState if state.value == run.state), None)
    error = run.error or None
    if job is not None and kept is not JobState.DONE:
        never_began = job.state is JobState.FAILED and changed < job.started
        broke_off = kept is JobState.RUNNING and job.state in (JobState.FAILED, JobState.STOPPED)
        if kept is None or never_began or broke_off:
            return job.state, job.error or error
    if kept is None:
        return (JobState.DONE if has_model else JobState.INTERRUPTED), error
    return (kept if kept.ended else JobState.INTERRUPTED), error


def check_run_name(workspace: Path, name: str) -> None:
    """Check that a new run can have a name.

    Raises
    ------
    RunError
        It can't be used as a folder name on every system, or a run or a bundled model has it.
    """
    runs_of(workspace).check_name(name)


def open_run_folder(workspace: Path, name: str) -> Path:
    """The folder of the run with a display name; created if there is none.

    Raises
    ------
    RunError
        A new run can't have that name.
    """
    return runs_of(workspace).open_folder(name)


def run_at_rest(workspace: Path, name: str) -> Run:
    """The run with a display name, if its job has ended.

    Raises
    ------
    RunError
        There is none, or it is running.
    """
    run = find_run(workspace, name)
    if not run.state.ended:
        raise RunError(f"The run {name!r} is running. Wait until it has ended, or stop it.")
    return run


def rename_run(workspace: Path, run: Run | str, new: str) -> Run:
    """Change the display name of a run and its model.

    Raises
    ------
    RunError
        There is no such run, or it can't have that name.
    """
    return runs_of(workspace).rename(run, new)


def _write_name(folder: Path, name: str) -> None:
    """Store the display name of a run and of its model."""
    write_name(folder, name)
    file = run_model_folder(folder) / MODEL_FILE
    with contextlib.suppress(DamagedError):  # a model that is missing or damaged has no name to change
        values = read_values(file)
        if isinstance(values, dict) and values.get("name") != name:
            write_json(file, {**values, "name": name}, indent=1)


def write_note(workspace: Path, name: str, note: str) -> None:
    """Store the user's note on a run; an empty text deletes it.

    Raises
    ------
    RunError
        There is no such run, or the note is too long.
    """
    if len(note) > _LONGEST_NOTE:
        raise RunError(f"A note has at most {_LONGEST_NOTE:,} characters; this one has {len(note):,}.")
    folder = find_run(workspace, name).folder
    try:
        update_about(folder, note=note.strip())
    except OSError as error:
        raise RunError(f"Can't write to {folder}: {error.strerror}.") from error


def delete_run(workspace: Path, run: Run | str) -> Path:
    """Move a run to the bin; `restore_run` restores it.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    RunError
        There is no such run, or it is running.
    """
    return runs_of(workspace).delete(run)


def restore_run(workspace: Path, run: Run | str) -> Run:
    """Restore the most recently deleted run with a display name, under a free name if its own is now taken.

    Raises
    ------
    RunError
        There is no such run in the bin.
    """
    return runs_of(workspace).restore(run)


def _holds_run(folder: Path) -> bool:
    files = (RUN_FILE, ABOUT_FILE, "job/job.json", f"model/{MODEL_FILE}", PREDICTIONS_FILE)
    return any((folder / file).exists() for file in files)


def _bundled_names(workspace: Path) -> dict[str, str]:
    folders = BUNDLED_MODELS.iterdir() if BUNDLED_MODELS.is_dir() else ()
    names = [*REPLACED_MODELS, *(folder.name for folder in folders if folder.is_dir())]
    return dict.fromkeys(names, "a model that comes with SoleScope")


_SPEC = CollectionSpec[Run](
    kind="runs",
    noun="run",
    plural="runs",
    error=RunError,
    holds_item=_holds_run,
    read=read_run,
    is_busy=lambda run: not run.state.ended,
    order=lambda run: (-run.created, run.name),
    write_name=_write_name,
    reserved=_bundled_names,
)
