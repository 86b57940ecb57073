"""Array cache: files with arrays that are slow to compute, such as decoded photos and embeddings.

Everything in it can be computed again, so it is safe to delete.
"""

import contextlib
import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sneaker_core.errors import DamagedError, SpaceError
from sneaker_core.records.reading import checked, read_values
from sneaker_core.records.training_records import ArrayFile
from sneaker_core.settings import CacheLimits
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import cache_folder

_DAY = 24 * 3600


class ArrayCache:
    """Arrays by key, each a raw file and a description that is written last.

    Parameters
    ----------
    workspace : Path
    kind : str
        Kind of content; part of the file names.
    """

    def __init__(self, workspace: Path, kind: str) -> None:
        self.folder = cache_folder(workspace)
        self.kind = kind

    def key(self, *parts: object) -> str:
        """Key of an array that depends only on these values."""
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part if isinstance(part, bytes) else repr(part).encode())
            digest.update(b"\0")
        return f"{self.kind}-{digest.hexdigest()[:24]}"

    def read(self, key: str) -> tuple[NDArray[Any], dict[str, Any]] | None:
        """A memory-mapped array and the `about` written with it; None if it is missing or damaged."""
        try:
            values = read_values(self.folder / f"{key}.json")
            described = checked(values, ArrayFile, key)
            shape, dtype = tuple(described.shape), np.dtype(described.dtype)
            file = self.folder / f"{key}.raw"
            if file.stat().st_size != dtype.itemsize * math.prod(shape):
                return None
            file.touch()
            array = np.empty(shape, dtype) if 0 in shape else np.memmap(file, dtype, "r", shape=shape)
        except (DamagedError, OSError, ValueError, TypeError):
            return None
        return array, values["about"]

    def write(
        self, key: str, parts: Iterable[NDArray[Any]], row_shape: Sequence[int], dtype: DTypeLike, about: dict[str, Any]
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Store an array that arrives in parts along its first axis.

        Parameters
        ----------
        key : str
        parts : iterable of array
        row_shape : sequence of int
            Shape without the first axis.
        dtype : dtype
        about : dict
            Stored with it; read after the last part has arrived.

        Raises
        ------
        SpaceError
            The disk is full.
        """
        rows = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    for part in parts:
                        # Written, not memory-mapped: a full disk then raises an error instead of killing the process.
                        file.write(np.ascontiguousarray(part, dtype).tobytes())
                        rows += len(part)
                Path(temporary).replace(self.folder / f"{key}.raw")
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            described = {"shape": [rows, *row_shape], "dtype": np.dtype(dtype).name, "about": about}
            write_atomically(self.folder / f"{key}.json", json.dumps(described).encode(), is_change=False)
        except OSError as error:
            raise SpaceError(
                f"Can't write to {self.folder}: {error.strerror}. Free some disk space and try again."
            ) from None
        self._prune(key)
        stored = self.read(key)
        if stored is None:
            raise SpaceError(f"A file written to {self.folder} can't be read back. Check the disk and try again.")
        return stored

    def _prune(self, latest: str) -> None:
        """Delete the least recently used arrays until the cache is within its size limit."""
        most, now = CacheLimits.from_environment().max_bytes, time.time()
        for part in self.folder.glob("*.part"):  # left by processes that were killed
            with contextlib.suppress(OSError):
                if now - part.stat().st_mtime > _DAY:
                    part.unlink()
        files = []
        for file in self.folder.glob("*.raw"):
            with contextlib.suppress(OSError):
                files.append((file.stat().st_mtime, file.stat().st_size, file))
        total = sum(size for _, size, _ in files)
        for _, size, file in sorted(files):
            if total <= most:
                return
            if file.stem != latest:
                with contextlib.suppress(OSError):  # in use, on Windows
                    file.with_suffix(".json").unlink(missing_ok=True)
                    file.unlink()
                    total -= size
