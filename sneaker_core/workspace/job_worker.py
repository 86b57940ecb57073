"""The working side of a job: it reports progress, notices a request to stop, and records how the work ended."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sneaker_core.errors import BusyError, SneakerError, StoppedError
from sneaker_core.workspace.atomic_files import write_json
from sneaker_core.workspace.job_record import (
    END_FILE,
    HEARTBEAT_FILE,
    LOCK_FILE,
    LOG_FILE,
    PROGRESS_FILE,
    STOP_FILE,
    JobState,
    Progress,
    write_job,
)
from sneaker_core.workspace.locks import take_lock
from sneaker_core.workspace.read_only import check_changeable

_BEAT = 1.0
_PROGRESS_EVERY = 0.5
# Seconds to wait for a process that checks whether the folder is free, or that is starting this process.
_LOCK_PATIENCE = 3.0
# The rate is measured over the last seconds, so that the time left adapts if the machine gets busier.
_RATE_WINDOW = 20.0


class Worker:
    """Reports progress and notices a request to stop.

    Without a folder (in a shell, in a test) nothing is written and nothing asks it to stop.

    Attributes
    ----------
    folder : Path or None
        The job's.
    progress : Progress
        As last reported.
    result : dict
        What the work returns; set by the work.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._written = 0.0
        self._stop_checked, self._stop = 0.0, False
        self._step, self._marks = "", [(0.0, 0)]
        self.progress = Progress()
        self.result: dict[str, Any] = {}

    def report(self, done: int, total: int, step: str = "", **details: Any) -> None:
        """Report how far the work is; cheap enough to call for every item."""
        now = time.monotonic()
        if step != self._step or done < self._marks[-1][1]:
            self._step, self._marks, self._written = step, [(now, done)], 0.0
        if now - self._written < _PROGRESS_EVERY and done < total:
            return
        self._marks = [mark for mark in self._marks if now - mark[0] < _RATE_WINDOW] or self._marks[-1:]
        first = self._marks[0]
        rate = (done - first[1]) / (now - first[0]) if now > first[0] else 0.0
        self._marks.append((now, done))
        self._written = now
        self.progress = Progress(done, total, step, rate, details)
        if self.folder is not None:
            # A full disk must not end work that only reports its progress.
            with contextlib.suppress(OSError):
                write_json(self.folder / PROGRESS_FILE, vars(self.progress))

    def log(self, line: str) -> None:
        """Add a line to the job's log."""
        if self.folder is not None:
            with contextlib.suppress(OSError), (self.folder / LOG_FILE).open("ab") as log:
                log.write(f"{line}\n".encode(errors="replace"))

    def stopped(self) -> bool:
        """Whether the job was asked to stop; cheap enough to call for every item."""
        now = time.monotonic()
        if self.folder is not None and not self._stop and now - self._stop_checked > _PROGRESS_EVERY:
            self._stop_checked = now
            self._stop = (self.folder / STOP_FILE).exists()
        return self._stop


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Prevent all other processes from working, or starting to work, in a job's folder while the body runs.

    Raises
    ------
    BusyError
        Another process is working there.
    ReadOnlyError
        SoleScope is read-only.
    """
    check_changeable()
    folder.mkdir(parents=True, exist_ok=True)
    lock = take_lock(folder / LOCK_FILE, _LOCK_PATIENCE)
    if lock is None:
        raise BusyError(busy_text(folder))
    with lock:
        yield


def busy_text(folder: Path) -> str:
    """The error if a job is already running in a folder."""
    return f"A job is already running in {folder}. Wait until it has ended, or stop it."


@contextlib.contextmanager
def working(
    folder: Path | None = None,
    kind: str = "",
    params: Mapping[str, Any] | None = None,
    *,
    title: str = "",
    workspace: Path | None = None,
) -> Iterator[Worker]:
    """Run the body as the work of a job; without a folder, just run it.

    How the job ended is always recorded: a SneakerError by its message, any other exception as an internal error.

    Parameters
    ----------
    folder : Path, optional
        The job's.
    kind, params, title, workspace
        If `kind` is given, this new job is recorded in the folder first, so that the pages show work started in a
        shell and can stop and retry it; the files of an earlier job are deleted, except its log.

    Raises
    ------
    BusyError
        Another process is working in that folder.
    """
    if folder is None:
        yield Worker(None)
        return
    with claimed(folder):
        if kind:
            write_job(folder, kind, params or {}, title=title, workspace=workspace or folder)
        yield from _work(folder)


def _work(folder: Path) -> Iterator[Worker]:
    worker, done = Worker(folder), threading.Event()
    threading.Thread(target=_beat, args=(folder / HEARTBEAT_FILE, done), daemon=True).start()
    end: dict[str, Any] = {"state": JobState.FAILED.value, "error": "The process was terminated.", "result": {}}
    try:
        yield worker
        state = JobState.STOPPED if worker.stopped() else JobState.DONE
        end = {"state": state.value, "error": None, "result": worker.result}
    except KeyboardInterrupt:
        end |= {"state": JobState.STOPPED.value, "error": None}
        raise
    except StoppedError:
        end |= {"state": JobState.STOPPED.value, "error": None}
    except SneakerError as error:
        end["error"] = str(error)
        raise
    except Exception as error:
        end["error"] = f"Internal error: {type(error).__name__}. See the log for details."
        raise
    finally:
        done.set()
        write_json(folder / END_FILE, end)


def _beat(heartbeat: Path, done: threading.Event) -> None:
    while True:
        with contextlib.suppress(OSError):
            heartbeat.touch()
        if done.wait(_BEAT):
            return


def end_if_open(folder: Path, error: str) -> None:
    """Record that a job failed unless its end is recorded: its process may have died before the work began."""
    if (folder / END_FILE).exists():
        return
    with contextlib.suppress(BusyError), claimed(folder):  # another process that works there records its own end
        if not (folder / END_FILE).exists():
            write_json(folder / END_FILE, {"state": JobState.FAILED.value, "error": error, "result": {}})
