"""Limits on how a photo file is built, checked before any pixel is decoded.

A small file can cost minutes: a JPEG of ten thousand scans, a PNG of a million empty chunks. The parts of a file can be
counted without decoding them. Each check follows the file as its decoder does, jumps from part to part, and stops at
the limit, so that it takes a few milliseconds whatever the file holds.
"""

import re
from collections.abc import Iterator

from sneaker_core.errors import SlowImageError
from sneaker_core.settings import ImageLimits

# A marker that isn't part of the pixels: in them, FF is followed by 00 or a restart marker. FFs may precede a marker.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_ALONE = (0x01, 0xD8, 0xD9)  # markers without a length: TEM, start and end of image
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
# Bytes between the segments of a JPEG's header, which Pillow skips one by one. There should be none.
_JPEG_MAX_PADDING = 65_536
# Pillow unpacks every color profile, a megabyte each, though only one is allowed.
_PNG_MAX_PROFILES = 10

_GIF_EXTENSION, _GIF_FRAME, _GIF_END = 0x21, 0x2C, 0x3B


def check_jpeg(data: bytes, limits: ImageLimits) -> None:
    """Check the scans and segments of a JPEG file.

    Raises
    ------
    SlowImageError
        There are too many; the other checks raise it as well.
    """
    at, scans, padding = 2, 0, 0
    for _ in _counted(limits.max_segments):
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            return
        if not scans:
            padding += found.start() - at
        _refuse_over(_JPEG_MAX_PADDING, padding, "bytes of padding")
        marker, at = data[found.start() + 1], found.end()
        if marker == _JPEG_END and scans:
            return
        if marker in _JPEG_ALONE:
            continue
        scans += marker == _JPEG_SCAN
        _refuse_over(limits.max_scans, scans, "scans")
        at += max(int.from_bytes(data[at : at + 2], "big"), 2)


def check_png(data: bytes, limits: ImageLimits) -> None:
    """Check the chunks of a PNG file."""
    at, profiles = 8, 0
    for _ in _counted(limits.max_parts):
        kind = data[at + 4 : at + 8]
        if not kind or kind == b"IEND":
            return
        profiles += kind == b"iCCP"
        _refuse_over(_PNG_MAX_PROFILES, profiles, "color profiles")
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def check_gif(data: bytes, limits: ImageLimits) -> None:
    """Check the blocks before the first frame of a GIF file; what follows is not read."""
    at = 13 + (3 << (data[10] & 7) + 1 if len(data) > 10 and data[10] & 0x80 else 0)
    in_extension = False
    for _ in _counted(limits.max_parts):
        if at >= len(data):
            return
        byte = data[at]
        if in_extension:  # a block: its length, then its bytes; an empty one is the last
            at += 1 + byte
            in_extension = byte > 0
        elif byte in (_GIF_FRAME, _GIF_END):
            return
        else:
            in_extension = byte == _GIF_EXTENSION
            at += 2 if in_extension else 1


def check_webp(data: bytes, limits: ImageLimits) -> None:
    """Check the chunks, among them the frames, of a WebP file."""
    at = 12
    for _ in _counted(limits.max_parts):
        if at >= len(data):
            return
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2


def check_boxes(data: bytes, limits: ImageLimits) -> None:
    """Check the pictures of which a HEIC or AVIF file is composed: each has an entry, and a few share a size."""
    _refuse_over(limits.max_tiles, max(data.count(b"infe"), data.count(b"ispe")), "tiles")


def check_nothing(data: bytes, limits: ImageLimits) -> None:
    """A BMP file has no parts to count."""


def _counted(most: int) -> Iterator[None]:
    """Go on for as many parts as are allowed."""
    for _ in range(most):
        yield
    _refuse_over(most, most + 1, "parts")


def _refuse_over(most: int, count: int, what: str) -> None:
    if count > most:
        raise SlowImageError(f"The photo takes too long to decode: its file has more than {most:,} {what}.")
