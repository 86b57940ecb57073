"""Reading and writing small files so that a crash or a concurrent reader never sees a partial file."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sneaker_core.workspace.read_only import check_changeable


def write_atomically(path: Path, data: bytes, *, is_change: bool = True, mode: int = 0o644) -> None:
    """Write a file so that readers and crashes see either the old content or the new, never part of it.

    The bytes are written to a temporary file in the same folder and flushed to disk before that file is renamed.

    Parameters
    ----------
    path : Path
    data : bytes
    is_change : bool
        False for caches and for files that a user named, which may be written even while SoleScope is read-only.
    mode : int
        The file's permissions.

    Raises
    ------
    ReadOnlyError
        SoleScope is read-only, and this is a change.
    """
    if is_change:
        check_changeable()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes the file private to its owner; results should have the usual permissions.
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, values: Mapping[str, Any], indent: int | None = None) -> None:
    """Write a JSON object atomically, in UTF-8; characters that UTF-8 can't encode become question marks."""
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    write_atomically(path, (text + "\n" if indent else text).encode(errors="replace"))


def append_json(path: Path, values: Mapping[str, Any]) -> None:
    """Append a JSON object to a log as a line of its own, written to disk at once.

    A crash damages that line only: the next one starts on a new line. One process at a time may do this.

    Raises
    ------
    ReadOnlyError
        SoleScope is read-only.
    """
    check_changeable()
    line = json.dumps(values, ensure_ascii=False).encode(errors="replace") + b"\n"
    with path.open("a+b") as log:
        if end := log.seek(0, os.SEEK_END):
            log.seek(end - 1)
            line = line if log.read(1) == b"\n" else b"\n" + line
        log.write(line)
        log.flush()
        os.fsync(log.fileno())
