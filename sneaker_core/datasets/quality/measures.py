"""Measures of one photo: pure functions of its pixels, without thresholds.

All measures use the thumbnail, so that they don't depend on the size of the original.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy.ndimage import uniform_filter1d

from sneaker_core.datasets.near_duplicates import HASH_SIZE, perceptual_hash

SKETCH_SIDE = 16
# The frame of the sketch is found on a picture reduced by this factor …
_COARSE = 4
# … as the rows and columns in which at least _SHARE of the pixels differ from the border's median color by more than
# _DIFFERS of 255, if there are at least _LEAST of each.
_DIFFERS, _SHARE, _LEAST = 24, 0.02, 6

_BLUR_WIDTH = 11  # pixels of the box blur that sharpness is compared with
_NO_CHANGE = 1e-9
_LIGHT, _DARK = 95, 5  # percentiles of the pixels


@dataclass(frozen=True)
class Measures:
    """Measures of one photo.

    Attributes
    ----------
    hash, mirrored_hash : bool array (256,)
        Perceptual hashes of the photo and of its mirror image.
    sketch : uint8 array (16, 16, 3)
        What differs from an even background, scaled to a tiny square.
    brightness : float
        Mean luma, 0 (black) to 1 (white).
    light, dark : float
        95th and 5th percentile of luma, 0 to 1: brightness of the lightest and of the darkest parts.
    sharpness : float
        0 (blurred) to 1 (sharp), independent of contrast.
    """

    hash: NDArray[np.bool_]
    mirrored_hash: NDArray[np.bool_]
    sketch: NDArray[np.uint8]
    brightness: float
    light: float
    dark: float
    sharpness: float


def measure(photo: Image.Image) -> Measures:
    """Measure an RGB photo, preferably at thumbnail size."""
    gray = photo.convert("L")
    luma = np.asarray(gray, dtype=np.float32) / np.float32(255)
    # Percentiles from Pillow's histogram are faster than sorting the pixels.
    shares = np.cumsum(gray.histogram()) / (gray.width * gray.height)
    dark, light = np.searchsorted(shares, (_DARK / 100, _LIGHT / 100)) / 255
    # Both hashes use the same small grayscale picture.
    small = gray.resize((4 * HASH_SIZE, 4 * HASH_SIZE), Image.Resampling.LANCZOS)
    return Measures(
        hash=perceptual_hash(small),
        mirrored_hash=perceptual_hash(ImageOps.mirror(small)),
        sketch=sketch(photo),
        brightness=float(luma.mean()),
        light=float(light),
        dark=float(dark),
        sharpness=sharpness(luma),
    )


def sharpness(luma: NDArray[np.float32]) -> float:
    """Return the share of local contrast that a photo loses when it is blurred: much if sharp, little if blurred.

    Parameters
    ----------
    luma : float32 array (H, W)
        0 to 1.

    Returns
    -------
    float
        0 to 1; 0 for an image of one tone. Independent of contrast and of how much of the image is empty.

    References
    ----------
    Crete et al., "The blur effect: perception and estimation with a new no-reference perceptual blur metric", Human
    Vision and Electronic Imaging XII, 2007. Sharpness is one minus their measure.
    """
    lost = []
    for axis in (0, 1):
        change = np.abs(np.diff(luma, axis=axis))
        left = np.abs(np.diff(uniform_filter1d(luma, _BLUR_WIDTH, axis=axis), axis=axis))
        lost.append(np.maximum(change - left, 0).sum() / max(change.sum(), _NO_CHANGE))
    return float(min(lost))


def sketch(photo: Image.Image) -> NDArray[np.uint8]:
    """Return a tiny picture of what differs from the background: uint8 array (16, 16, 3).

    It is nearly the same whether a shoe has wide or narrow margins of one color. Without such margins, it is a tiny
    picture of the whole photo.
    """
    small = photo.resize((SKETCH_SIDE, SKETCH_SIDE), Image.Resampling.BOX, box=_frame(photo))
    return np.asarray(small, dtype=np.uint8)


def framed_share(photo: Image.Image) -> float:
    """The share of a photo, 0 to 1, that the rectangle around what stands out from an even background takes.

    1 if nothing does: the photo has no even background, or is of one color.
    """
    box = _frame(photo)
    return 1.0 if box is None else (box[2] - box[0]) * (box[3] - box[1]) / (photo.width * photo.height)


def _frame(photo: Image.Image) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what stands out from the background, in pixels."""
    coarse = np.asarray(photo.reduce(_COARSE), dtype=np.int16)
    border = np.concatenate([coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1]])
    stands_out = np.abs(coarse - np.median(border, axis=0)).max(axis=2) > _DIFFERS
    rows = np.flatnonzero(stands_out.mean(axis=1) > _SHARE)
    columns = np.flatnonzero(stands_out.mean(axis=0) > _SHARE)
    if min(len(rows), len(columns)) < _LEAST:
        return None
    right, bottom = _COARSE * (int(columns[-1]) + 1), _COARSE * (int(rows[-1]) + 1)
    return (_COARSE * int(columns[0]), _COARSE * int(rows[0]), min(right, photo.width), min(bottom, photo.height))
