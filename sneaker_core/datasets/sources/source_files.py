"""A folder or a zip archive as a list of files that can be read one by one; nothing is ever unpacked to disk."""

import contextlib
import os
import stat
import struct
import threading
import zipfile
from collections.abc import Iterator
from itertools import count as counting
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.settings import ArchiveLimits, ImageLimits

_TABLE_BYTES = 20_000_000
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}
# Below this many bytes a high ratio is harmless, and common: a drawing of one colour.
_SMALL = 1_000_000
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_LARGEST_END = 22 + 65535


class Source(Protocol):
    """Where photos come from.

    Attributes
    ----------
    title : str
        For people and for the index: "folder /photos" or "archive shoes.zip".
    files : list of str
        Paths with forward slashes, sorted; without hidden files and those that systems leave behind.
    rejected : dict of str to str
        Name -> why this entry is not even looked at.
    """

    title: str
    files: list[str]
    rejected: dict[str, str]

    def read(self, name: str) -> bytes:
        """The bytes of one file; raises ImageError when it is over a cap or cannot be read."""
        ...


@contextlib.contextmanager
def open_source(path: Path, name: str | None = None, limits: ImageLimits | None = None) -> Iterator[Source]:
    """Open a folder or a zip archive.

    Parameters
    ----------
    path : Path
    name : str, optional
        What an uploaded archive is called.
    limits : ImageLimits, optional

    Raises
    ------
    DatasetError
        There is neither, or the archive is damaged or over a cap.
    """
    limits = limits or ImageLimits.from_environment()
    if path.is_dir():
        yield _Folder(path, limits)
        return
    if not path.is_file():
        raise DatasetError(f"There is no folder and no archive at {path}.")
    with path.open("rb") as file:
        yield _Archive(file, name or path.name, limits, ArchiveLimits.from_environment())


def _wanted(name: str) -> bool:
    return not any(part.startswith(".") or part.lower() in _SYSTEM_FILES for part in PurePosixPath(name).parts)


def _shown(name: str) -> str:
    """A name that can be stored and printed, for one whose bytes are no text on this system."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


class _Folder:
    def __init__(self, folder: Path, limits: ImageLimits) -> None:
        self.title = _shown(f"folder {folder.resolve()}")
        self.rejected: dict[str, str] = {}
        self._folder, self._limits = folder, limits
        names = [
            (Path(parent) / name).relative_to(folder).as_posix()
            for parent, _, names in os.walk(folder)
            for name in names
        ]
        self._named = {_shown(name): name for name in names if _wanted(name)}
        self.files = sorted(self._named)

    def read(self, name: str) -> bytes:
        path = self._folder / self._named[name]
        try:
            # A pipe or a device may never end, and a link may lead to one or out of the folder.
            if path.is_symlink() or not path.is_file():
                raise ImageError("It is a link or no ordinary file.")
            with path.open("rb") as file:
                data = file.read(self._limits.max_bytes + 1)
        except OSError as error:
            raise ImageError("The file cannot be opened.") from error
        return data


class _Archive:
    def __init__(self, file: BinaryIO, name: str, limits: ImageLimits, caps: ArchiveLimits) -> None:
        self.title = _shown(f"archive {name}")
        self.rejected: dict[str, str] = {}
        self._limits, self._caps = limits, caps
        self._unpacked, self._counting = 0, threading.Lock()
        try:
            if _directory_bytes(file) > caps.max_directory_bytes:
                raise DatasetError(f"{name} lists far too many files; at most {caps.max_entries} can be read.")
            self._zip = zipfile.ZipFile(file)
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
            raise DatasetError(f"{name} is no zip archive that can be read; pack it again.") from error
        if len(entries) > caps.max_entries:
            raise DatasetError(f"{name} holds {len(entries)} files; at most {caps.max_entries} can be read.")
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            self._list(entry)
        self.files = sorted(self._entries)

    def _list(self, entry: zipfile.ZipInfo) -> None:
        name = entry.filename.replace("\\", "/")
        path = PurePosixPath(name)
        if entry.is_dir() or name.endswith("/"):
            return
        if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
            self.rejected[name] = "Its name leads out of the archive."
        elif not _wanted(name):
            return
        elif stat.S_ISLNK(entry.external_attr >> 16):
            self.rejected[name] = "It is a link, not a file."
        elif name in self._entries:
            again = next(f"{name} ({number})" for number in counting(2) if f"{name} ({number})" not in self.rejected)
            self.rejected[again] = "The archive holds another file of the same name."
        else:
            self._entries[name] = entry

    def read(self, name: str) -> bytes:
        entry, most = self._entries[name], self._limits.max_bytes + 1
        try:
            with self._zip.open(entry) as file:
                data = file.read(most)
        except RuntimeError as error:
            raise ImageError("It is locked with a password or packed in a way that cannot be read.") from error
        except Exception as error:
            # Each way of packing has errors of its own: zlib.error, LZMAError, EOFError, struct.error …
            raise ImageError("The archive is damaged at this file.") from error
        with self._counting:
            self._unpacked += len(data)
            if self._unpacked > self._caps.max_bytes:
                raise ImageError(f"The archive unpacks to more than {self._caps.max_bytes / 1e9:g} GB.")
        if len(data) > max(_SMALL, self._caps.max_ratio * entry.compress_size):
            raise ImageError("It is packed far more tightly than any photo: a trap.")
        return data


def _directory_bytes(file: BinaryIO) -> int:
    """Bytes of an archive's list of contents, by its last record; zipfile reads all of the list before one may ask."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LARGEST_END))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        return 0  # zipfile will say that this is no archive
    (count,) = struct.unpack_from("<L", tail, at + 12)
    wide = tail.rfind(_END_64, 0, at)
    if count == 0xFFFFFFFF and wide >= 0:
        (count,) = struct.unpack_from("<Q", tail, wide + 40)
    return int(count)


def read_table(source: Source, name: str) -> str:
    """The text of a table in a source; empty when it cannot be read."""
    try:
        data = source.read(name)
    except ImageError:
        return ""
    return "" if len(data) > _TABLE_BYTES else data.decode("utf-8-sig", errors="replace")
