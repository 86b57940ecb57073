"""The one decoder of untrusted bytes: whatever comes in, an RGB image or one plain sentence goes out.

The format is told by the first bytes and only then is that format's decoder called, by itself. ``Image.open`` is
not used: it imports every plugin that Pillow has, warns on standard error, and reads a phone's JPEG with a second
picture in it by another, more fragile class. Colour profiles are dropped with the other metadata.
"""

import contextlib
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import ExifTags, Image, ImageOps
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from sneaker_core.errors import ImageError, ImageTooLargeError
from sneaker_core.settings import ImageLimits

__all__ = ["FORMATS", "Photo", "decode", "load", "read"]

FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "AVIF", "HEIC")

_NOT_A_PHOTO = f"This is not a photo in a format SoleScope reads ({', '.join(FORMATS[:-1])} or {FORMATS[-1]})."
_DAMAGED = "The photo is cut off or damaged and cannot be read."

_EXTENSIONS = {"JPEG": ".jpg", "HEIF": ".heic"}  # of a format as Pillow names it; the others' are their names

_SIGNATURES: tuple[tuple[bytes, Callable[[BytesIO], ImageFile]], ...] = (
    (b"\xff\xd8\xff", JpegImageFile),
    (b"\x89PNG\r\n\x1a\n", PngImageFile),
    (b"GIF87a", GifImageFile),
    (b"GIF89a", GifImageFile),
    (b"BM", BmpImageFile),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}

_BMP_RUN_LENGTH = (1, 2)  # RLE8, RLE4

_pillow_cap_lock = threading.Lock()


@dataclass(frozen=True)
class Photo:
    """A decoded photo and what its file told of it.

    Attributes
    ----------
    image : PIL.Image.Image
        As from `decode`.
    width, height : int
        Of the whole photo, upright, in pixels; `image` may be smaller.
    extension : str
        That its format goes by, with the dot: ".jpg".
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
        The file's bytes, from anywhere.
    limits : ImageLimits, optional
        Caps on bytes and pixels; those of the environment when left out.
    shrink_to : int, optional
        The caller will shrink the photo anyway, to no less than this on its shorter side. A JPEG may then come back
        at 1/2, 1/4 or 1/8 of its size, neither side under ``shrink_to``, which is quicker. Ask for twice the final
        size to stay closest to what the whole photo would give.

    Returns
    -------
    PIL.Image.Image
        The first frame, upright, RGB, over white where it was transparent, with no metadata.

    Raises
    ------
    ImageTooLargeError
        The file or the photo is over a cap; found from its size and its header, before any pixel is decoded.
    ImageError
        The bytes are no photo of an allowed format, or a damaged one.
    """
    return read(data, limits, shrink_to=shrink_to).image


def read(data: bytes, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> Photo:
    """Decode one photo and tell its size and format; parameters and errors as in `decode`."""
    limits = limits or ImageLimits.from_environment()
    _check_bytes(len(data), limits)
    opener = _opener(data)
    if opener is None:
        raise ImageError(_NOT_A_PHOTO)
    for size in _boxed_sizes(data):
        _check_pixels(size, limits.max_pixels)
    _lift_pillow_cap(limits.max_pixels)
    try:
        image = opener(BytesIO(data))
        # Pillow unpacks a run-length BMP in Python: 8 seconds for 50 megapixels in 1 kB. No camera writes one.
        packed = isinstance(image, BmpImageFile) and image.info.get("compression") in _BMP_RUN_LENGTH
        _check_pixels(image.size, limits.max_pixels // 10 if packed else limits.max_pixels)
        whole, extension = image.size, _EXTENSIONS.get(str(image.format), f".{str(image.format).lower()}")
        if shrink_to and isinstance(image, JpegImageFile):
            image.draft(None, (shrink_to, shrink_to))
        image.load()
        lying = image.size
        upright = _upright(_to_rgb(image), image)
        width, height = whole if upright.size == lying else whole[::-1]
        return Photo(upright, width, height, extension)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Some decoders hold the size against Pillow's cap before they tell it.
        raise ImageTooLargeError(
            f"The photo has too many pixels; at most {limits.max_pixels / 1e6:g} megapixels can be read."
        ) from error
    except Exception as error:
        # On mangled bytes Pillow raises nearly anything: SyntaxError, struct.error, MemoryError, IndexError …
        raise ImageError(_DAMAGED) from error


def load(path: Path, limits: ImageLimits | None = None, *, shrink_to: int | None = None) -> Image.Image:
    """Read a file and decode it; the size is checked before a byte is read.

    Parameters
    ----------
    path : Path
        The file.
    limits, shrink_to
        As in `decode`.

    Returns
    -------
    PIL.Image.Image
        As from `decode`.

    Raises
    ------
    ImageError
        The file is missing, is no ordinary file or cannot be opened; else as in `decode`.
    """
    limits = limits or ImageLimits.from_environment()
    try:
        if not path.is_file():  # a pipe or a device may never end
            raise ImageError("This is a folder, not a photo." if path.is_dir() else "There is no such photo file.")
        _check_bytes(path.stat().st_size, limits)
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)  # it may have grown since
    except OSError as error:
        raise ImageError("The file cannot be opened.") from error
    return decode(data, limits, shrink_to=shrink_to)


def _check_bytes(count: int, limits: ImageLimits) -> None:
    if count == 0:
        raise ImageError("The file is empty.")
    if count > limits.max_bytes:
        # Rounded up: "20 MB; at most 20 MB" would help nobody.
        size = math.ceil(count / 1e5) / 10
        raise ImageTooLargeError(f"The file is {size:g} MB; at most {limits.max_bytes / 1e6:g} MB can be read.")


def _check_pixels(size: tuple[int, int], most: int) -> None:
    if size[0] * size[1] > most:
        raise ImageTooLargeError(
            f"The photo is {size[0]} x {size[1]} pixels; at most {most / 1e6:g} megapixels can be read."
        )


def _opener(data: bytes) -> Callable[[BytesIO], ImageFile] | None:
    """Choose the decoder by the first bytes; None for all that is not on the allow-list."""
    for signature, opener in _SIGNATURES:
        if data.startswith(signature):
            return opener
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WebPImageFile
    if data[4:8] == b"ftyp":
        return _ftyp_opener(data)
    return None


def _ftyp_opener(data: bytes) -> Callable[[BytesIO], ImageFile] | None:
    """Tell AVIF from HEIC by the brands; many files of both name neither first, but the parent brand mif1."""
    end = min(int.from_bytes(data[:4], "big"), 256)
    for brand in (data[8:12], *(data[at : at + 4] for at in range(16, end, 4))):
        if brand in _AVIF_BRANDS:
            return _open_avif
        if brand in _HEIC_BRANDS:
            # Not at the top: it takes as long to import as Pillow itself, and few photos need it.
            from pillow_heif.as_plugin import HeifImageFile

            opener: Callable[[BytesIO], ImageFile] = HeifImageFile
            return opener
    return None


def _boxed_sizes(data: bytes) -> list[tuple[int, int]]:
    """List the sizes that a HEIC or AVIF declares, for its decoder tells only what a crop leaves of them."""
    if data[4:8] != b"ftyp":
        return []
    boxes = re.findall(rb"ispe.{4}(.{4})(.{4})", data, flags=re.DOTALL)
    return [(int.from_bytes(width, "big"), int.from_bytes(height, "big")) for width, height in boxes]


def _open_avif(stream: BytesIO) -> ImageFile:
    """Open an AVIF with its EXIF item renamed: libavif refuses the photo when its EXIF is broken.

    Nothing is lost by it, for AVIF keeps the orientation elsewhere (Pillow hands it on as if it were EXIF's).
    """
    return AvifImageFile(BytesIO(re.sub(rb"(infe.{8}(?:..)?)Exif", rb"\1skip", stream.getvalue(), flags=re.DOTALL)))


def _lift_pillow_cap(pixels: int) -> None:
    """Keep Pillow's own cap, one for the whole process, from refusing what our caps allow.

    It is only ever raised, and under a lock, so no thread can lower it under another one's photo.
    """
    with _pillow_cap_lock:
        if Image.MAX_IMAGE_PIXELS is not None and pixels > Image.MAX_IMAGE_PIXELS:
            Image.MAX_IMAGE_PIXELS = pixels


def _to_rgb(image: Image.Image) -> Image.Image:
    """Bring a loaded image of any mode to a plain RGB one."""
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bits(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(layer, mask=layer)
        return image
    rgb = image.convert("RGB")  # a copy even of RGB, without the file's own class and what it holds
    rgb.info = {}
    return rgb


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey, which Pillow's own conversion would cut off at 255."""
    scale = 255 / 65535
    grey = image.convert("F").point(lambda value: value * scale + 0.5).convert("L")
    grey.info = {}
    if "transparency" in image.info:
        grey.info["transparency"] = int(image.info["transparency"] * scale + 0.5)
    return grey


def _upright(rgb: Image.Image, source: Image.Image) -> Image.Image:
    """Turn the image the way the camera was held; HEIC's decoder has done so already and says 1 here."""
    # Bad EXIF must not cost a good photo. Of all tags only this one goes to exif_transpose, which would encode the
    # others anew and fail on an odd one.
    with contextlib.suppress(Exception):
        rgb.getexif()[ExifTags.Base.Orientation] = source.getexif().get(ExifTags.Base.Orientation, 1)
        ImageOps.exif_transpose(rgb, in_place=True)
    rgb.getexif().clear()
    return rgb
