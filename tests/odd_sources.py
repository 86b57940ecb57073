"""A builder of odd folders and archives.

A source is a mapping: path -> what is there. Bytes make a file, text makes a text file, and `Link`, `Special`,
`Locked` and `Damaged` make what their names say. `make_folder` writes it to disk, `make_archive` packs it. To try
another form, add a row to `ODD_FORMS`: every test of sources then tries it.
"""

import os
import socket
import stat
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.factories import jpeg, photo, write

PHOTO, OTHER_PHOTO = jpeg(photo(0, (24, 16))), jpeg(photo(1, (24, 16)))
# The reason for things that are skipped and counted rather than rejected.
SKIPPED = "skipped"


@dataclass(frozen=True)
class Link:
    """A symbolic link.

    Attributes
    ----------
    target : str
        Relative to the link.
    """

    target: str


class Special(Enum):
    """What is neither a file, nor a folder, nor a link."""

    PIPE = "pipe"
    SOCKET = "socket"


@dataclass(frozen=True)
class Locked:
    """A file of an archive that is protected with a password."""

    data: bytes


@dataclass(frozen=True)
class Damaged:
    """A file of an archive whose bytes are not those that were packed."""

    data: bytes


Content = bytes | str | Link | Special | Locked | Damaged


@dataclass(frozen=True)
class OddForm:
    """Odd things in a source, beside one good photo.

    Attributes
    ----------
    content : dict of str to Content
    reasons : dict of str to str
        Path -> words of the reason why it is not imported, or `SKIPPED`. Everything else is imported.
    packed, unpacked : bool
        Whether an archive, or a folder, can hold it.
    """

    content: dict[str, Content]
    reasons: dict[str, str]
    packed: bool = True
    unpacked: bool = True


ODD_FORMS = {
    "a link to a photo": OddForm({"boot/x.jpg": Link("1.jpg")}, {"boot/x.jpg": "link"}),
    "a link to nothing": OddForm({"boot/x.jpg": Link("gone.jpg")}, {"boot/x.jpg": "link"}),
    "a link to itself": OddForm({"boot/x.jpg": Link("x.jpg")}, {"boot/x.jpg": "link"}),
    "a link to the folder above": OddForm({"boot/up": Link("..")}, {"boot/up": "link"}),
    "a link to a folder in place of a class": OddForm({"clog": Link("boot")}, {"clog": "link"}),
    "a pipe": OddForm({"boot/x.jpg": Special.PIPE}, {"boot/x.jpg": "not a regular file"}, packed=False),
    "a socket": OddForm({"boot/x.jpg": Special.SOCKET}, {"boot/x.jpg": "not a regular file"}, packed=False),
    "thumbnails of a network drive": OddForm({"boot/@eaDir/1.jpg": OTHER_PHOTO}, {"boot/@eaDir/1.jpg": SKIPPED}),
    "resource forks of a Mac": OddForm({"__MACOSX/boot/._1.jpg": b"x"}, {"__MACOSX/boot/._1.jpg": SKIPPED}),
    "checkpoints of a notebook": OddForm(
        {".ipynb_checkpoints/1.jpg": OTHER_PHOTO, "boot/.ipynb_checkpoints/2.jpg": OTHER_PHOTO},
        {".ipynb_checkpoints/1.jpg": SKIPPED, "boot/.ipynb_checkpoints/2.jpg": SKIPPED},
    ),
    "thumbnails of Windows": OddForm(
        {"boot/Thumbs.db": b"x", "desktop.ini": b"x"}, {"boot/Thumbs.db": SKIPPED, "desktop.ini": SKIPPED}
    ),
    "compiled Python": OddForm({"__pycache__/a.pyc": b"x"}, {"__pycache__/a.pyc": SKIPPED}),
    "an empty file": OddForm({"boot/x.jpg": b""}, {"boot/x.jpg": "empty"}),
    "a text called photo": OddForm({"boot/x.jpg": "text"}, {"boot/x.jpg": "not a photo"}),
    "half a photo": OddForm({"boot/x.jpg": OTHER_PHOTO[:200]}, {"boot/x.jpg": "damaged"}),
    "an archive in it": OddForm({"boot/more.zip": b"PK\x05\x06" + bytes(18)}, {"boot/more.zip": "not a photo"}),
    "a photo beside the classes": OddForm({"x.jpg": OTHER_PHOTO}, {"x.jpg": "class"}),
    "a path that leads out": OddForm({"../x.jpg": OTHER_PHOTO}, {"../x.jpg": "leads out"}, unpacked=False),
    "an absolute path": OddForm({"/boot/x.jpg": OTHER_PHOTO}, {"/boot/x.jpg": "absolute"}, unpacked=False),
    "a drive": OddForm({"C:\\boot\\x.jpg": OTHER_PHOTO}, {"C:/boot/x.jpg": "drive"}, unpacked=False),
    "a drive without a root": OddForm({"d:x.jpg": OTHER_PHOTO}, {"d:x.jpg": "drive"}, unpacked=False),
    "a computer": OddForm({"\\\\nas\\x.jpg": OTHER_PHOTO}, {"//nas/x.jpg": "absolute"}, unpacked=False),
    "a password": OddForm({"boot/x.jpg": Locked(OTHER_PHOTO)}, {"boot/x.jpg": "password"}, unpacked=False),
    "a damaged entry": OddForm({"boot/x.jpg": Damaged(OTHER_PHOTO)}, {"boot/x.jpg": "damaged"}, unpacked=False),
}


def make_folder(folder: Path, content: Mapping[str, Content]) -> Path:
    """Write a source to disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, thing in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match thing:
            case Link(target):
                path.symlink_to(target)
            case Special.PIPE:
                os.mkfifo(path)
            case Special.SOCKET:
                _bind(path)
            case _:
                write(path, _bytes(thing))
    return folder


def _bind(path: Path) -> None:
    """Make a socket. Its path may be too long for the system, so it is bound in its own folder."""
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


def make_archive(path: Path, content: Mapping[str, Content], method: int = zipfile.ZIP_STORED) -> Path:
    """Pack a source."""
    return archive_of(path, *((_entry(name, thing), _bytes(thing)) for name, thing in content.items()), method=method)


def _entry(name: str, thing: Content) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("x")
    entry.filename = name  # the constructor would turn backslashes around on Windows, and cut the name at a zero
    entry.external_attr = (stat.S_IFLNK | 0o777 if isinstance(thing, Link) else 0) << 16
    return entry


def _bytes(thing: Content) -> bytes:
    match thing:
        case Link(target):
            return target.encode()
        case Locked(data) | Damaged(data):
            return data
        case str():
            return thing.encode()
        case bytes():
            return thing
    raise TypeError(thing)


def spoil(path: Path, content: Mapping[str, Content]) -> Path:
    """Lock and damage the entries of an archive that are to be so."""
    for name, thing in content.items():
        if isinstance(thing, Locked):
            set_flag(path, name, 0x1)
        elif isinstance(thing, Damaged):
            data = path.read_bytes()
            path.write_bytes(data.replace(thing.data, bytes(byte ^ 0xFF for byte in thing.data)))
    return path


def archive_of(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """An archive with these entries, which may have the same name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data, method)
    return path


def set_flag(path: Path, name: str, flag: int) -> Path:
    """Set a flag bit of one entry in both of its headers."""
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", (6, 30)), (b"PK\x01\x02", (8, 46))):
        start = next(
            place
            for place in range(len(data))
            if data.startswith(signature, place) and data.startswith(name.encode(), place + at[1])
        )
        struct.pack_into("<H", data, start + at[0], flag)
    path.write_bytes(data)
    return path


class UnflaggedEntry(zipfile.ZipInfo):
    """An entry whose name is in some encoding, without saying so, as many archive programs write it."""

    def __init__(self, name: str, encoding: str) -> None:
        super().__init__("x")
        self.filename = name
        self._encoded = name.encode(encoding)

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  (the name of zipfile's method)
        return self._encoded, self.flag_bits & ~0x800
