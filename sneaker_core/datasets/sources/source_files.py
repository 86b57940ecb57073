"""The files of a folder or zip archive, read one by one; archives are never unpacked to disk."""

import contextlib
import os
import stat
import struct
import threading
import zipfile
from collections.abc import Iterator
from itertools import count as counting
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, Protocol

from sneaker_core.datasets.sources.text_encoding import archive_names, table_text
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.settings import ArchiveLimits, ImageLimits

_TABLE_BYTES = 20_000_000
# Files and folders that systems and programs leave behind; those that begin with a point are hidden.
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "#recycle", "$recycle.bin", "__pycache__"}
# Below this many bytes a high compression ratio is harmless and common: an image of one color.
_SMALL = 1_000_000
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_LARGEST_END = 22 + 65535


class Source(Protocol):
    """A folder or archive with photos.

    Attributes
    ----------
    title : str
        Shown to the user and stored in the index: "folder /photos" or "archive shoes.zip".
    files : list of str
        Sorted paths with forward slashes, without hidden files and system files.
    rejected : dict of str to str
        Name -> reason, for entries that are not read at all.
    skipped : int
        Number of hidden files and of files that systems leave behind, such as thumbnails.
    notes : list of str
        What was assumed to read the source, as sentences.
    """

    title: str
    files: list[str]
    rejected: dict[str, str]
    skipped: int
    notes: list[str]

    def read(self, name: str) -> bytes:
        """Return the bytes of one file; raises ImageError if it exceeds a limit or can't be read."""
        ...


@contextlib.contextmanager
def open_source(path: Path, name: str | None = None, limits: ImageLimits | None = None) -> Iterator[Source]:
    """Open a folder or a zip archive.

    Parameters
    ----------
    path : Path
    name : str, optional
        Original name of an uploaded archive.
    limits : ImageLimits, optional

    Raises
    ------
    DatasetError
        The path is neither, or the archive is damaged or exceeds a limit.
    """
    limits = limits or ImageLimits.from_environment()
    if path.is_dir():
        yield FolderSource(path, limits)
        return
    if not path.is_file():
        raise DatasetError(f"There is no folder or archive at {path}.")
    with path.open("rb") as file:
        yield open_archive(file, name or path.name, limits)


def open_archive(file: BinaryIO, name: str, limits: ImageLimits | None = None) -> Source:
    """Open a zip archive that is not on disk; raises DatasetError as `open_source`."""
    return _Archive(file, name, limits or ImageLimits.from_environment(), ArchiveLimits.from_environment())


def is_wanted(name: str) -> bool:
    """Whether a path names no hidden file, nor one that systems leave behind."""
    return not any(part.startswith(".") or part.lower() in _SYSTEM_FILES for part in PurePosixPath(name).parts)


def _printable(name: str) -> str:
    """A name that can be stored and printed, even if its bytes are not valid text on this system."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


class FolderSource:
    """A folder on disk."""

    def __init__(self, folder: Path, limits: ImageLimits) -> None:
        self.title = _printable(f"folder {folder.resolve()}")
        self.rejected: dict[str, str] = {}
        self.notes: list[str] = []
        self._folder, self._limits = folder, limits
        names = list(self._walk())
        self._on_disk = {_printable(name): name for name in names if is_wanted(name)}
        self.skipped = len(names) - len(self._on_disk)
        self.files = sorted(self._on_disk)

    def _walk(self) -> Iterator[str]:
        """The paths of all files; links to folders, and folders that can't be opened, are rejected."""

        def reject(error: OSError) -> None:
            name = _printable(Path(error.filename).relative_to(self._folder).as_posix())
            self.rejected[name] = f"This folder can't be opened: {error.strerror}."

        for parent, folders, files in os.walk(self._folder, onerror=reject):
            place = Path(parent).relative_to(self._folder)
            for name in folders:
                if (Path(parent) / name).is_symlink() and is_wanted((place / name).as_posix()):
                    self.rejected[_printable((place / name).as_posix())] = "It is a link to a folder."
            yield from ((place / name).as_posix() for name in files)

    def path_of(self, name: str) -> Path:
        """Return the path on disk of one of `files`."""
        return self._folder / self._on_disk[name]

    def read(self, name: str) -> bytes:
        """Return the bytes of one file. Links are refused: they may lead out of the folder."""
        path = self.path_of(name)
        try:
            if path.is_symlink() or not path.is_file():  # reading a pipe or a device may never end
                raise ImageError("It is a link or not a regular file.")
            with path.open("rb") as file:
                data = file.read(self._limits.max_bytes + 1)
        except OSError as error:
            raise ImageError("The file can't be opened.") from error
        return data


class _Archive:
    def __init__(self, file: BinaryIO, name: str, limits: ImageLimits, archive_limits: ArchiveLimits) -> None:
        self.title = _printable(f"archive {name}")
        self.rejected: dict[str, str] = {}
        self.notes: list[str] = []
        self.skipped = 0
        self._limits, self._archive_limits = limits, archive_limits
        self._unpacked, self._counting = 0, threading.Lock()
        most = archive_limits.max_entries
        try:
            if directory_bytes(file) > archive_limits.max_directory_bytes:
                raise DatasetError(f"{name} lists too many files; the limit is {most}.")
            self._zip = zipfile.ZipFile(file)
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
            raise DatasetError(f"Can't read {name}: it isn't a zip archive. Choose another file.") from error
        if len(entries) > most:
            raise DatasetError(f"{name} has {len(entries)} files; the limit is {most}.")
        self._entries: dict[str, zipfile.ZipInfo] = {}
        names, encoding = archive_names(entries)
        if encoding is not None:
            self.notes.append(f"The archive doesn't say how its file names are written; they were read as {encoding}.")
        for entry, own in zip(entries, names, strict=True):
            self._list(entry, own.replace("\\", "/"))
        self.files = sorted(self._entries)

    def _list(self, entry: zipfile.ZipInfo, name: str) -> None:
        path = PurePosixPath(name)
        if entry.is_dir() or name.endswith("/"):
            return
        if path.is_absolute():
            self.rejected[name] = "Its path is absolute; only paths inside the archive are read."
        elif PureWindowsPath(name).drive:
            self.rejected[name] = "Its path begins with a drive; only paths inside the archive are read."
        elif ".." in path.parts:
            self.rejected[name] = "Its path leads out of the archive."
        elif not is_wanted(name):
            self.skipped += 1
        elif stat.S_ISLNK(entry.external_attr >> 16):
            self.rejected[name] = "It is a link, not a file."
        elif name in self._entries:
            again = next(f"{name} ({number})" for number in counting(2) if f"{name} ({number})" not in self.rejected)
            self.rejected[again] = "The archive has another file with the same name."
        else:
            self._entries[name] = entry

    def read(self, name: str) -> bytes:
        entry, most = self._entries[name], self._limits.max_bytes + 1
        try:
            with self._zip.open(entry) as file:
                data = file.read(most)
        except RuntimeError as error:
            raise ImageError("It is protected with a password or compressed in an unsupported way.") from error
        except Exception as error:
            # Each compression method has its own errors: zlib.error, LZMAError, EOFError, struct.error …
            raise ImageError("The archive is damaged at this file.") from error
        with self._counting:
            self._unpacked += len(data)
            if self._unpacked > self._archive_limits.max_bytes:
                raise ImageError(f"The archive unpacks to more than {self._archive_limits.max_bytes / 1e9:g} GB.")
        if len(data) > max(_SMALL, self._archive_limits.max_ratio * entry.compress_size):
            raise ImageError("It is compressed far more than any photo: probably a zip bomb.")
        return data


def directory_bytes(file: BinaryIO) -> int:
    """Size in bytes of an archive's directory, from its last record; zipfile would read the whole directory first."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LARGEST_END))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        return 0  # not an archive; zipfile reports it
    (count,) = struct.unpack_from("<L", tail, at + 12)
    wide = tail.rfind(_END_64, 0, at)
    if count == 0xFFFFFFFF and wide >= 0:
        (count,) = struct.unpack_from("<Q", tail, wide + 40)
    return int(count)


def read_table(source: Source, name: str) -> str:
    """Return the text of a CSV file in a source, or an empty string if it can't be read."""
    try:
        data = source.read(name)
    except ImageError:
        return ""
    return "" if len(data) > _TABLE_BYTES else table_text(data)
