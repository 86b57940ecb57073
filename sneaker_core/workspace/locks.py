"""Locks between processes that the system lets go when their holder dies."""

import contextlib
import sqlite3
from pathlib import Path

from sneaker_core.errors import SneakerError


def take_lock(file: Path, patience: float = 0.0) -> contextlib.AbstractContextManager[object] | None:
    """Take the lock that a file stands for; the file stays when it is let go.

    Parameters
    ----------
    file : Path
        Made when it is not there; its folder must be.
    patience : float
        Seconds to wait for another holder. Two who try in the same instant without any may both be refused.

    Returns
    -------
    context manager or None
        Held already, and let go at the end of its ``with``; None where another process or thread holds it.

    Raises
    ------
    SneakerError
        The file cannot be opened or its disk knows no locks.
    """
    # SQLite's own lock on a file, for it is there on every system.
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
        raise SneakerError(f"{file} cannot be locked ({error}); make sure that its folder can be written to.") from None
    return contextlib.closing(lock)
