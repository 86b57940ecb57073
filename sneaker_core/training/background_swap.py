"""Background swap: sneakers photographed on white are pasted onto everyday photos, so the network looks at the shoe.

Where only some classes have photos of everyday scenes, a network could otherwise learn the scene in place of the shoe.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from torch import Generator

from sneaker_core.datasets.cutout import cutout_mask

# The longer side of a pasted sneaker, as a share of the photo's side.
_SMALLEST, _LARGEST = 0.5, 1.0
# The share of an everyday photo's side that becomes the background.
_CLOSEST = 0.5
_DARKEST, _BRIGHTEST = 0.55, 1.15
# Phones blur: the share of pasted photos that are blurred, and the largest radius as a share of the side.
_BLURRED, _BLUR = 0.4, 0.012


def swap_backgrounds(
    photos: NDArray[np.uint8], backgrounds: NDArray[np.uint8], probability: float, rng: Generator
) -> NDArray[np.uint8]:
    """Paste some sneakers onto other photos, at a random place and size, in random light.

    Parameters
    ----------
    photos : uint8 array (B, H, W, 3)
        Photos whose background isn't even and light stay as they are.
    backgrounds : uint8 array (B, H, W, 3)
        One for each photo.
    probability : float
        0 to 1.
    rng : Generator

    Returns
    -------
    uint8 array (B, H, W, 3)
    """
    draws = torch.rand(len(photos), 8, generator=rng).numpy()
    changed = photos.copy()
    for row in np.flatnonzero(draws[:, 0] < probability):
        mask = cutout_mask(photos[row])
        if mask is not None:
            changed[row] = _pasted(photos[row], mask, backgrounds[row], draws[row, 1:])
    return changed


def _pasted(
    photo: NDArray[np.uint8], mask: NDArray[np.uint8], background: NDArray[np.uint8], draws: NDArray[np.float32]
) -> NDArray[np.uint8]:
    height, width = mask.shape
    scale, x, y, zoom, light, blurs, radius = (float(value) for value in draws)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    shoe, outline = Image.fromarray(photo).crop(box), Image.fromarray(mask).crop(box)
    longest = max(shoe.width / width, shoe.height / height)
    factor = (_SMALLEST + (_LARGEST - _SMALLEST) * scale) / longest
    size = max(1, round(shoe.width * factor)), max(1, round(shoe.height * factor))
    place = round((width - size[0]) * x), round((height - size[1]) * y)
    scene = _zoomed(Image.fromarray(background), _CLOSEST + (1 - _CLOSEST) * zoom, x=y, y=x)
    scene.paste(shoe.resize(size, Image.Resampling.BILINEAR), place, outline.resize(size, Image.Resampling.BILINEAR))
    scene = ImageEnhance.Brightness(scene).enhance(_DARKEST + (_BRIGHTEST - _DARKEST) * light)
    if blurs < _BLURRED:
        scene = scene.filter(ImageFilter.GaussianBlur(radius * _BLUR * max(width, height)))
    return np.asarray(scene, dtype=np.uint8)


def _zoomed(photo: Image.Image, share: float, x: float, y: float) -> Image.Image:
    """A part of a photo, enlarged to its size; `share` is of each side, `x` and `y` say where it lies."""
    width, height = round(photo.width * share), round(photo.height * share)
    left, top = round((photo.width - width) * x), round((photo.height - height) * y)
    part = photo.crop((left, top, left + width, top + height))
    return part.resize(photo.size, Image.Resampling.BILINEAR)
