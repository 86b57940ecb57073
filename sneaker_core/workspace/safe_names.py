"""Names from outside as names of folders: safe on every system, one for one."""

import hashlib
import re
import unicodedata
from collections.abc import Container

_LONGEST, _MOST_BYTES = 80, 255
# Windows takes these for devices, whatever ending they have.
_DEVICES = re.compile(r"(CON|PRN|AUX|NUL|(COM|LPT)[\d¹²³]) *(\..*)?", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w\-().+& ]|^[.\s]+|[.\s]+$")
_MARK_LENGTH = 8


def safe_folder_name(name: str, taken: Container[str] = ()) -> str:
    """A folder's name for a name from outside.

    A name that is safe already stays as it is. Any other loses what no file system must see and gains a mark made
    from the whole name, so that two names never share a folder.

    Parameters
    ----------
    name : str
        As a person, a file or an archive wrote it: "Air Jordan 1", "../..", "CON", an emoji, 300 letters.
    taken : container of str
        Names in use already, in lower case, for some systems do not tell "a" from "A".

    Returns
    -------
    str
        1 to 80 characters: letters, digits, spaces and ``-_().+&``; neither starts nor ends with a dot or a space.
    """
    composed = unicodedata.normalize("NFC", name)
    # Letters come to lie side by side that were apart, and may be one letter then.
    safe = unicodedata.normalize("NFC", " ".join(_UNSAFE.sub("", composed).split()))[:_LONGEST].strip(". ")
    fits = bool(safe) and len(safe.encode()) <= _MOST_BYTES and not _DEVICES.fullmatch(safe)
    if safe == composed == name and fits and safe.lower() not in taken:
        return safe
    if _DEVICES.fullmatch(safe):
        safe = safe.partition(".")[0]
    # Letters of other scripts are up to four bytes long, and a name may have 255 bytes.
    stem = safe.encode()[: _LONGEST - _MARK_LENGTH - 1].decode(errors="ignore").strip(". ") or "class"
    mark = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    longer = (f"{stem}-{mark[:length]}" for length in range(_MARK_LENGTH, len(mark) + 1))
    return next(candidate for candidate in longer if candidate.lower() not in taken)


def natural_order(name: str) -> list[tuple[int, str]]:
    """A key for sorting names as people do: capitals or not, "Air 9" before "Air 10"; no two names have the same."""
    parts = re.split(r"(\d+)", name.casefold())
    return [*((int(part), "") if part.isdecimal() else (0, part) for part in parts), (0, name)]
