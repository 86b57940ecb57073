"""Long work in a process of its own, told by a folder: it outlives the page, the browser and the server.

::

    <job>/
      job.json        what was started, and when
      progress.json   how far it is; written now and then
      heartbeat       touched every second while the process lives
      stop            there once somebody asks it to stop
      end.json        how it ended
      log.txt         what it printed, if it was not started from a shell
      lock            held while its process works; the system lets it go when that dies

A job is a command of ``python -m sneaker_core``: whatever a page starts, a shell can start too.

It outlives the one who started it, on purpose: work of hours must not end with a browser or a server. So that nothing
is left behind all the same, it tells by its heartbeat that it lives and hears when it is asked to stop; if it starts
processes of its own, it is the one to end them.

Work that needs the whole machine waits for its turn in a queue, a folder too::

    <queue>/
      <when>-<who>.ticket   names the job's folder; the oldest of a living job is the next
      lock                  held by the one whose turn it is; let go by the system when its process dies
"""

import contextlib
import hashlib
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

from sneaker_core.errors import BusyError, SneakerError
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.paths import PROJECT, write_atomically

# The folder of the job that a process works for is told to it by this variable.
JOB_VARIABLE = "SOLESCOPE_JOB"
_JOB, _PROGRESS, _HEARTBEAT, _STOP, _END = "job.json", "progress.json", "heartbeat", "stop", "end.json"
_LOG, _LOCK, _TICKET = "log.txt", "lock", ".ticket"
# The step of a job that is queued.
WAITING = "Waiting for its turn"
_BEAT = 1.0
# A process that has not touched its heartbeat for so many seconds is gone.
_LOST_AFTER = 20.0
# Before its first beat it may take longer: a busy machine needs that for reading torch from the disk.
_LOST_AT_START_AFTER = 90.0
_PROGRESS_EVERY = 0.5
_LOOK_EVERY = 0.25
# Seconds to wait for one who looks whether the place is free, or starts the very process that wants it.
_LOCK_PATIENCE = 3.0
# Of a long log, no more than so many bytes at its end are read.
_TAIL = 256 * 1024
# The rate is that of the last so many seconds, so that time left follows a machine that grows busy.
_RATE_OVER = 20.0


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (JobState.QUEUED, JobState.RUNNING, JobState.STOPPING)


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
    return start_job_in(parent / f"{time.time_ns():020}-{uuid.uuid4().hex[:6]}", title, arguments)


def start_job_in(folder: Path, title: str, arguments: Sequence[str], queue: Path | None = None) -> Path:
    """Start a command in one exact folder, perhaps again; what it printed before stays in its log.

    Parameters
    ----------
    folder : Path
        The job's folder; made when it is not there.
    title : str
        For people.
    arguments : sequence of str
        What would stand behind ``python -m sneaker_core`` in a shell.
    queue : Path, optional
        The queue that the command will wait in by `waiting_turn`: it has its place there from now on, however long
        its process takes to start.

    Returns
    -------
    Path
        The job's folder.

    Raises
    ------
    BusyError
        A job is alive in that folder.
    """
    folder = folder.absolute()
    with _claimed(folder):
        if is_alive(folder):
            raise BusyError(_busy(folder))
        _describe(folder, title, arguments)
        if queue is not None:
            Worker(folder).report(0, 0, WAITING)  # first: a ticket counts only while its job says that it waits
            _put_ticket(queue, folder)
        _spawn(folder, arguments)
    return folder


def _busy(folder: Path) -> str:
    return f"Something is at work in {folder} already; wait until that has ended, or stop it."


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Nobody else works in that folder, nor starts to, while the body runs."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = take_lock(folder / _LOCK, _LOCK_PATIENCE)
    if lock is None:
        raise BusyError(_busy(folder))
    with lock:
        yield


def _describe(folder: Path, title: str, arguments: Sequence[str]) -> None:
    """Make a folder that of a job which is about to work, and clear what is left of the one before."""
    (folder / _HEARTBEAT).touch()
    description = {"title": title, "arguments": list(arguments), "started": time.time()}
    write_atomically(folder / _JOB, json.dumps(description, ensure_ascii=False).encode())
    # The end goes last: until then, who looks sees how the one before ended.
    for file in (_PROGRESS, _STOP, _END):
        (folder / file).unlink(missing_ok=True)


def _spawn(folder: Path, arguments: Sequence[str]) -> None:
    # Closing the app sends its own group of processes a signal; a job must not get it.
    detached: dict[str, Any] = (
        {"creationflags": 0x00000208}  # a console of its own, a group of its own
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    with (folder / _LOG).open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "sneaker_core", *arguments],
            cwd=PROJECT,
            env={**os.environ, JOB_VARIABLE: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **detached,
        )


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
    started = float(job.get("started", 0))
    end = _read(folder / _END)
    progress = _progress(_read(folder / _PROGRESS))
    return Job(
        folder=folder,
        title=str(job.get("title", "")),
        arguments=tuple(map(str, job.get("arguments", ()))),
        state=_state(folder, end, progress, started),
        started=started,
        progress=progress,
        error=(end or {}).get("error"),
        result=(end or {}).get("result") or {},
    )


def _progress(values: dict[str, Any] | None) -> Progress:
    try:
        return Progress(**values or {})
    except TypeError:
        return Progress()


def _state(folder: Path, end: dict[str, Any] | None, progress: Progress, started: float) -> JobState:
    if end is not None:
        return JobState(end["state"]) if end.get("state") in list(JobState) else JobState.LOST
    try:
        beaten = (folder / _HEARTBEAT).stat().st_mtime
    except OSError:
        return JobState.LOST
    if time.time() - beaten > (_LOST_AFTER if beaten > started else _LOST_AT_START_AFTER):
        return JobState.LOST
    if (folder / _STOP).exists():
        return JobState.STOPPING
    return JobState.QUEUED if progress.step == WAITING else JobState.RUNNING


def _read(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def is_alive(folder: Path) -> bool:
    """Whether a job there waits, works or is about to stop."""
    try:
        return not read_job(folder).state.ended
    except SneakerError:
        return False


def list_jobs(parent: Path) -> list[Job]:
    """The jobs below a folder, the newest first."""
    folders = sorted(parent.iterdir(), reverse=True) if parent.is_dir() else []
    return [read_job(folder) for folder in folders if (folder / _JOB).is_file()]


def stop_job(folder: Path) -> None:
    """Ask a job to stop; it ends at the next safe moment and keeps what it has."""
    (folder / _STOP).touch()


def log_tail(folder: Path, lines: int = 40) -> str:
    """The last lines that a job printed; empty where there are none. Of a huge log only the end is read."""
    try:
        with (folder / _LOG).open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(size - _TAIL, 0))
            text = log.read(_TAIL).decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""


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
            # A disk that is full must not end the work that only wants to tell of itself.
            with contextlib.suppress(OSError):
                write_atomically(self.folder / _PROGRESS, json.dumps(vars(self.progress), ensure_ascii=False).encode())

    def stopped(self) -> bool:
        """Whether somebody asked the work to stop; cheap enough to be asked for every item."""
        now = time.monotonic()
        if self.folder is not None and not self._stop and now - self._stop_asked_at > _PROGRESS_EVERY:
            self._stop_asked_at = now
            self._stop = (self.folder / _STOP).exists()
        return self._stop


@contextlib.contextmanager
def working(folder: Path | None = None, title: str = "", arguments: Sequence[str] | None = None) -> Iterator[Worker]:
    """Run the body as a job's work; without a folder, and outside of a job, just run it.

    The job's end is written whatever happens: an error of the SneakerError family by its sentence, any other as a
    fault of the program.

    Parameters
    ----------
    folder : Path, optional
        The job's folder; that of the job which this process was started for when left out.
    title : str
    arguments : sequence of str, optional
        Given, a command that was started in a shell makes `folder` that of a job, so that pages see it and can stop
        it; what a job before left there is cleared, but for its log.

    Raises
    ------
    BusyError
        Another process works in that folder.
    """
    named = os.environ.get(JOB_VARIABLE)
    own = Path(named) if named else None
    folder = folder or own
    if folder is None:
        yield Worker(None)
        return
    with _claimed(folder):
        if arguments is not None and (own is None or own.resolve() != folder.resolve()):
            _describe(folder, title, arguments)
        yield from _worked(folder)


def _worked(folder: Path) -> Iterator[Worker]:
    """A worker whose heart beats, and whose end is written."""
    worker = Worker(folder)
    done = threading.Event()
    threading.Thread(target=_beat, args=(folder / _HEARTBEAT, done), daemon=True).start()
    end: dict[str, Any] = {"state": JobState.FAILED.value, "error": "It was ended from outside.", "result": {}}
    try:
        yield worker
        state = JobState.STOPPED if worker.stopped() else JobState.DONE
        end = {"state": state.value, "error": None, "result": worker.result}
    except KeyboardInterrupt:
        end |= {"state": JobState.STOPPED.value, "error": None}
        raise
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
    while True:
        with contextlib.suppress(OSError):
            heartbeat.touch()
        if done.wait(_BEAT):
            return


def end_if_open(error: str) -> None:
    """Write that the job of this process failed, unless its end is written: it may never have come to its work."""
    named = os.environ.get(JOB_VARIABLE)
    if not named or (Path(named) / _END).exists():
        return
    with contextlib.suppress(BusyError), _claimed(Path(named)):  # another at work there tells its own end
        if not (Path(named) / _END).exists():
            end = {"state": JobState.FAILED.value, "error": error, "result": {}}
            write_atomically(Path(named) / _END, json.dumps(end, ensure_ascii=False).encode())


@contextlib.contextmanager
def waiting_turn(worker: Worker, queue: Path) -> Iterator[bool]:
    """Wait until all who came before have ended, and keep everybody else waiting while the body runs.

    Parameters
    ----------
    worker : Worker
        Of the job that waits; those outside of a job have no place in the queue and wait until it is empty.
    queue : Path
        The queue's folder.

    Yields
    ------
    bool
        False where the work was asked to stop before its turn came: the body must do nothing then.
    """
    try:
        lock = _wait(worker, queue)
    finally:
        if worker.folder is not None:
            _drop_tickets(queue, worker.folder)
    if lock is None:
        yield False
        return
    with lock:
        worker.report(0, 0, "Starting")
        yield True


def _wait(worker: Worker, queue: Path) -> contextlib.AbstractContextManager[object] | None:
    """The queue's lock when it is this worker's turn; None where it was asked to stop."""
    queue.mkdir(parents=True, exist_ok=True)
    worker.report(0, 0, WAITING)
    ticket, told = _ticket_of(queue, worker.folder), -1
    while not worker.stopped():
        # Whoever took a process for dead that was only asleep has thrown its ticket away: it gets its old place.
        if ticket is not None and worker.folder is not None and not ticket.exists():
            write_atomically(ticket, str(worker.folder.absolute()).encode())
        before = _living_before(queue, ticket)
        lock = None if before else take_lock(queue / _LOCK)
        if lock is not None:
            return lock
        # Whoever waits, waits at least for the one whose turn it is.
        if before + 1 != told:
            told = before + 1
            worker.report(0, 0, WAITING, before=told)
        time.sleep(_LOOK_EVERY)
    return None


def _ticket_of(queue: Path, folder: Path | None) -> Path | None:
    """The ticket that the job was started with; else a new one."""
    if folder is None:
        return None
    return next(iter(_tickets(queue, folder)), None) or _put_ticket(queue, folder)


def _tickets(queue: Path, folder: Path) -> list[Path]:
    """Those of one job."""
    return sorted(queue.glob(f"*-{_who(folder)}{_TICKET}"))


def _who(folder: Path) -> str:
    return hashlib.sha256(str(folder.absolute()).encode(errors="surrogateescape")).hexdigest()[:12]


def _put_ticket(queue: Path, folder: Path) -> Path:
    """Give a job the last place."""
    _drop_tickets(queue, folder)
    ticket = queue / f"{time.time_ns():020}-{_who(folder)}{_TICKET}"
    write_atomically(ticket, str(folder.absolute()).encode(errors="surrogateescape"))
    return ticket


def _drop_tickets(queue: Path, folder: Path) -> None:
    for ticket in _tickets(queue, folder):
        ticket.unlink(missing_ok=True)


def _living_before(queue: Path, ticket: Path | None) -> int:
    """How many living jobs have an older ticket; those of the dead are thrown away."""
    living = 0
    for other in sorted(queue.glob(f"*{_TICKET}")):
        if ticket is not None and other.name >= ticket.name:
            break
        if _is_waiting(other):
            living += 1
        else:
            other.unlink(missing_ok=True)
    return living


def _is_waiting(ticket: Path) -> bool:
    try:
        folder = Path(ticket.read_bytes().decode(errors="surrogateescape"))
        return read_job(folder).state in (JobState.QUEUED, JobState.STOPPING)
    except (OSError, SneakerError):
        return False
