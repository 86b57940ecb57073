"""Long work in a process of its own, told by a folder: it outlives the page, the browser and the server.

::

    <job>/
      job.json        what was started, and when
      progress.json   how far it is; written now and then
      heartbeat       touched every second while the process lives
      stop            there once somebody asks it to stop
      end.json        how it ended
      log.txt         what it printed

A job is a command of ``python -m sneaker_core``: whatever a page starts, a shell can start too.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sneaker_core.errors import SneakerError
from sneaker_core.paths import PROJECT, write_atomically

# The folder of the job that a process works for is told to it by this variable.
JOB_VARIABLE = "SOLESCOPE_JOB"
_JOB, _PROGRESS, _HEARTBEAT, _STOP, _END = "job.json", "progress.json", "heartbeat", "stop", "end.json"
_LOG = "log.txt"
_BEAT = 1.0
# A process that has not touched its heartbeat for so many seconds is gone; it may take as long to start.
_LOST_AFTER = 20.0
_PROGRESS_EVERY = 0.5
# The rate is that of the last so many seconds, so that time left follows a machine that grows busy.
_RATE_OVER = 20.0


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (JobState.RUNNING, JobState.STOPPING)


@dataclass(frozen=True)
class Progress:
    """How far work is.

    Attributes
    ----------
    done, total : int
        In items of the present step; total 0 where nobody can tell.
    step : str
        What is being done, for people: "Measuring photos".
    rate : float
        Items a second; 0 while it is not known.
    details : dict
        What else the work tells of itself.
    """

    done: int = 0
    total: int = 0
    step: str = ""
    rate: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Of this step, in seconds; None while nobody can tell."""
        return (self.total - self.done) / self.rate if self.rate > 0 and self.total else None


@dataclass(frozen=True)
class Job:
    """A job as its folder tells it.

    Attributes
    ----------
    folder : Path
    title : str
    arguments : tuple of str
        What would stand behind ``python -m sneaker_core`` in a shell; started with them again it goes on.
    state : JobState
    started : float
        Seconds since 1970.
    progress : Progress
    error : str or None
        Why it failed, in one sentence.
    result : dict
        What came out of it.
    """

    folder: Path
    title: str
    arguments: tuple[str, ...]
    state: JobState
    started: float
    progress: Progress
    error: str | None
    result: dict[str, Any]


def start_job(parent: Path, title: str, arguments: Sequence[str]) -> Path:
    """Start a command of ``python -m sneaker_core`` in a process of its own.

    Parameters
    ----------
    parent : Path
        Folder that gets a folder for this job.
    title : str
        For people.
    arguments : sequence of str
        What would stand behind ``python -m sneaker_core`` in a shell.

    Returns
    -------
    Path
        The job's folder.
    """
    folder = parent / f"{time.time_ns():020}-{uuid.uuid4().hex[:6]}"
    description = {"title": title, "arguments": list(arguments), "started": time.time()}
    write_atomically(folder / _JOB, json.dumps(description, ensure_ascii=False).encode())
    (folder / _HEARTBEAT).touch()
    # Closing the app sends its own group of processes a signal; a job must not get it.
    detached: dict[str, Any] = (
        {"creationflags": 0x00000208}  # a console of its own, a group of its own
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    with (folder / _LOG).open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-m", "sneaker_core", *arguments],
            cwd=PROJECT,
            env={**os.environ, JOB_VARIABLE: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **detached,
        )
    return folder


def read_job(folder: Path) -> Job:
    """What is known of a job.

    Raises
    ------
    SneakerError
        There is no job in that folder.
    """
    job = _read(folder / _JOB)
    if job is None:
        raise SneakerError(f"There is no job in {folder}.")
    end, progress = _read(folder / _END), _read(folder / _PROGRESS) or {}
    return Job(
        folder=folder,
        title=str(job.get("title", "")),
        arguments=tuple(map(str, job.get("arguments", ()))),
        state=_state(folder, end),
        started=float(job.get("started", 0)),
        progress=Progress(**progress),
        error=(end or {}).get("error"),
        result=(end or {}).get("result") or {},
    )


def _state(folder: Path, end: dict[str, Any] | None) -> JobState:
    if end is not None:
        return JobState(end["state"])
    try:
        silent = time.time() - (folder / _HEARTBEAT).stat().st_mtime
    except OSError:
        return JobState.LOST
    if silent > _LOST_AFTER:
        return JobState.LOST
    return JobState.STOPPING if (folder / _STOP).exists() else JobState.RUNNING


def _read(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def list_jobs(parent: Path) -> list[Job]:
    """The jobs below a folder, the newest first."""
    folders = sorted(parent.iterdir(), reverse=True) if parent.is_dir() else []
    return [read_job(folder) for folder in folders if (folder / _JOB).is_file()]


def stop_job(folder: Path) -> None:
    """Ask a job to stop; it ends at the next safe moment and keeps what it has."""
    (folder / _STOP).touch()


class Worker:
    """The working side of a job: tells how far it is and hears when to stop.

    Outside of a job (in a shell, in a test) nothing is written, and nobody asks to stop.

    Attributes
    ----------
    folder : Path or None
    progress : Progress
        As last told.
    result : dict
        What came out of the work; the body sets it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._written = 0.0
        self._stop_asked_at, self._stop = 0.0, False
        self._step, self._marks = "", [(0.0, 0)]
        self.progress = Progress()
        self.result: dict[str, Any] = {}

    def report(self, done: int, total: int, step: str = "", **details: Any) -> None:
        """Tell how far the work is; cheap enough to be called for every item."""
        now = time.monotonic()
        if step != self._step or done < self._marks[-1][1]:
            self._step, self._marks, self._written = step, [(now, done)], 0.0
        if now - self._written < _PROGRESS_EVERY and done < total:
            return
        self._marks = [mark for mark in self._marks if now - mark[0] < _RATE_OVER] or self._marks[-1:]
        first = self._marks[0]
        rate = (done - first[1]) / (now - first[0]) if now > first[0] else 0.0
        self._marks.append((now, done))
        self._written = now
        self.progress = Progress(done, total, step, rate, details)
        if self.folder is not None:
            write_atomically(self.folder / _PROGRESS, json.dumps(vars(self.progress), ensure_ascii=False).encode())

    def stopped(self) -> bool:
        """Whether somebody asked the work to stop; cheap enough to be asked for every item."""
        now = time.monotonic()
        if self.folder is not None and not self._stop and now - self._stop_asked_at > _PROGRESS_EVERY:
            self._stop_asked_at = now
            self._stop = (self.folder / _STOP).exists()
        return self._stop


@contextlib.contextmanager
def working(folder: Path | None = None) -> Iterator[Worker]:
    """Run the body as a job's work; without a folder, and outside of a job, just run it.

    The job's end is written whatever happens: an error of the SneakerError family by its sentence, any other as a
    fault of the program.
    """
    named = os.environ.get(JOB_VARIABLE)
    folder = folder or (Path(named) if named else None)
    worker = Worker(folder)
    if folder is None:
        yield worker
        return
    done = threading.Event()
    threading.Thread(target=_beat, args=(folder / _HEARTBEAT, done), daemon=True).start()
    end: dict[str, Any] = {"state": JobState.FAILED.value, "error": "It was ended from outside.", "result": {}}
    try:
        yield worker
        state = JobState.STOPPED if worker.stopped() else JobState.DONE
        end = {"state": state.value, "error": None, "result": worker.result}
    except SneakerError as error:
        end["error"] = str(error)
        raise
    except Exception as error:
        end["error"] = f"A fault in the program: {type(error).__name__}. The log says more."
        raise
    finally:
        done.set()
        write_atomically(folder / _END, json.dumps(end, ensure_ascii=False).encode())


def _beat(heartbeat: Path, done: threading.Event) -> None:
    while not done.wait(_BEAT):
        with contextlib.suppress(OSError):
            heartbeat.touch()


def end_if_open(error: str) -> None:
    """Write that the job of this process failed, unless its end is written: it may never have come to its work."""
    named = os.environ.get(JOB_VARIABLE)
    if named and not (Path(named) / _END).exists():
        end = {"state": JobState.FAILED.value, "error": error, "result": {}}
        write_atomically(Path(named) / _END, json.dumps(end, ensure_ascii=False).encode())
