"""Folder names for untrusted names: safe on every system and unique."""

import hashlib
import re
import unicodedata
from collections.abc import Container
from pathlib import Path

_LONGEST, _MOST_BYTES = 80, 255
# Reserved device names on Windows, with any extension.
_DEVICES = re.compile(r"(CON|PRN|AUX|NUL|(COM|LPT)[\d¹²³]) *(\..*)?", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w\-().+& ]|^[.\s]+|[.\s]+$")
_MARK_LENGTH = 8


def safe_folder_name(name: str, taken: Container[str] = ()) -> str:
    """Return a safe folder name for an untrusted name.

    Safe names stay as they are. Other names lose their unsafe characters and gain a suffix derived from the whole
    name, so that two names never share a folder.

    Parameters
    ----------
    name : str
        Any text: "Air Jordan 1", "../..", "CON", an emoji, 300 letters.
    taken : container of str
        Names in use, in lower case, because some systems don't distinguish "a" and "A".

    Returns
    -------
    str
        1 to 80 characters: letters, digits, spaces and ``-_().+&``; no dot or space at either end.
    """
    composed = unicodedata.normalize("NFC", name)
    # Removing characters can bring letters together that combine into one.
    safe = unicodedata.normalize("NFC", " ".join(_UNSAFE.sub("", composed).split()))[:_LONGEST].strip(". ")
    fits = bool(safe) and len(safe.encode()) <= _MOST_BYTES and not _DEVICES.fullmatch(safe)
    if safe == composed == name and fits and safe.lower() not in taken:
        return safe
    if _DEVICES.fullmatch(safe):
        safe = safe.partition(".")[0]
    # Characters take up to four bytes, and file names are limited to 255 bytes.
    stem = safe.encode()[: _LONGEST - _MARK_LENGTH - 1].decode(errors="ignore").strip(". ") or "class"
    mark = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    longer = (f"{stem}-{mark[:length]}" for length in range(_MARK_LENGTH, len(mark) + 1))
    return next(candidate for candidate in longer if candidate.lower() not in taken)


def free_folder_name(wanted: str, taken: set[str]) -> str:
    """The name of a folder as it is if it is text and free, or else a similar one."""
    if is_text(wanted) and wanted not in taken:
        return wanted
    return safe_folder_name(name_as_text(wanted), {name.lower() for name in taken})


def names_in(folder: Path) -> set[str]:
    """The names of what is in a folder; none if there is no such folder."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def is_text(name: str) -> bool:
    """Whether the name of a file or folder can be shown: a system may hold names in an encoding that isn't its own."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def name_as_text(name: str) -> str:
    """The name of a file or folder as text, with question marks for what is none."""
    return name.encode(errors="replace").decode()


def natural_order(name: str) -> list[tuple[int, str]]:
    """Return a sort key that ignores case and puts "Air 9" before "Air 10"; different names have different keys."""
    parts = re.split(r"(\d+)", name.casefold())
    return [*((int(part), "") if part.isdecimal() else (0, part) for part in parts), (0, name)]
