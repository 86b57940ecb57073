"""What a job's folder records, and how to read it.

::

    <job>/
      job.json        kind, params, title, workspace, queue, started
      progress.json   how far the work is; written regularly
      heartbeat       touched every second while the process is alive
      stop            exists once the job was asked to stop
      end.json        how it ended: state, error, result
      log.txt         output of its process
      lock            held while its process works; the system releases it if the process dies
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sneaker_core.errors import DamagedError, SneakerError
from sneaker_core.records.job_params import JOB_PARAMS
from sneaker_core.records.reading import checked, find_record, read_values
from sneaker_core.records.workspace_records import EndFile, JobDetails, JobFile, JobResult, ProgressFile
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.old_jobs import recover_job

FORMAT = 2
JOB_FILE, PROGRESS_FILE, HEARTBEAT_FILE = "job.json", "progress.json", "heartbeat"
STOP_FILE, END_FILE, LOG_FILE, LOCK_FILE = "stop", "end.json", "log.txt", "lock"
# The step of a job that is in the queue.
WAITING = "Waiting in the queue"
_OLD_WAITING = "Waiting for its turn"
# A process whose heartbeat is older than this many seconds is no longer running.
_LOST_AFTER = 20.0
# Before its first beat it may take longer: a busy machine needs that long to load torch.
_LOST_AT_START_AFTER = 90.0


class JobState(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether the job is over."""
        return self not in (JobState.QUEUED, JobState.RUNNING, JobState.STOPPING)


@dataclass(frozen=True)
class Progress:
    """How far work is.

    Attributes
    ----------
    done, total : int
        Items of the current step; total is 0 if unknown.
    step : str
        Name of the current step, such as "Checking photos".
    rate : float
        Items per second; 0 if unknown.
    details : dict
        Other values that the work reports.
    """

    done: int = 0
    total: int = 0
    step: str = ""
    rate: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Completed share of the current step, 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds left of the current step; None if unknown."""
        return (self.total - self.done) / self.rate if self.rate > 0 and self.total else None


@dataclass(frozen=True)
class Job:
    """A job as its folder describes it.

    Attributes
    ----------
    folder : Path
    kind : str
        What to run, such as "train"; a key of the runner table. Empty if an old record doesn't say.
    params : dict
        Plain JSON values that the runner of that kind takes.
    title : str
        Shown to the user.
    workspace : Path
    queue : bool
        Whether the job waits in the workspace's queue before it runs.
    state : JobState
    started : float
        Seconds since 1970.
    progress : Progress
    error : str or None
        Why it failed, in one sentence.
    result : dict
        What the work returned.
    """

    folder: Path
    kind: str
    params: dict[str, Any]
    title: str
    workspace: Path
    queue: bool
    state: JobState
    started: float
    progress: Progress
    error: str | None
    result: dict[str, Any]

    @property
    def can_restart(self) -> bool:
        """Whether the record says what to run."""
        return bool(self.kind)


def write_job(
    folder: Path, kind: str, params: Mapping[str, Any], *, title: str, workspace: Path, queue: bool = False
) -> None:
    """Record a job that is about to run in a folder, and delete the files of the previous job, except its log."""
    (folder / HEARTBEAT_FILE).touch()
    values = {
        "format": FORMAT,
        "kind": kind,
        "params": dict(params),
        "title": title,
        "workspace": _stored_workspace(folder, workspace),
        "queue": queue,
        "started": time.time(),
    }
    write_json(folder / JOB_FILE, values)
    # The end is deleted last: until then, a reader sees how the previous job ended.
    for file in (PROGRESS_FILE, STOP_FILE, END_FILE):
        (folder / file).unlink(missing_ok=True)


def _stored_workspace(folder: Path, workspace: Path) -> str:
    """The workspace as a path relative to a folder inside it, so that it can be moved; otherwise absolute."""
    folder, workspace = folder.absolute(), workspace.absolute()
    return os.path.relpath(workspace, folder) if folder.is_relative_to(workspace) else str(workspace)


def read_job(folder: Path) -> Job:
    """Read a job.

    Raises
    ------
    DamagedError
        Its record is damaged.
    SneakerError
        There is no job in that folder.
    """
    if not (folder / JOB_FILE).exists():
        raise SneakerError(f"There is no job in {folder}.")
    record = _read_record(folder)
    end, error = _read_end(folder)
    progress = _read_progress(folder)
    return Job(
        folder=folder,
        kind=record.kind or "",
        params=record.params,
        title=record.title,
        workspace=Path(os.path.normpath(folder.absolute() / record.workspace)),
        queue=record.queue,
        state=_state(folder, end, progress, record.started),
        started=record.started,
        progress=progress,
        error=error,
        result={} if end is None else end.result,
    )


def _read_record(folder: Path) -> JobFile:
    file = folder / JOB_FILE
    values = read_values(file)
    record = checked(values, JobFile, file)
    if record.kind is None:
        record = checked(recover_job(folder, record.arguments, values), JobFile, file)
    params = JOB_PARAMS.get(record.kind or "")
    if params is not None:
        checked(record.params, params, f"The params in {file}")
    return record


def _read_end(folder: Path) -> tuple[EndFile | None, str | None]:
    """How the job ended, and why it failed; if the record of its end is damaged, that is why."""
    file = folder / END_FILE
    try:
        end = find_record(file, EndFile)
        if end is not None:
            checked(end.result, JobResult, f"The result in {file}")
    except DamagedError as error:
        return EndFile(state=JobState.INTERRUPTED.value), str(error)
    return end, None if end is None else end.error


def _read_progress(folder: Path) -> Progress:
    """How far the job is; unknown if the record is damaged, as the next report replaces it."""
    file = folder / PROGRESS_FILE
    try:
        record = find_record(file, ProgressFile) or ProgressFile()
        checked(record.details, JobDetails, file)
    except DamagedError:
        return Progress()
    if record.step == _OLD_WAITING:
        return Progress(step=WAITING, details=record.details)
    return Progress(record.done, record.total, record.step, record.rate, record.details)


def find_job(folder: Path) -> Job | None:
    """Read a job; None if there is none in that folder."""
    try:
        return read_job(folder)
    except SneakerError:
        return None


def _state(folder: Path, end: EndFile | None, progress: Progress, started: float) -> JobState:
    if end is not None:
        return JobState(end.state) if end.state in list(JobState) else JobState.INTERRUPTED
    try:
        last_beat = (folder / HEARTBEAT_FILE).stat().st_mtime
    except OSError:
        return JobState.INTERRUPTED
    if time.time() - last_beat > (_LOST_AFTER if last_beat > started else _LOST_AT_START_AFTER):
        return JobState.INTERRUPTED
    if (folder / STOP_FILE).exists():
        return JobState.STOPPING
    return JobState.QUEUED if progress.step == WAITING else JobState.RUNNING


def is_alive(folder: Path) -> bool:
    """Whether a job in that folder is queued, running or stopping."""
    job = find_job(folder)
    return job is not None and not job.state.ended


def list_jobs(parent: Path) -> list[Job]:
    """The jobs in the folders of `parent`, newest first; other folders and damaged records are skipped."""
    folders = sorted(parent.iterdir(), reverse=True) if parent.is_dir() else []
    return [job for job in map(find_job, folders) if job is not None]
