"""Heat maps as pictures: one colour map, laid over the photo."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sneaker_core.errors import SneakerError
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY

# Stops of a colour map that is even in brightness and safe for colour-blind eyes: dark violet, magenta, orange, yellow.
_HEAT = np.array([[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]], dtype=np.float32)
# Colours are opaque from where so many times the strength is 1; any steeper, and edges would show.
_STEEPNESS = 1.5


def legend_stops() -> list[tuple[float, str]]:
    """The colours of a map: strength (0 nothing, 1 most) and ``#rrggbb``, from weak to strong."""
    places = np.linspace(0, 1, len(_HEAT))
    return [
        (float(place), "#{:02x}{:02x}{:02x}".format(*colour))
        for place, colour in zip(places, _HEAT.astype(int), strict=True)
    ]


def legend(width: int = 256, height: int = 16) -> Image.Image:
    """A bar of the colours from nothing (left) to most (right), as they look over white."""
    strength = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    return overlay(Image.new("RGB", (width, height), "white"), strength, 1)


_COLUMNS = ("left", "middle", "right")
_ROWS = ("top", "centre", "bottom")


def hottest_place(heat: NDArray[np.float32]) -> tuple[str, float]:
    """The ninth of a photo where a map is hottest.

    Parameters
    ----------
    heat : float32 array (H, W)

    Returns
    -------
    str
        For people: "centre left".
    float
        Its share of the whole map, 0 to 1: 1/9 where the map is the same everywhere, 0 where nothing is marked.
    """
    thirds = [np.array_split(band, 3, axis=1) for band in np.array_split(heat, 3, axis=0)]
    means = np.array([[part.mean(dtype=float) for part in band] for band in thirds])
    down, across = np.unravel_index(means.argmax(), means.shape)
    total = means.sum()
    return f"{_ROWS[down]} {_COLUMNS[across]}", float(means.max() / total) if total > 0 else 0.0


def check_opacity(opacity: float) -> float:
    """Pass on an opacity.

    Raises
    ------
    SneakerError
        It is not from 0 to 1.
    """
    if not 0 <= opacity <= 1:
        raise SneakerError(f"opacity is {opacity:g}; it must be from 0 to 1.")
    return opacity


def overlay(photo: Image.Image, heat: NDArray[np.float32], opacity: float = DEFAULT_OPACITY) -> Image.Image:
    """The photo with a heat map over it, at the photo's own size.

    Parameters
    ----------
    photo : RGB image
    heat : float32 array (H, W)
        0 to 1.
    opacity : float
        Of the heat map where it is hottest, 0 to 1.

    Raises
    ------
    SneakerError
        The opacity is not from 0 to 1.
    """
    check_opacity(opacity)
    # A byte a pixel and Pillow's own loops: of a photo of 50 megapixels, each array of floats would take 600 MB.
    grey = Image.fromarray((np.clip(heat, 0, 1) * 255).round().astype(np.uint8))
    grey = grey.resize(photo.size, Image.Resampling.BICUBIC)
    colours = Image.merge("RGB", [grey.point(_table(channel)) for channel in range(3)])
    # Cold parts stay clear, so that the photo can be seen through the map.
    weight = [round(255 * opacity * min(1.0, _STEEPNESS * level / 255)) for level in range(256)]
    return Image.composite(colours, photo, grey.point(weight))


def _table(channel: int) -> list[int]:
    """One colour of the map for each of 256 strengths."""
    levels = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(_HEAT)), _HEAT[:, channel])
    return [int(level) for level in levels.round()]
