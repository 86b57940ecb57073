"""Changes to a photo that shouldn't change what the model answers: another background, light, angle or quality."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from sneaker_core.datasets.cutout import cutout_mask

_GRAY = (128, 128, 128)
# Fractions of the longer side.
_BACKGROUND_BLUR, _BLUR = 0.04, 0.01
_DARK = 0.4
_JPEG_QUALITY = 20
_SMALL_SIDE = 96
_HUE_SHIFT = 96  # of 256
_KEPT_WIDTH = 0.6

Change = Callable[[Image.Image, np.random.Generator], Image.Image | None]


@dataclass(frozen=True)
class PhotoChange:
    """A change and how it is described.

    Attributes
    ----------
    key : str
    title : str
        For example "Background swapped".
    when : str
        For sentences: "when the background is swapped".
    suspicion : str
        What a model that fails on it depends on: "the background".
    apply : callable
        RGB photo and random generator -> changed RGB photo, or None if the photo can't be changed in this way.
    """

    key: str
    title: str
    when: str
    suspicion: str
    apply: Change


def textured_background(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A random background of the given width and height: colored patches under fine grain."""
    patches = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    grain = rng.normal(0, 18, (size[1], size[0], 1))
    smooth = np.asarray(Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    return Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))


def _on_background(photo: Image.Image, background: Callable[[], Image.Image]) -> Image.Image | None:
    mask = cutout_mask(np.asarray(photo))
    return None if mask is None else Image.composite(photo, background(), Image.fromarray(mask))


def _swapped(photo: Image.Image, rng: np.random.Generator) -> Image.Image | None:
    return _on_background(photo, lambda: textured_background(photo.size, rng))


def _removed(photo: Image.Image, rng: np.random.Generator) -> Image.Image | None:
    return _on_background(photo, lambda: Image.new("RGB", photo.size, _GRAY))


def _blurred_background(photo: Image.Image, rng: np.random.Generator) -> Image.Image | None:
    """Blurs everything but the sneaker, so its shadow, props and text lose their outlines."""
    radius = max(1.0, _BACKGROUND_BLUR * max(photo.size))
    return _on_background(photo, lambda: photo.filter(ImageFilter.GaussianBlur(radius)))


def _rotated(degrees: float) -> Change:
    def rotate(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
        return photo.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_border_color(photo))

    return rotate


def _border_color(photo: Image.Image) -> tuple[int, int, int]:
    pixels: NDArray[np.uint8] = np.asarray(photo)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(value) for value in np.median(border, axis=0))
    return red, green, blue


def _darkened(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageEnhance.Brightness(photo).enhance(_DARK)


def _blurred(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return photo.filter(ImageFilter.GaussianBlur(max(1.0, _BLUR * max(photo.size))))


def _compressed(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    with Image.open(buffer) as image:
        return image.convert("RGB")


def _shrunk(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    small = photo.copy()
    small.thumbnail((_SMALL_SIDE, _SMALL_SIDE), Image.Resampling.BOX)
    return small


def _recolored(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    hue, saturation, value = photo.convert("HSV").split()
    shifted = hue.point([(level + _HUE_SHIFT) % 256 for level in range(256)])
    return Image.merge("HSV", (shifted, saturation, value)).convert("RGB")


def _mirrored(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    return ImageOps.mirror(photo)


def _cropped(*, left: bool) -> Change:
    def crop(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
        width = max(1, round(_KEPT_WIDTH * photo.width))
        start = 0 if left else photo.width - width
        return photo.crop((start, 0, start + width, photo.height))

    return crop


PHOTO_CHANGES: tuple[PhotoChange, ...] = (
    PhotoChange("swapped", "Background swapped", "when the background is swapped", "the background", _swapped),
    PhotoChange("removed", "Background removed", "when the background is gray", "the background", _removed),
    PhotoChange(
        "background_blurred",
        "Background blurred",
        "when the background is blurred",
        "the background",
        _blurred_background,
    ),
    PhotoChange("rotated_15", "Rotated by 15°", "when the photo is tilted", "the angle", _rotated(15)),
    PhotoChange("rotated_90", "Rotated by 90°", "when the photo is on its side", "the angle", _rotated(90)),
    PhotoChange("darkened", "Darkened", "in poor light", "good light", _darkened),
    PhotoChange("blurred", "Blurred", "when the photo is blurred", "fine detail", _blurred),
    PhotoChange("compressed", "Compressed", "when the photo is strongly compressed", "fine detail", _compressed),
    PhotoChange("shrunk", "Shrunk to 96 pixels", "when the photo has 96 pixels", "fine detail", _shrunk),
    PhotoChange("recolored", "Recolored", "when the colors are changed", "color", _recolored),
    PhotoChange("mirrored", "Mirrored", "when the photo is mirrored", "the direction of the shoe", _mirrored),
    PhotoChange(
        "left", "Left end only", "when only the left end is visible", "the right end of the photo", _cropped(left=True)
    ),
    PhotoChange(
        "right",
        "Right end only",
        "when only the right end is visible",
        "the left end of the photo",
        _cropped(left=False),
    ),
)
BY_KEY = {change.key: change for change in PHOTO_CHANGES}
