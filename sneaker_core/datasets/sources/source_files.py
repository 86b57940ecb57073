"""The files of a folder or zip archive, read one by one; archives are never unpacked to disk."""

import contextlib
import os
import stat
import struct
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import count as counting
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, Protocol

from sneaker_core.datasets.sources.json_tables import JSON_ENDINGS
from sneaker_core.datasets.sources.text_encoding import archive_names, table_text
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.settings import ArchiveLimits, ImageLimits

# Tables of labels: far more than a table of a million photos has. JSON also holds the outlines of objects.
_TABLE_BYTES, _JSON_BYTES = 20_000_000, 200_000_000
# Files and folders that systems and programs leave behind; those that begin with a point are hidden.
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "#recycle", "$recycle.bin", "__pycache__"}
# Below this many bytes a high compression ratio is harmless and common: an image of one color.
_SMALL = 1_000_000
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
# Sizes of those records in bytes; the comment after the first has at most 65535.
_END_SIZE, _END_64_SIZE, _LOCATOR_64_SIZE = 22, 56, 20
_LARGEST_COMMENT = 65535
_IN_ZIP64 = 0xFFFFFFFF


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

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the first bytes of one file, at most one more than the limit; by default, that of photos.

        Raises ImageError if the file can't be read, or is more than the source allows in all.
        """
        ...

    def size(self, name: str) -> int:
        """Number of bytes of one file, as its folder or archive states it."""
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

    def size(self, name: str) -> int:
        """Number of bytes of one file; 0 if it is gone."""
        try:
            return self.path_of(name).lstat().st_size
        except OSError:
            return 0

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return the first bytes of one file. Links are refused: they may lead out of the folder."""
        path = self.path_of(name)
        try:
            if path.is_symlink() or not path.is_file():  # reading a pipe or a device may never end
                raise ImageError("It is a link or not a regular file.")
            with path.open("rb") as file:
                data = file.read((limit or self._limits.max_bytes) + 1)
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

    def size(self, name: str) -> int:
        return self._entries[name].file_size

    def read(self, name: str, limit: int | None = None) -> bytes:
        entry, most = self._entries[name], (limit or self._limits.max_bytes) + 1
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
            raise ImageError("It is compressed far more than any photo or table: probably a zip bomb.")
        return data


def directory_bytes(file: BinaryIO) -> int:
    """Size in bytes of an archive's directory, from its last records; zipfile would read the whole directory first.

    Whatever one reader takes for the size is counted: zipfile prefers the record for large archives wherever there is
    one, and looks for it before its locator, as others look where the locator says.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END_SIZE - _LARGEST_COMMENT - _LOCATOR_64_SIZE - _END_64_SIZE)
    file.seek(start)
    tail = file.read()
    at = _end_record(tail)
    if at is None:
        return 0  # not an archive; zipfile reports it
    (stated,) = struct.unpack_from("<L", tail, at + 12)
    located = tail[max(0, at - _LOCATOR_64_SIZE) : at]
    if len(located) < _LOCATOR_64_SIZE or not located.startswith(_LOCATOR_64):
        return int(stated)
    (told,) = struct.unpack_from("<Q", located, 8)
    records = [tail[max(0, at - _LOCATOR_64_SIZE - _END_64_SIZE) : at - _LOCATOR_64_SIZE]]
    if told <= size:
        file.seek(told)
        records.append(file.read(_END_64_SIZE))
    wide = [struct.unpack_from("<Q", one, 40)[0] for one in records if _is_end_64(one)]
    return max(0 if wide and stated == _IN_ZIP64 else int(stated), *map(int, wide), 0)


def _end_record(tail: bytes) -> int | None:
    """Where the last record of an archive begins: at the very end, or before a comment."""
    last = len(tail) - _END_SIZE
    if last >= 0 and tail.startswith(_END, last) and tail.endswith(b"\0\0"):
        return last
    at = tail.rfind(_END)
    return at if 0 <= at <= last else None


def _is_end_64(record: bytes) -> bool:
    return len(record) == _END_64_SIZE and record.startswith(_END_64)


class TableTexts(Mapping[str, str]):
    """The text of each table in a source, read when it is asked for.

    Parameters
    ----------
    source : Source
    title : str
        Of the source, for messages.
    names : sequence of str
        Paths of the tables.
    are_needed : bool
        Whether a table that can't be read is an error, because it may hold the labels; otherwise, it has no text.
    """

    def __init__(self, source: Source, title: str, names: Sequence[str], *, are_needed: bool) -> None:
        self._source, self._title, self._names, self._are_needed = source, title, names, are_needed

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> str:
        try:
            return _read_table(self._source, name)
        except ImageError as error:
            if not self._are_needed:
                return ""
            raise DatasetError(
                f"{name} may hold the labels of {self._title}, but can't be read. {error} Replace or remove it, or "
                "choose a layout that takes the classes from folders."
            ) from error


def _read_table(source: Source, name: str) -> str:
    """The text of a table; raises ImageError if all of it can't be read."""
    limit = _JSON_BYTES if name.lower().endswith(JSON_ENDINGS) else _TABLE_BYTES
    size = source.size(name)
    data = source.read(name, limit) if size <= limit else b""
    if max(size, len(data)) > limit:
        raise ImageError(
            f"It has {max(size, len(data)) / 1e6:,.1f} MB; the limit for such tables is {limit / 1e6:g} MB."
        )
    return table_text(data)
