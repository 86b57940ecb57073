"""The runs there are: read, named, noted, put in the bin and brought back. Only their folders are looked at.

::

    <workspace>/runs/<name>/     see `training.run`
    <workspace>/bin/runs/<when>/<name>/     a deleted run
"""

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sneaker_core.datasets.safe_names import safe_folder_name
from sneaker_core.errors import RunError, SneakerError
from sneaker_core.training.recipe_fields import current_fields
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.jobs import Job, JobState, read_job
from sneaker_core.workspace.paths import (
    BUNDLED_MODELS,
    MODEL_FILE,
    RUN_FILE,
    bin_folder,
    run_job_folder,
    run_model_folder,
    runs_folder,
)
from sneaker_core.workspace.references import by_name, text_of

if TYPE_CHECKING:
    import pandas as pd

ABOUT_FILE = "about.json"
METRICS_FILE = "metrics.jsonl"
WATCH_FILE = "watch.json"
CARD_FILE = "MODEL_CARD.md"
_HEADLINE = ("n", "top1", "top3", "ece")
_METRICS = (
    "epoch", "loss", "accuracy", "learning_rate", "images_per_second", "seconds", "val_loss", "val_top1", "val_top3",
    "confusions", "favourite", "watched",
)  # fmt: skip
_LONGEST_NOTE = 10_000


@dataclass(frozen=True)
class Run:
    """A training run as its folder tells it.

    Attributes
    ----------
    name : str
        Of its folder, and of the model it makes.
    folder : Path
    dataset : str
        Its shown name.
    source : str
        The dataset's name, or the absolute path of a folder of photos.
    only : tuple of str
        Classes it was confined to; empty for all.
    others : str or None
        Folder with photos of other things.
    recipe_name : str
    recipe : dict
        Empty until the process has begun.
    state : JobState
    created : float
        Seconds since 1970.
    seconds : float
        It has trained so far.
    counts : dict of str to int
        Photos by split; empty until they are read.
    error : str or None
        Why it failed, in one sentence.
    note : str
        What people wrote about it.
    job : Job or None
        What its process tells; None where nothing is known of one.
    headline : dict of str to float
        Of the finished model on its test photos: n, top1, top3, ece.
    has_model : bool
        Whether the model can be used.
    is_damaged : bool
        Whether there is a ``run.json`` that cannot be read.
    """

    name: str
    folder: Path
    dataset: str
    source: str
    only: tuple[str, ...]
    others: str | None
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
    is_damaged: bool

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to train."""
        return self.state is JobState.DONE

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        told = (
            "name",
            "dataset",
            "recipe_name",
            "recipe",
            "created",
            "seconds",
            "counts",
            "error",
            "note",
            "has_model",
        )
        return {
            **{key: getattr(self, key) for key in told},
            "folder": str(self.folder),
            "state": self.state.value,
            **{key: self.headline.get(key) for key in _HEADLINE},
        }


@dataclass(frozen=True)
class WatchedPhoto:
    """A validation photo whose prediction is kept after each epoch, in the column "watched" of the metrics.

    Attributes
    ----------
    sample : str
    label : str
    thumbnail : Path
    """

    sample: str
    label: str
    thumbnail: Path


def list_runs(workspace: Path) -> list[Run]:
    """All runs, the newest first; a damaged one is listed as failed, and folders that hold no run are passed over."""
    return sorted(_runs(runs_folder(workspace)), key=lambda run: (-run.created, run.name))


def _runs(parent: Path) -> Iterator[Run]:
    for folder in parent.iterdir() if parent.is_dir() else ():
        if not folder.name.startswith("."):
            # One that is deleted or renamed at this very moment is no longer here.
            with contextlib.suppress(RunError):
                yield read_run(folder)


def find_run(workspace: Path, name: str) -> Run:
    """A run by its name alone: never a path, so safe for names from outside.

    Raises
    ------
    RunError
        None goes by that name; the message lists those there are.
    """
    parent = runs_folder(workspace)
    names = _names(parent)
    if name in names:
        with contextlib.suppress(RunError):
            return read_run(parent / name)
    listed = ", ".join(map(repr, names)) or "none yet"
    raise RunError(f"There is no run {name[:80]!r}; there are: {listed}.")


def find_run_by_id(workspace: Path, run: str) -> Run:
    """A run by its id, the name of its folder.

    Raises
    ------
    RunError
        There is none.
    """
    return find_run(workspace, run)


def _names(parent: Path) -> list[str]:
    return sorted(folder.name for folder in parent.iterdir() if folder.is_dir()) if parent.is_dir() else []


def read_run(folder: Path) -> Run:
    """What is known of a run.

    Raises
    ------
    RunError
        There is no run in that folder.
    """
    file, job, headline = folder / RUN_FILE, _job(folder), read_headline(folder)
    run, there = _object(file) or {}, file.exists()
    damaged = there and not run
    if not there and job is None and headline is None:
        raise RunError(f"There is no run in {folder}.")
    state, error = _state(run, job, _changed(file), headline is not None)
    if damaged and state.ended:
        state, error = JobState.FAILED, f"{file} is damaged and cannot be read; delete the run and start a new one."
    params = job.params if job is not None and job.kind == "train" else {}
    source = _text(run.get("source")) or _text(run.get("dataset"))
    if run.get("format") != 2:
        source = by_name(source)
    source = source or _text(params.get("dataset"))
    note = (_object(folder / ABOUT_FILE) or {}).get("note")
    return Run(
        name=folder.name,
        folder=folder,
        dataset=_text(run.get("dataset")) or text_of(source),
        source=source,
        only=tuple(map(str, _of(list, run.get("only")))),
        others=_text(run.get("negatives", run.get("others"))) or None,
        recipe_name=_text(run.get("recipe_name")) or _preset_in(params),
        recipe=current_fields(_of(dict, run.get("recipe"))),
        state=state,
        created=_number(run.get("created"))
        or (job.started if job else _changed(run_model_folder(folder) / MODEL_FILE)),
        seconds=_number(run.get("seconds")),
        counts={key: value for key, value in _of(dict, run.get("counts")).items() if isinstance(value, int)},
        error=error,
        note=_text(note),
        job=job,
        headline=headline or {},
        has_model=headline is not None,
        is_damaged=damaged,
    )


def _object(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _of(kind: type[Any], value: Any) -> Any:
    return value if isinstance(value, kind) else kind()


def _text(value: Any) -> str:
    return str(_of(str, value))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _job(folder: Path) -> Job | None:
    try:
        return read_job(run_job_folder(folder))
    except (SneakerError, TypeError, ValueError):
        return None


def _preset_in(params: dict[str, Any]) -> str:
    """The preset of the recipe that a job was started with."""
    return _text(_of(dict, params.get("recipe")).get("name")) or _text(params.get("recipe_name"))


def _state(run: dict[str, Any], job: Job | None, changed: float, has_model: bool) -> tuple[JobState, str | None]:
    """Where a run stands, and why it failed.

    Its job tells while it lives. Later the run's own file does, unless the job ended before it could write there.
    """
    if job is not None and not job.state.ended:
        return job.state, None
    kept = next((state for state in JobState if state.value == run.get("state")), None)
    error = _text(run.get("error")) or None
    if job is not None and kept is not JobState.DONE:
        never_began = job.state is JobState.FAILED and changed < job.started
        broke_off = kept is JobState.RUNNING and job.state in (JobState.FAILED, JobState.STOPPED)
        if kept is None or never_began or broke_off:
            return job.state, job.error or error
    if kept is None:
        return (JobState.DONE if has_model else JobState.INTERRUPTED), error
    return (kept if kept.ended else JobState.INTERRUPTED), error


def read_headline(folder: Path) -> dict[str, float] | None:
    """The key figures of a run's model on its test photos; None where the run has no sound model."""
    file = run_model_folder(folder) / MODEL_FILE
    try:
        status = file.stat()
    except OSError:
        return None
    return _headline(str(file), status.st_mtime_ns, status.st_size)


# Pages ask every two seconds for all runs; a model's description changes next to never and is long.
@lru_cache(maxsize=1000)
def _headline(file: str, changed: int, size: int) -> dict[str, float] | None:
    values = _object(Path(file))
    if values is None:
        return None
    test = _of(dict, _of(dict, values.get("metrics")).get("test"))
    return {key: test[key] for key in _HEADLINE if isinstance(test.get(key), (int, float))}


def read_metrics(folder: Path) -> "pd.DataFrame":
    """What was kept of each epoch.

    Parameters
    ----------
    folder : Path
        The run's.

    Returns
    -------
    DataFrame
        By epoch: epoch, loss, accuracy, learning_rate, images_per_second, seconds, val_loss, val_top1, val_top3,
        confusions, favourite, watched, and whatever else was kept; lines that are damaged are left out.
    """
    import pandas as pd

    rows = {row["epoch"]: row for row in _lines(folder / METRICS_FILE) if isinstance(row.get("epoch"), int)}
    table = pd.DataFrame([rows[epoch] for epoch in sorted(rows)])
    missing = [column for column in _METRICS if column not in table]
    return table.reindex(columns=[*table.columns, *missing])


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            values = json.loads(line)
            if isinstance(values, dict):
                yield values


def read_watch(folder: Path) -> list[WatchedPhoto]:
    """The validation photos that a run watches, in the order of the column "watched" of its metrics."""
    try:
        rows = json.loads((folder / WATCH_FILE).read_text(encoding="utf-8"))
        return [
            WatchedPhoto(str(row["sample"]), str(row["label"]), folder / "watch" / Path(row["thumbnail"]).name)
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def check_run_name(workspace: Path, name: str, instead_of: str | None = None) -> None:
    """Whether a new run may go by a name.

    Parameters
    ----------
    workspace : Path
    name : str
    instead_of : str, optional
        The name that its run has so far.

    Raises
    ------
    RunError
        It is no name for a folder on every system, begins with a dash, or a run or a bundled model has it.
    """
    if name.startswith("-") or safe_folder_name(name) != name:
        raise RunError(
            f"A run cannot be called {name[:80]!r}; give it 1 to 80 letters, digits, spaces, dots, dashes or "
            "underscores, beginning with a letter or a digit."
        )
    # Some systems do not tell "a" from "A".
    wanted = name.casefold()
    if any(bundled.casefold() == wanted for bundled in _names(BUNDLED_MODELS)):
        raise RunError(f"A model that comes with SoleScope is called {name!r}; choose another name.")
    if any(other.casefold() == wanted and other != instead_of for other in _names(runs_folder(workspace))):
        raise RunError(f"There is a run named {name!r} already; choose another name.")


def run_at_rest(workspace: Path, name: str) -> Run:
    """A run by its name that no process works on.

    Raises
    ------
    RunError
        None goes by that name, or it is at work.
    """
    run = find_run(workspace, name)
    if not run.state.ended:
        raise RunError(f"The run {name!r} is at work; wait until it has ended, or stop it.")
    return run


def rename_run(workspace: Path, name: str, new: str) -> Run:
    """Give a run, and the model it made, another name.

    Raises
    ------
    RunError
        There is no such run, it is at work, or it cannot have that name.
    """
    run = run_at_rest(workspace, name)
    if new == name:
        return run
    check_run_name(workspace, new, instead_of=name)
    return _moved(run.folder, run.folder.with_name(new))


def _moved(source: Path, target: Path) -> Run:
    """Move a run's folder and give its model the name of the new place."""
    if target.exists() and not target.samefile(source):  # the same where only the case of its letters changes
        raise RunError(f"There is something at {target} already; choose another name.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
    except OSError as error:
        raise RunError(f"{source} cannot be moved to {target}: {error.strerror or error}.") from error
    file = run_model_folder(target) / MODEL_FILE
    values = _object(file)
    if values is not None and values.get("name") != target.name:
        _write(file, json.dumps({**values, "name": target.name}, indent=1, ensure_ascii=False) + "\n")
    return read_run(target)


def _write(file: Path, text: str) -> None:
    try:
        write_atomically(file, text.encode(errors="replace"))
    except OSError as error:
        raise RunError(f"{file} cannot be written: {error.strerror}.") from error


def write_note(workspace: Path, name: str, note: str) -> None:
    """Keep what a person has to say about a run; an empty text takes it away.

    Raises
    ------
    RunError
        There is no such run, or the note is too long.
    """
    if len(note) > _LONGEST_NOTE:
        raise RunError(f"A note has at most {_LONGEST_NOTE:,} characters; this one has {len(note):,}.")
    file = find_run(workspace, name).folder / ABOUT_FILE
    about = {**(_object(file) or {}), "note": note.strip()}
    _write(file, json.dumps(about, ensure_ascii=False))


def delete_run(workspace: Path, name: str) -> Path:
    """Put a run in the bin, from where `restore_run` brings it back.

    Returns
    -------
    Path
        Its folder in the bin.

    Raises
    ------
    RunError
        There is no such run, or it is at work.
    """
    run = run_at_rest(workspace, name)
    return _moved(run.folder, _bin(workspace) / f"{time.time_ns():020}" / name).folder


def _bin(workspace: Path) -> Path:
    return bin_folder(workspace) / "runs"


def deleted_runs(workspace: Path) -> list[Run]:
    """The runs in the bin, the one deleted last first."""
    moments = sorted(_bin(workspace).iterdir(), reverse=True) if _bin(workspace).is_dir() else []
    return [run for moment in moments for run in _runs(moment)]


def restore_run(workspace: Path, name: str) -> Run:
    """Bring back the run of that name that was deleted last; when the name was taken meanwhile, under one beside it.

    Raises
    ------
    RunError
        The bin has no such run.
    """
    run = next((run for run in deleted_runs(workspace) if run.name == name), None)
    if run is None:
        raise RunError(f"The bin holds no run {name[:80]!r}.")
    names = {other.casefold() for other in (*_names(runs_folder(workspace)), *_names(BUNDLED_MODELS))}
    free, number = name, 1
    while free.casefold() in names:
        number += 1
        free = f"{name} ({number})"
    restored = _moved(run.folder, runs_folder(workspace) / free)
    with contextlib.suppress(OSError):
        run.folder.parent.rmdir()
    return restored
