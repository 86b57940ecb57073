"""The queue: work that needs the whole machine runs one job at a time, in the order the jobs were started.

::

    <workspace>/queue/
      <time>-<job>.ticket   names the job's folder; the oldest ticket of a living job is next
      lock                  held by the job whose turn it is; the system releases it if its process dies
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from sneaker_core.errors import SneakerError
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.job_record import WAITING, JobState, read_job
from sneaker_core.workspace.job_worker import Worker
from sneaker_core.workspace.locks import take_lock

_TICKET = ".ticket"
_CHECK_EVERY = 0.25


@contextlib.contextmanager
def waiting_turn(worker: Worker, queue: Path) -> Iterator[bool]:
    """Wait until all earlier jobs have ended, and keep later ones waiting while the body runs.

    Parameters
    ----------
    worker : Worker
        Worker of the waiting job; work without a job has no place in the queue and waits until the queue is empty.
    queue : Path
        The queue's folder.

    Yields
    ------
    bool
        False if the job was asked to stop before its turn came: the body must then do nothing.
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
    """The queue's lock when it is this worker's turn; None if it was asked to stop."""
    queue.mkdir(parents=True, exist_ok=True)
    worker.report(0, 0, WAITING)
    ticket, reported = _ticket_of(queue, worker.folder), -1
    while not worker.stopped():
        # A suspended process may have been considered dead and lost its ticket; it gets its old place back.
        if ticket is not None and worker.folder is not None and not ticket.exists():
            _write_ticket(ticket, worker.folder)
        before = _living_before(queue, ticket)
        lock = None if before else take_lock(queue / "lock")
        if lock is not None:
            return lock
        # The job whose turn it is no longer has a ticket.
        if before + 1 != reported:
            reported = before + 1
            worker.report(0, 0, WAITING, before=reported)
        time.sleep(_CHECK_EVERY)
    return None


def _ticket_of(queue: Path, folder: Path | None) -> Path | None:
    """The ticket that the job was started with, or else a new one."""
    if folder is None:
        return None
    return next(iter(_tickets(queue, folder)), None) or take_ticket(queue, folder)


def take_ticket(queue: Path, folder: Path) -> Path:
    """Add the job in a folder to the end of the queue.

    Returns
    -------
    Path
        Its ticket.
    """
    _drop_tickets(queue, folder)
    ticket = queue / f"{time.time_ns():020}-{_mark(folder)}{_TICKET}"
    _write_ticket(ticket, folder)
    return ticket


def _write_ticket(ticket: Path, folder: Path) -> None:
    write_atomically(ticket, str(folder.absolute()).encode(errors="surrogateescape"))


def _tickets(queue: Path, folder: Path) -> list[Path]:
    return sorted(queue.glob(f"*-{_mark(folder)}{_TICKET}"))


def _mark(folder: Path) -> str:
    return hashlib.sha256(str(folder.absolute()).encode(errors="surrogateescape")).hexdigest()[:12]


def _drop_tickets(queue: Path, folder: Path) -> None:
    for ticket in _tickets(queue, folder):
        ticket.unlink(missing_ok=True)


def _living_before(queue: Path, ticket: Path | None) -> int:
    """How many living jobs have an older ticket; tickets of dead ones are deleted."""
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
        folder = Path(os.fsdecode(ticket.read_bytes()))
        return read_job(folder).state in (JobState.QUEUED, JobState.STOPPING)
    except (OSError, ValueError, SneakerError):
        return False
