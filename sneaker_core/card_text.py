"""Lines of text on pictures to share."""

import importlib.util
from functools import cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

from sneaker_core.errors import SneakerError

PAPER, INK, GRAY, LINE, PLACEHOLDER = "#fbfaf7", "#101117", "#565762", "#dfdbd1", "#ece8df"
# A long line is written in letters of at least this share of the usual size.
_SMALLER = 0.72


def write_line(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    *,
    color: str = INK,
    bold: bool = False,
    most: float | None = None,
) -> None:
    """Write a line of text from the middle of its left edge.

    Parameters
    ----------
    pen : ImageDraw
    place : tuple of float
        Pixels.
    text : str
    size : int
        Pixels.
    color : str
    bold : bool
    most : float, optional
        Width in pixels; a wider line gets smaller, and is then cut.

    Raises
    ------
    SneakerError
        The font is not installed.
    """
    line = " ".join(text.split())
    smallest = round(_SMALLER * size)
    fitting = (each for each in range(size, smallest, -1) if most is None or _font(each, bold).getlength(line) <= most)
    font = _font(next(fitting, smallest), bold)
    shown = line
    while most is not None and shown and font.getlength(shown) > most:
        line = line[:-1]
        shown = f"{line.rstrip()}…"
    pen.text(place, shown, color, font, "lm")


def wrapped(text: str, size: int, most: float, *, bold: bool = False) -> list[str]:
    """The lines of a text that is broken between words at a width in pixels.

    Raises
    ------
    SneakerError
        The font is not installed.
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _font(size, bold).getlength(longer) <= most:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings; Pillow's own font has Latin letters only."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise SneakerError("The picture needs a font that comes with matplotlib. Install the requirements again.")
    file = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(file, size)
