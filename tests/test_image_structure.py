"""Limits on how a photo file is built: small files that would cost minutes are refused before a pixel is decoded."""

import re
import struct
import zlib
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image, ImageFile

from sneaker_core.errors import SlowImageError
from sneaker_core.images import decode
from sneaker_core.settings import ImageLimits

LIMITS = ImageLimits(max_bytes=20_000_000, max_pixels=50_000_000)
SCANS, SEGMENTS, PARTS, TILES = LIMITS.max_scans, LIMITS.max_segments, LIMITS.max_parts, LIMITS.max_tiles
PICTURE = Image.linear_gradient("L").convert("RGB")


def encoded(kind: str, image: Image.Image = PICTURE, **options) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def progressive(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded("JPEG", progressive=True)
    starts = [found.start() for found in re.finditer(b"\xff\xda", data)]
    return data[:-2] + data[starts[-1] : -2] * (scans - len(starts)) + data[-2:]


def jpeg_with(inserted: bytes) -> bytes:
    """A JPEG with bytes before its first segment."""
    data = encoded("JPEG")
    return data[:2] + inserted + data[2:]


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_with(inserted: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG with chunks before and after its pixels."""
    data = encoded("PNG")
    return data[:33] + inserted + data[33:-12] + after + data[-12:]


def gif_with(inserted: bytes) -> bytes:
    """A GIF with blocks before its first frame."""
    data = encoded("GIF")
    start = 13 + (3 << (data[10] & 7) + 1)
    return data[:start] + inserted + data[start:]


def webp_with(chunks: int) -> bytes:
    """A WebP with empty chunks after its pixels."""
    pixels = encoded("WebP")[12:]
    header = b"VP8X" + struct.pack("<II", 10, 0) + struct.pack("<I", 255)[:3] * 2
    body = header + pixels + (b"XXXX" + bytes(4)) * chunks
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def heic() -> bytes:
    stream = BytesIO()
    pillow_heif.from_pillow(PICTURE).save(stream)
    return stream.getvalue()


_BLOCK = b"\x01a"
_PROFILE = chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10_000)))
COMMENT = b"\xff\xfe\x00\x02"
EXIF = b"\xff\xe1\x00\x0eExif\0\0II*\0\x08\0"

HOSTILE = {
    "a JPEG of many scans": (lambda: progressive(SCANS + 1), f"{SCANS} scans"),
    "ten thousand": (lambda: progressive(10_000), f"{SCANS} scans"),
    "scans after padding": (lambda: progressive(SCANS + 1).replace(b"\xff\xda", b"\xff\xff\xff\xda"), f"{SCANS} scans"),
    "scans after an early end": (
        lambda: progressive(SCANS + 1).replace(b"\xff\xd8", b"\xff\xd8\xff\xd9", 1),
        f"{SCANS} scans",
    ),
    "a JPEG of many comments": (lambda: jpeg_with(COMMENT * SEGMENTS), "1,000 parts"),
    "its Exif data in crumbs": (lambda: jpeg_with(EXIF * SEGMENTS), "1,000 parts"),
    "markers without a length": (lambda: jpeg_with(b"\xff\x01" * SEGMENTS), "1,000 parts"),
    "starts in a start": (lambda: jpeg_with(b"\xff\xd8" * SEGMENTS), "1,000 parts"),
    "padding": (lambda: jpeg_with(b"\xff" * 70_000), "65,536 bytes of padding"),
    "escaped padding": (lambda: jpeg_with(b"\xff\x00" * 35_000), "65,536 bytes of padding"),
    "restarts before there is a scan": (lambda: jpeg_with(b"\xff\xd0" * 35_000), "65,536 bytes of padding"),
    "a PNG of empty chunks": (lambda: png_with(chunk(b"abCd") * PARTS), "20,000 parts"),
    "of empty pixels": (lambda: png_with(after=chunk(b"IDAT") * PARTS), "20,000 parts"),
    "of texts": (lambda: png_with(chunk(b"tEXt", b"a\0b") * PARTS), "20,000 parts"),
    "of frames": (lambda: png_with(after=chunk(b"fdAT", bytes(4)) * PARTS), "20,000 parts"),
    "color profiles to unpack": (lambda: png_with(_PROFILE * 11), "10 color profiles"),
    "a GIF of comments": (lambda: gif_with(b"\x21\xfe\x01a\0" * (PARTS // 3 + 1)), "20,000 parts"),
    "one comment in crumbs": (lambda: gif_with(b"\x21\xfe" + _BLOCK * PARTS + b"\0"), "20,000 parts"),
    "bytes that mean nothing": (lambda: gif_with(b"\x01" * PARTS), "20,000 parts"),
    "a WebP of chunks": (lambda: webp_with(PARTS), "20,000 parts"),
    "a HEIC of tiles": (lambda: heic() + b"infe" * (TILES + 1), "1,000 tiles"),
    "of sizes": (lambda: heic() + b"ispe" * (TILES + 1), "1,000 tiles"),
    "an AVIF of tiles": (lambda: encoded("AVIF") + b"infe" * (TILES + 1), "1,000 tiles"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_would_take_minutes_is_refused_before_it_is_opened(name, monkeypatch):
    make, most = HOSTILE[name]
    data = make()
    monkeypatch.setattr(ImageFile.ImageFile, "__init__", lambda *_: pytest.fail("the file was opened"))
    with pytest.raises(SlowImageError) as caught:
        decode(data, LIMITS)
    assert str(caught.value) == f"The photo takes too long to decode: its file has more than {most}."


USUAL = {
    "a progressive JPEG": lambda: encoded("JPEG", progressive=True),
    "as many scans as allowed": lambda: progressive(SCANS),
    "an Exif block and a profile in many segments": lambda: jpeg_with(EXIF + b"\xff\xe2" + b"\xfe\xff" + bytes(65_277)),
    "fill bytes before a marker": lambda: jpeg_with(b"\xff\xff\xff"),
    "restart markers": lambda: encoded("JPEG", PICTURE.resize((1600, 1200)), restart_marker_blocks=1),
    "a scan's bytes in its metadata": lambda: jpeg_with(b"\xff\xfe\x01\x92" + b"\xff\xda" * 200),
    "a film after the photo": lambda: encoded("JPEG") + b"\xff\xda\x00\x02" * 200,
    "a PNG in small pieces": lambda: png_with(after=chunk(b"IDAT") * 5_000),
    "texts of a drawing program": lambda: png_with(chunk(b"zTXt", b"a\0\0" + zlib.compress(b"text")) * 100),
    "chunks after the end": lambda: png_with() + chunk(b"abCd") * PARTS,
    "a long animation": lambda: encoded("GIF") + b"\x21\xfe\x01a\0" * PARTS,
    "a GIF without a palette": lambda: gif_with(b"\x21\xfe" + _BLOCK * 100 + b"\0"),
    "an animated WebP": lambda: encoded(
        "WebP", save_all=True, append_images=[PICTURE.rotate(turn) for turn in range(1, 30)]
    ),
    "a HEIC of a phone": lambda: heic() + b"infe" * 200,
}


@pytest.mark.parametrize("name", USUAL)
def test_what_cameras_and_programs_write_is_read(name):
    assert decode(USUAL[name](), LIMITS).width >= 256


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WebP", "BMP", "AVIF"])
def test_a_file_that_ends_anywhere_ends_the_count(kind):
    data = encoded(kind)
    for length in range(12, 400):
        try:
            decode(data[:length], LIMITS)
        except SlowImageError:
            pytest.fail(f"{length} bytes of {kind} were counted wrongly")
        except Exception as error:
            assert type(error).__name__ == "ImageError", error
