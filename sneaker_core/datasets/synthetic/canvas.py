"""A canvas with color, and with the height and texture that shading needs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sneaker_core.datasets.synthetic.colors import Color
from sneaker_core.datasets.synthetic.curves import Array

__all__ = ["FINER", "Canvas", "View"]

# Shapes are painted at this multiple of the size and shrunk, for smooth edges.
FINER = 3


@dataclass(frozen=True)
class View:
    """Mapping from the field (about 100 wide, y downwards) to the picture.

    Attributes
    ----------
    matrix : float array (3, 3)
        Perspective transform from the field to pixels of the picture.
    scale : float
        Pixels per unit of the field.
    """

    matrix: Array
    scale: float

    def at(self, points: Array) -> Array:
        """Map points of the field to pixels, float array (N, 2)."""
        moved = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        result: Array = moved[:, :2] / moved[:, 2:]
        return result


class Canvas:
    """A part of a picture, painted from back to front in units of the field.

    Parameters
    ----------
    box : tuple of int
        Left, top, right and bottom of the part, in pixels of the picture.
    view : View
        Mapping from the field to the picture.
    """

    def __init__(self, box: tuple[int, int, int, int], view: View) -> None:
        self.box, self.view = box, view
        self.size = ((box[2] - box[0]) * FINER, (box[3] - box[1]) * FINER)
        self.color = Image.new("RGB", self.size)
        self.relief = Image.new("RGB", self.size)
        self._pens = (ImageDraw.Draw(self.color), ImageDraw.Draw(self.relief))

    def at(self, points: Array) -> Array:
        """Map points of the field to pixels of this canvas."""
        result: Array = (self.view.at(points) - np.array(self.box[:2])) * FINER
        return result

    def fill(self, outline: Array, color: Color, height: int, texture: int = 0) -> None:
        """Paint a shape; height and texture are 0 to 255. The background has height 0."""
        corners = self.at(outline).ravel().tolist()
        self._pens[0].polygon(corners, fill=color)
        self._pens[1].polygon(corners, fill=(height, texture, 255))

    def dots(self, centers: Array, radius: float, color: Color, height: int) -> None:
        """Paint discs."""
        reach = max(radius * self.view.scale * FINER, 1.0)
        for x, y in self.at(centers).tolist():
            box = (x - reach, y - reach, x + reach, y + reach)
            self._pens[0].ellipse(box, fill=color)
            self._pens[1].ellipse(box, fill=(height, 0, 255))

    def threads(self, pieces: Array, width: float, color: Color) -> None:
        """Paint short straight lines from an array (N, 2, 2), without changing the height."""
        wide = max(round(width * self.view.scale * FINER), 1)
        for piece in self.at(pieces.reshape(-1, 2)).reshape(-1, 4).tolist():
            self._pens[0].line(piece, fill=color, width=wide)

    def line(self, path: Array, width: float, color: Color) -> None:
        """Paint a thin line along a path, without changing the height."""
        wide = max(round(width * self.view.scale * FINER), 1)
        self._pens[0].line(self.at(path).ravel().tolist(), fill=color, width=wide, joint="curve")

    def stroke(self, path: Array, width: float, color: Color, height: int, texture: int = 0) -> None:
        """Paint a thick line with round ends and joints."""
        corners = self.at(path)
        wide = max(width * self.view.scale * FINER, 1.0)
        for pen, ink in zip(self._pens, (color, (height, texture, 255)), strict=True):
            pen.line(corners.ravel().tolist(), fill=ink, width=round(wide))
            for x, y in corners.tolist():
                pen.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=ink)

    def part(self, outline: Array) -> "Canvas":
        """Return an empty canvas for the area of an outline, to be pasted with `stamp`."""
        places = self.view.at(outline)
        low = np.clip(np.floor(places.min(0)).astype(int), self.box[:2], self.box[2:])
        high = np.clip(np.ceil(places.max(0)).astype(int) + 1, low + 1, self.box[2:])
        return Canvas((int(low[0]), int(low[1]), int(high[0]), int(high[1])), self.view)

    def stamp(self, part: "Canvas", outline: Array) -> None:
        """Paste what is painted on a part of this canvas, clipped to an outline."""
        mask = Image.new("1", part.size)
        ImageDraw.Draw(mask).polygon(part.at(outline).ravel().tolist(), fill=1)
        corner = ((part.box[0] - self.box[0]) * FINER, (part.box[1] - self.box[1]) * FINER)
        self.color.paste(part.color, corner, mask)
        self.relief.paste(part.relief, corner, mask)

    def finished(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Shrink to the pixels of the picture.

        Returns
        -------
        color : float32 array (H, W, 3)
            0 to 255, premultiplied by coverage.
        relief : float32 array (H, W, 3)
            Height, texture and coverage, each 0 to 1.
        """
        color = np.asarray(self.color.reduce(FINER), dtype=np.float32)
        return color, np.asarray(self.relief.reduce(FINER), dtype=np.float32) / np.float32(255)
