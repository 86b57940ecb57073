"""Jobs: long tasks in separate processes, which outlive the page, the browser and the server that started them.

A job is data: a kind, which names the function to run, and params, the plain JSON values it takes. Both are recorded
in the job's folder. `python -m sneaker_core run-job FOLDER` runs the job, and starting it again in the same folder
retries it. See `job_record` for the files in that folder, and `commands.run_job_command` for the table of kinds.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sneaker_core.errors import BusyError, SneakerError
from sneaker_core.workspace.job_queue import take_ticket, waiting_turn
from sneaker_core.workspace.job_record import (
    LOG_FILE,
    STOP_FILE,
    WAITING,
    Job,
    JobState,
    Progress,
    find_job,
    is_alive,
    list_jobs,
    read_job,
    write_job,
)
from sneaker_core.workspace.job_worker import Worker, busy_text, claimed, end_if_open, working
from sneaker_core.workspace.paths import PROJECT, queue_folder
from sneaker_core.workspace.read_only import check_changeable

__all__ = [
    "WAITING",
    "Job",
    "JobState",
    "Progress",
    "Worker",
    "end_if_open",
    "find_job",
    "is_alive",
    "list_jobs",
    "log_tail",
    "new_job_folder",
    "read_job",
    "restart_job",
    "start_job",
    "stop_job",
    "waiting_turn",
    "working",
]

# Only this many bytes at the end of a long log are read.
_TAIL = 256 * 1024


def new_job_folder(parent: Path) -> Path:
    """A path for a new job's folder inside a folder of jobs; the names sort by time. It is not created."""
    return parent / f"{time.time_ns():020}-{uuid.uuid4().hex[:6]}"


def start_job(
    folder: Path, kind: str, params: Mapping[str, Any], *, title: str, workspace: Path, queue: bool = False
) -> Path:
    """Start a job in a separate process.

    Parameters
    ----------
    folder : Path
        The job's folder; created if missing. If a job has ended there, the new one replaces it and keeps its log.
    kind : str
        What to run: a key of the table of runners.
    params : mapping
        Plain JSON values for the runner.
    title : str
        Shown to the user.
    workspace : Path
    queue : bool
        Wait until the jobs that were queued earlier have ended. The place in the queue is taken
        immediately, even if the process takes long to start.

    Returns
    -------
    Path
        The job's folder, absolute.

    Raises
    ------
    BusyError
        A job is running in that folder.
    OSError
        The folder cannot be written to.
    """
    folder, workspace = folder.absolute(), workspace.absolute()
    with claimed(folder):
        if is_alive(folder):
            raise BusyError(busy_text(folder))
        write_job(folder, kind, params, title=title, workspace=workspace, queue=queue)
        if queue:
            Worker(folder).report(0, 0, WAITING)  # first, because a ticket counts only while its job is waiting
            take_ticket(queue_folder(workspace), folder)
        _spawn(folder)
    return folder


def restart_job(folder: Path) -> Path:
    """Start the job in a folder again, with the same kind and params.

    Raises
    ------
    SneakerError
        There is no job in that folder, or its record doesn't say what to run.
    BusyError
        It is still running.
    """
    job = read_job(folder)
    if not job.can_restart:
        raise SneakerError(f"The record of the job {job.title!r} doesn't say what to run. Start a new one.")
    return start_job(folder, job.kind, job.params, title=job.title, workspace=job.workspace, queue=job.queue)


def _spawn(folder: Path) -> None:
    # Closing the app sends a signal to its own process group; a job must not get it.
    detached: dict[str, Any] = (
        {"creationflags": 0x00000208}  # CREATE_NEW_PROCESS_GROUP | DETACHED_PROCESS
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    with (folder / LOG_FILE).open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "sneaker_core", "run-job", str(folder)],
            cwd=PROJECT,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **detached,
        )


def stop_job(folder: Path) -> None:
    """Ask a job to stop; it ends as soon as it safely can and keeps its partial results."""
    check_changeable()
    (folder / STOP_FILE).touch()


def log_tail(folder: Path, lines: int = 40) -> str:
    """The last lines of a job's log; empty if there are none. Only the end of a huge log is read."""
    try:
        with (folder / LOG_FILE).open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(size - _TAIL, 0))
            text = log.read(_TAIL).decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:]) if lines > 0 else ""
