"""Cut a sneaker out of a photo with an even, light background, as shop photos have."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# A pixel belongs to the background if no channel differs from the background's color by more than this and it is
# connected to the border.
_TOLERANCE = 11
# The background is even if this share of the border has its color, and light from this mean value on.
_EVEN_SHARE, _LIGHT = 0.80, 190
# The share of the photo that a sneaker fills.
_SMALLEST, _LARGEST = 0.10, 0.80
# The share of its bounding box that a sneaker fills at least; less means that a white side was taken for background.
_COMPACT = 0.42
# Parts smaller than this share of the largest are text or specks; a second shoe is larger.
_SPECK = 0.12


def cutout_mask(pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The opacity of what stands in front of the background.

    Parameters
    ----------
    pixels : uint8 array (H, W, 3)

    Returns
    -------
    uint8 array (H, W) or None
        0 (background) to 255; None if the background isn't even and light, or nothing of a sneaker's size was found.
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).astype(np.int16)
    background = np.median(border, axis=0)
    is_even = (np.abs(border - background).max(axis=1) <= _TOLERANCE).mean() >= _EVEN_SHARE
    if background.mean() < _LIGHT or not is_even:
        return None
    alike = np.abs(pixels.astype(np.int16) - background).max(axis=2) <= _TOLERANCE
    parts, _ = ndimage.label(alike)
    edge = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    shoe = _without_specks(ndimage.binary_opening(~np.isin(parts, edge[edge > 0])))
    if shoe is None or not _is_plausible(shoe):
        return None
    # The rim reflects the background, so it is trimmed by a pixel and softened.
    soft = ndimage.uniform_filter(ndimage.binary_erosion(shoe).astype(np.float32), 3)
    return np.asarray(np.rint(255 * soft), dtype=np.uint8)


def _without_specks(shoe: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    parts, count = ndimage.label(shoe)
    if not count:
        return None
    sizes = np.bincount(parts.ravel())[1:]
    return np.asarray(np.isin(parts, np.flatnonzero(sizes >= _SPECK * sizes.max()) + 1))


def _is_plausible(shoe: NDArray[np.bool_]) -> bool:
    rows, columns = np.flatnonzero(shoe.any(1)), np.flatnonzero(shoe.any(0))
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return bool(_SMALLEST <= shoe.mean() <= _LARGEST and shoe.sum() / box >= _COMPACT)
