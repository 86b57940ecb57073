"""Boxes around sneakers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Box(NamedTuple):
    """A box in a frame, as shares of its width and height: 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Share of the frame's width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Share of the frame's height."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Share of the frame."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def center(self) -> tuple[float, float]:
        """Shares of the frame's width and height."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def size(self) -> float:
        """Mean of width and height."""
        return (self.width + self.height) / 2

    def moved(self, x: float, y: float) -> "Box":
        """The box, moved."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def blended(self, other: "Box", share: float) -> "Box":
        """The box that lies that far, 0 to 1, on the way to another one."""
        return Box(*(a + (b - a) * share for a, b in zip(self, other, strict=True)))

    def inside(self) -> "Box":
        """The part inside the frame."""
        return Box(*(min(max(value, 0.0), 1.0) for value in self))

    def pixels(self, width: int, height: int, margin: float = 0.0) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in pixels of a frame of that size, with a margin as a share of the box's size."""
        across, down = margin * self.width, margin * self.height
        wide = Box(self.left - across, self.top - down, self.right + across, self.bottom + down).inside()
        left, top = min(int(wide.left * width), width - 1), min(int(wide.top * height), height - 1)
        return left, top, max(round(wide.right * width), left + 1), max(round(wide.bottom * height), top + 1)

    def cut(self, frame: Pixels, margin: float = 0.0) -> Pixels:
        """The pixels of a frame in this box, with a margin."""
        left, top, right, bottom = self.pixels(frame.shape[1], frame.shape[0], margin)
        return frame[top:bottom, left:right]

    def touches_edge(self, within: float = 0.01) -> bool:
        """Whether it reaches an edge of the frame, where the rest of the sneaker may be cut off."""
        return min(self.left, self.top, 1 - self.right, 1 - self.bottom) < within


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    both = _intersection(one, other)
    return both / (one.area + other.area - both) if both else 0.0


def contained(one: Box, other: Box) -> float:
    """The share of the first box that lies in the other one, 0 to 1."""
    return _intersection(one, other) / one.area if one.area else 0.0


def _intersection(one: Box, other: Box) -> float:
    wide = min(one.right, other.right) - max(one.left, other.left)
    tall = min(one.bottom, other.bottom) - max(one.top, other.top)
    return wide * tall if wide > 0 and tall > 0 else 0.0
