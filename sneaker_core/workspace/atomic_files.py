"""Reading and writing small files so that neither a crash nor a concurrent reader ever sees half of one."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, sees either the old content or the new, never half of it.

    The bytes go to a temporary file in the same folder and reach the disk before that file takes the name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes the file private to its owner; a result should be as readable as any other file.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, values: Mapping[str, Any], indent: int | None = None) -> None:
    """Write a JSON object atomically, in UTF-8; characters that UTF-8 does not have become question marks."""
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    write_atomically(path, (text + "\n" if indent else text).encode(errors="replace"))


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON object.

    Returns
    -------
    dict or None
        None if the file is missing, damaged or holds anything but an object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
