"""The only decoder of untrusted image bytes: it returns an RGB image or raises an error with one plain sentence.

Decoding happens here, in the process that calls. Bytes from outside (uploads, the API, imports, the web) come through
`sneaker_core.decoding`, which calls this module in processes that can be ended. Photos that were imported passed the
limits then, and are read here directly.

The format is detected from the first bytes, and only that format's decoder is called. ``Image.open`` is not used: it
imports every Pillow plugin, writes warnings to standard error, and reads phone JPEGs that embed a second picture with
a more fragile class. Color profiles are dropped with the other metadata.

============  ============  ================================
from          decoded       decoded, with size and format
============  ============  ================================
bytes         `decode`      `decode_photo`
a file        `load`        `load_photo`
============  ============  ================================
"""

import contextlib
import functools
import hashlib
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image, ImageOps
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sneaker_core.errors import ImageError, ImageTooLargeError
from sneaker_core.image_structure import check_boxes, check_gif, check_jpeg, check_nothing, check_png, check_webp
from sneaker_core.settings import ImageLimits

__all__ = [
    "DAMAGED",
    "FORMATS",
    "DecodedPhoto",
    "Photo",
    "check_bytes",
    "decode",
    "decode_photo",
    "load",
    "load_photo",
    "read_bytes",
]

FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF", "HEIC")

_NOT_A_PHOTO = f"This is not a photo in a format SoleScope can read ({', '.join(FORMATS[:-1])} or {FORMATS[-1]})."
DAMAGED = "The photo is incomplete or damaged and can't be read."

# Pillow's format name -> extension, where the extension is not simply the name.
_EXTENSIONS = {"JPEG": ".jpg", "HEIF": ".heic"}


class _Format(NamedTuple):
    """How a format is opened, and the check of its structure that comes first."""

    open: Callable[[BytesIO], ImageFile]
    check: Callable[[bytes, ImageLimits], None]


_SIGNATURES = (
    (b"\xff\xd8\xff", _Format(JpegImageFile, check_jpeg)),
    (b"\x89PNG\r\n\x1a\n", _Format(PngImageFile, check_png)),
    (b"GIF87a", _Format(GifImageFile, check_gif)),
    (b"GIF89a", _Format(GifImageFile, check_gif)),
    (b"BM", _Format(BmpImageFile, check_nothing)),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}

_BMP_RUN_LENGTH = (1, 2)  # RLE8, RLE4

_pillow_cap_lock = threading.Lock()


@dataclass(frozen=True)
class Photo:
    """A photo file that is not decoded: uploaded, taken with the camera or read from disk.

    Attributes
    ----------
    name : str
        File name, as its owner wrote it.
    data : bytes
    key : str
        Of an upload: unique, even if the same file is uploaded twice.
    """

    name: str
    data: bytes = field(repr=False)
    key: str = ""

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes, for cache keys."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class DecodedPhoto:
    """The pixels of a photo, with its size and format.

    Attributes
    ----------
    image : PIL.Image.Image
        The pixels, as returned by `decode`.
    width, height : int
        Size of the full photo in pixels, after applying the EXIF orientation. `image` may be smaller.
    extension : str
        File extension of the detected format, with the dot: ".jpg".
    """

    image: Image.Image
    width: int
    height: int
    extension: str


def decode(data: bytes, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> Image.Image:
    """Decode one photo.

    Parameters
    ----------
    data : bytes
        Contents of the file, from any source.
    limits : ImageLimits, optional
        Limits on bytes and pixels; by default, those set in the environment.
    shrink_to : int, optional
        Hint for callers that downscale the photo anyway: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, which
        is faster, as long as neither side falls below ``shrink_to``. Use twice the final size to stay closest to the
        result of decoding the full photo.

    Returns
    -------
    PIL.Image.Image
        The first frame in RGB: upright, on white where it was transparent, without metadata.

    Raises
    ------
    ImageTooLargeError
        The file or the photo exceeds a limit. The header is checked before any pixel is decoded.
    SlowImageError
        The file is made of so many parts that decoding would take too long.
    ImageError
        The bytes are not a photo in a supported format, or the photo is damaged.
    """
    return decode_photo(data, limits, shrink_to=shrink_to).image


def decode_photo(data: bytes, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> DecodedPhoto:
    """Decode one photo and return it with its size and format; parameters and errors as for `decode`."""
    limits = limits or ImageLimits.from_environment()
    check_bytes(len(data), limits)
    found = _format_of(data)
    if found is None:
        raise ImageError(_NOT_A_PHOTO)
    found.check(data, limits)
    for size in _boxed_sizes(data):
        _check_pixels(size, limits.max_pixels)
    _lift_pillow_cap(limits.max_pixels)
    try:
        image = found.open(BytesIO(data))
        # Pillow unpacks run-length BMPs in Python: 8 seconds for 50 megapixels in 1 kB. No camera writes them.
        run_length = isinstance(image, BmpImageFile) and image.info.get("compression") in _BMP_RUN_LENGTH
        _check_pixels(image.size, limits.max_pixels // 10 if run_length else limits.max_pixels)
        full_size, extension = image.size, _EXTENSIONS.get(str(image.format), f".{str(image.format).lower()}")
        if shrink_to and isinstance(image, JpegImageFile):
            image.draft(None, (shrink_to, shrink_to))
        image.load()
        stored_size = image.size
        upright = _upright(_to_rgb(image), image)
        width, height = full_size if upright.size == stored_size else full_size[::-1]
        return DecodedPhoto(upright, width, height, extension)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Some decoders check Pillow's own limit before they report the size.
        raise ImageTooLargeError(
            f"The photo has too many pixels; the limit is {limits.max_pixels / 1e6:g} megapixels."
        ) from error
    except Exception as error:
        # For corrupt bytes Pillow raises almost anything: SyntaxError, struct.error, MemoryError, IndexError …
        raise ImageError(DAMAGED) from error


def load(path: Path, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> Image.Image:
    """Read and decode a photo file.

    Parameters
    ----------
    path : Path
        The file.
    limits, shrink_to
        As for `decode`.

    Returns
    -------
    PIL.Image.Image
        As from `decode`.

    Raises
    ------
    ImageError
        The file is missing, is not a regular file or can't be opened; otherwise as for `decode`.
    """
    return load_photo(path, limits, shrink_to=shrink_to).image


def load_photo(path: Path, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> DecodedPhoto:
    """Read and decode a photo file and return it with its size and format; parameters and errors as for `load`."""
    limits = limits or ImageLimits.from_environment()
    return decode_photo(read_bytes(path, limits), limits, shrink_to=shrink_to)


def read_bytes(path: Path, limits: ImageLimits | None = None) -> bytes:
    """Read a photo file without decoding it; its size is checked before any byte is read.

    Parameters
    ----------
    path : Path
    limits : ImageLimits, optional
        Limit on bytes; by default, the one set in the environment.

    Raises
    ------
    ImageTooLargeError
        The file exceeds the limit.
    ImageError
        The file is missing, is not a regular file or can't be opened.
    """
    limits = limits or ImageLimits.from_environment()
    try:
        if not path.is_file():  # reading a pipe or a device may never end
            raise ImageError("This is a folder, not a photo." if path.is_dir() else "The photo file doesn't exist.")
        check_bytes(path.stat().st_size, limits)
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)  # the file may have grown since
    except OSError as error:
        raise ImageError("The file can't be opened.") from error


def check_bytes(count: int, limits: ImageLimits) -> None:
    """Check the size of a file.

    Raises
    ------
    ImageTooLargeError
        It exceeds the limit.
    ImageError
        The file is empty.
    """
    if count == 0:
        raise ImageError("The file is empty.")
    if count > limits.max_bytes:
        # Rounded up, so that the message never reads "20 MB; the limit is 20 MB".
        size = math.ceil(count / 1e5) / 10
        raise ImageTooLargeError(f"The file is {size:g} MB; the limit is {limits.max_bytes / 1e6:g} MB.")


def _check_pixels(size: tuple[int, int], most: int) -> None:
    if size[0] * size[1] > most:
        raise ImageTooLargeError(f"The photo is {size[0]} x {size[1]} pixels; the limit is {most / 1e6:g} megapixels.")


def _format_of(data: bytes) -> _Format | None:
    """Detect the format from the first bytes; None for formats that are not on the allow-list."""
    for signature, found in _SIGNATURES:
        if data.startswith(signature):
            return found
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _Format(WebPImageFile, check_webp)
    if data[4:8] == b"ftyp":
        return _boxed_format(data)
    return None


def _boxed_format(data: bytes) -> _Format | None:
    """Tell AVIF and HEIC apart by their brands; many files of both list the parent brand mif1 first."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    for brand in (data[8:12], *(data[at : at + 4] for at in range(16, end, 4))):
        if brand in _AVIF_BRANDS:
            return _Format(_open_avif, check_boxes)
        if brand in _HEIC_BRANDS:
            # Imported on use: it takes as long to import as Pillow itself, and few photos need it.
            from pillow_heif.as_plugin import HeifImageFile

            return _Format(HeifImageFile, check_boxes)
    return None


def _boxed_sizes(data: bytes) -> list[tuple[int, int]]:
    """List the sizes that a HEIC or AVIF file declares; its decoder only reports the size after cropping."""
    if data[4:8] != b"ftyp":
        return []
    boxes = re.findall(rb"ispe.{4}(.{4})(.{4})", data, flags=re.DOTALL)
    return [(int.from_bytes(width, "big"), int.from_bytes(height, "big")) for width, height in boxes]


def _open_avif(stream: BytesIO) -> ImageFile:
    """Open an AVIF file with its EXIF item renamed, because libavif refuses photos with broken EXIF data.

    Nothing is lost: AVIF stores the orientation elsewhere, and Pillow reports it as if it were EXIF's.
    """
    return AvifImageFile(BytesIO(re.sub(rb"(infe.{8}(?:..)?)Exif", rb"\1skip", stream.getvalue(), flags=re.DOTALL)))


def _lift_pillow_cap(pixels: int) -> None:
    """Raise Pillow's own process-wide limit so that it does not refuse what our limits allow.

    The limit is only ever raised, under a lock, so that no thread lowers it while another decodes a photo.
    """
    with _pillow_cap_lock:
        if Image.MAX_IMAGE_PIXELS is not None and pixels > Image.MAX_IMAGE_PIXELS:
            Image.MAX_IMAGE_PIXELS = pixels


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert a loaded image of any mode to RGB."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(layer, mask=layer)
        return image
    rgb = image.convert("RGB")  # copies RGB images too, which drops the file object
    rgb.info = {}
    return rgb


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grayscale, which Pillow's own conversion would clip at 255."""
    scale = 255 / 65535
    gray = image.convert("F").point(lambda value: value * scale + 0.5).convert("L")
    gray.info = {}
    if "transparency" in image.info:
        gray.info["transparency"] = int(image.info["transparency"] * scale + 0.5)
    return gray


def _upright(rgb: Image.Image, source: Image.Image) -> Image.Image:
    """Apply the EXIF orientation. HEIC's decoder has already done so and reports 1 here."""
    # Bad EXIF data must not spoil a good photo. Only this tag is passed to exif_transpose, which would re-encode the
    # others and fail on unusual ones.
    with contextlib.suppress(Exception):
        rgb.getexif()[ExifTags.Base.Orientation] = source.getexif().get(ExifTags.Base.Orientation, 1)
        ImageOps.exif_transpose(rgb, in_place=True)
    rgb.getexif().clear()
    return rgb
