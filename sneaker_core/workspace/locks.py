"""Locks between processes, released by the system if their holder dies."""

import contextlib
import sqlite3
from pathlib import Path

from sneaker_core.errors import SneakerError


def take_lock(file: Path, patience: float = 0.0) -> contextlib.AbstractContextManager[object] | None:
    """Take the lock on a file; the file stays after the lock is released.

    Parameters
    ----------
    file : Path
        Created if missing; its folder must exist.
    patience : float
        Seconds to wait for another holder. With none, two attempts at the same instant may both be refused.

    Returns
    -------
    context manager or None
        Already held, and released at the end of its ``with``; None if another process or thread holds the lock.

    Raises
    ------
    SneakerError
        The file cannot be opened, or its file system has no locks.
    """
    # SQLite's file lock, as it works on every system.
    try:
        lock = sqlite3.connect(file, timeout=patience, isolation_level=None)
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except BaseException:
            lock.close()
            raise
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return None
        raise SneakerError(f"Can't lock {file}: {error}. Make sure that its folder is writable.") from None
    return contextlib.closing(lock)
