"""Text of unknown encoding: the names in a zip archive, and tables."""

import codecs
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence

# Encodings that archive programs use for names without saying so, the most usual first.
_LEGACY = ("cp437", "cp850", "cp1252", "cp932", "gb18030", "euc_kr", "big5", "cp866", "cp1251")
_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def table_text(data: bytes) -> str:
    """The text of a table in UTF-8, UTF-16 or UTF-32, or else Windows-1252; never with replacement characters."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data, encoding) or data.decode("latin-1")
    if b"\0" in data[:200]:
        # Without a mark, every other byte of plain text is zero.
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
        return _decoded(data, encoding) or data.decode("latin-1")
    for encoding in ("utf-8", "cp1252"):
        if (text := _decoded(data, encoding)) is not None:
            return text
    return data.decode("latin-1")


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeError:
        return None


def archive_names(entries: Sequence[zipfile.ZipInfo]) -> tuple[list[str], str | None]:
    """The names of the entries of an archive, and the encoding that was assumed for those that don't say.

    Returns
    -------
    list of str
        In the order of the entries.
    str or None
        None if no assumption was necessary.

    References
    ----------
    APPNOTE.TXT of the zip format, 4.4.4 (bit 11) and 4.6.9 (Info-ZIP Unicode Path Extra Field).
    """
    names: list[str | None] = [_told_name(entry) for entry in entries]
    unknown = [_raw_name(entry) for entry, name in zip(entries, names, strict=True) if name is None]
    encoding = legacy_encoding(unknown) if unknown else None
    decoded = [
        _raw_name(entry).decode(str(encoding)) if name is None else name
        for entry, name in zip(entries, names, strict=True)
    ]
    # As zipfile does: a name ends at a zero byte.
    return [name.partition("\0")[0] for name in decoded], encoding


def _raw_name(entry: zipfile.ZipInfo) -> bytes:
    # zipfile decodes names without the flag as cp437, which is reversible.
    return entry.orig_filename.encode("cp437")


def _told_name(entry: zipfile.ZipInfo) -> str | None:
    """A name in UTF-8, by flag, by extra field, or because nothing else is likely; None if its encoding is unknown."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.filename
    raw = _raw_name(entry)
    return _name_in_extra(entry.extra, raw) or _decoded(raw, "utf-8")


def _name_in_extra(extra: bytes, raw: bytes) -> str | None:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        # Version 1, and the checksum of the name that it replaces: a renamed entry has another.
        if kind == _UNICODE_PATH and field[:1] == b"\x01" and field[1:5] == struct.pack("<L", zlib.crc32(raw)):
            return _decoded(field[5:], "utf-8")
    return None


def legacy_encoding(names: Sequence[bytes]) -> str:
    """The code page in which names are most likely written: the one in which they are words of one script."""
    from charset_normalizer import from_bytes

    together = b"\n".join(names)
    scores = {
        encoding: _plausibility(text)
        for encoding in _LEGACY
        if (text := _decoded(together, encoding)) is not None and all(_decoded(name, encoding) for name in names)
    }
    best = max(scores.values())
    likely = [encoding for encoding, score in scores.items() if score == best]
    guess = from_bytes(together, cp_isolation=list(_LEGACY), threshold=0.5).best()
    return guess.encoding if guess is not None and guess.encoding in likely else likely[0]


def _plausibility(text: str) -> float:
    """The share of characters beyond ASCII that are letters of the most frequent script, 0 to 1."""
    beyond = [char for char in text if char > "\x7f"]
    scripts = [
        unicodedata.name(char, "").split(" ")[0] for char in beyond if unicodedata.category(char).startswith("L")
    ]
    east = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}
    scripts = ["CJK" if script in east else script for script in scripts if script != "HALFWIDTH"]
    return max((scripts.count(script) for script in set(scripts)), default=0) / max(1, len(beyond))
