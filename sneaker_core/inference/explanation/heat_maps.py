"""Heat maps as pictures: the color map, and the overlay on a photo."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY, check_opacity
from sneaker_core.number_text import percent

# Stops of a perceptually uniform, colorblind-safe color map: dark violet, magenta, orange, yellow (plasma).
_HEAT = np.array([[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]], dtype=np.float32)
# The overlay reaches its full opacity at 1 / _STEEPNESS; a steeper ramp would show edges.
_STEEPNESS = 1.5


def legend_stops() -> list[tuple[float, str]]:
    """Stops of the color scale: value (0 to 1) and ``#rrggbb``, ascending."""
    places = np.linspace(0, 1, len(_HEAT))
    return [
        (float(place), "#{:02x}{:02x}{:02x}".format(*color))
        for place, color in zip(places, _HEAT.astype(int), strict=True)
    ]


def legend(width: int = 256, height: int = 16) -> Image.Image:
    """A color scale from 0 (left, transparent) to 1 (right), RGBA."""
    levels = np.tile(np.linspace(0, 255, width).round().astype(np.uint8), (height, 1))
    colors, weight = _colored(Image.fromarray(levels), 1)
    colors.putalpha(weight)
    return colors


# Names of the nine areas of a photo. In a uniform map each has a ninth of the total; these shares make one stand out.
_MOST = 0.33
CONCENTRATED = 0.2
_COLUMNS = ("left", "center", "right")
_ROWS = ("top", "center", "bottom")


def strongest_area(heat: NDArray[np.float32]) -> tuple[str, float]:
    """The area of a photo, out of a 3 x 3 grid, where a map is strongest.

    Parameters
    ----------
    heat : float32 array (H, W)

    Returns
    -------
    str
        Its name, for example "center left" or "center".
    float
        Its share of the map's total, 0 to 1: 1/9 for a uniform map, 0 for an empty one.
    """
    thirds = [np.array_split(band, 3, axis=1) for band in np.array_split(heat, 3, axis=0)]
    means = np.array([[part.mean(dtype=float) for part in band] for band in thirds])
    down, across = np.unravel_index(means.argmax(), means.shape)
    total = means.sum()
    area = "center" if (int(down), int(across)) == (1, 1) else f"{_ROWS[down]} {_COLUMNS[across]}"
    return area, float(means.max() / total) if total > 0 else 0.0


def describe_location(subject: str, area: str, share: float) -> str:
    """Where a map is strongest, in one sentence.

    Parameters
    ----------
    subject : str
        What is explained, such as a class.
    area : str
        From `strongest_area`.
    share : float
        Its share of the map, 0 to 1; 0 for an empty map.
    """
    if share == 0:
        return f"Nothing in this photo counts toward {subject}."
    if share >= _MOST:
        return f"The evidence for {subject} is mostly at the {area} ({percent(share)} of the map)."
    if share >= CONCENTRATED:
        return f"The evidence for {subject} is in several areas, mainly at the {area} ({percent(share)} of the map)."
    return f"The evidence for {subject} is spread over the photo, with slightly more at the {area}."


def overlay(photo: Image.Image, heat: NDArray[np.float32], opacity: float = DEFAULT_OPACITY) -> Image.Image:
    """Draw a heat map over a photo, at the photo's size.

    Parameters
    ----------
    photo : RGB image
    heat : float32 array (H, W)
        0 to 1.
    opacity : float
        Opacity of the map where it is strongest, 0 to 1.

    Raises
    ------
    SneakerError
        The opacity is out of range.
    """
    check_opacity(opacity)
    # One byte per pixel, processed by Pillow: for 50 megapixels, each float array would take 600 MB.
    gray = Image.fromarray((np.clip(heat, 0, 1) * 255).round().astype(np.uint8))
    gray = gray.resize(photo.size, Image.Resampling.BICUBIC)
    colors, weight = _colored(gray, opacity)
    return Image.composite(colors, photo, weight)


def _colored(levels: Image.Image, opacity: float) -> tuple[Image.Image, Image.Image]:
    """The colors of a map (gray, 0 to 255), and how much they cover the photo, 0 to 255."""
    colors = Image.merge("RGB", [levels.point(_table(channel)) for channel in range(3)])
    # Areas without attribution stay transparent.
    weight = [round(255 * opacity * min(1.0, _STEEPNESS * level / 255)) for level in range(256)]
    return colors, levels.point(weight)


def _table(channel: int) -> list[int]:
    """One color channel of the color map, for 256 levels."""
    levels = np.interp(np.linspace(0, 1, 256), np.linspace(0, 1, len(_HEAT)), _HEAT[:, channel])
    return [int(level) for level in levels.round()]
