"""A sneaker drawn with curves: a picture for tests and screenshots that is free of other people's rights."""

import colorsys
import random

from PIL import Image, ImageDraw, ImageFilter

Point = tuple[float, float]
Color = tuple[int, int, int]

# Coordinates are on a canvas of 100 x 75 units, drawn at three times the size and reduced for smooth edges.
_FIELD = (100, 75)
_FINER = 3

# Outlines as a start and cubic curves (two handles, an end), toe to the right.
_UPPER: tuple[Point, ...] = (
    (13, 55), (11, 44), (11, 35), (12, 26), (13, 20), (16, 18), (19, 21), (22, 26), (30, 27), (36, 21),
    (38, 19), (41, 18), (44, 20), (49, 26), (56, 33), (65, 37), (76, 40), (88, 42), (90, 57), (65, 58),
    (35, 58), (13, 55),
)  # fmt: skip
_TOE: tuple[Point, ...] = (
    (70, 55), (70, 48), (74, 41), (80, 41.5), (87, 43), (91, 47), (90, 55), (84, 56), (76, 56), (70, 55),
)  # fmt: skip
_HEEL: tuple[Point, ...] = (
    (13, 54), (11, 44), (11, 35), (12, 28), (18, 31), (22, 35), (23, 41), (25, 46), (26, 50), (27, 55),
    (22, 55.5), (17, 55), (13, 54),
)  # fmt: skip
_COLLAR: tuple[Point, ...] = (
    (14, 26), (15, 21), (17, 19.5), (19, 22), (23, 27), (30, 28), (36, 22), (37, 25), (35, 30), (28, 31),
    (21, 31), (17, 27), (14, 26),
)  # fmt: skip
_TONGUE: tuple[Point, ...] = (
    (34, 24), (33, 19), (35, 14), (38, 14), (41, 14), (44, 18), (46, 22), (42, 24), (38, 26), (34, 24),
)  # fmt: skip
_MIDSOLE: tuple[Point, ...] = (
    (10, 53), (9, 57), (9, 60), (11, 63), (35, 64.5), (65, 64.5), (88, 63), (93, 62), (94, 56), (91, 53),
    (80, 56), (60, 56.5), (45, 56), (32, 56), (20, 54), (10, 53),
)  # fmt: skip
_OUTSOLE: tuple[Point, ...] = (
    (10, 61), (10, 64), (11, 66), (14, 66), (35, 67), (65, 67), (85, 66), (90, 65), (93, 62), (93, 60),
    (88, 63.5), (65, 64), (40, 64), (30, 64), (18, 63), (10, 61),
)  # fmt: skip
_BAND: tuple[Point, ...] = (
    (24, 50), (36, 52), (46, 47), (53, 37), (55, 38), (57, 39), (59, 39.5), (54, 50), (42, 57), (25, 56),
    (25, 54), (24.5, 52), (24, 50),
)  # fmt: skip


def draw_sneaker(seed: int = 0, size: tuple[int, int] = (960, 720)) -> Image.Image:
    """Draw a sneaker in profile.

    Parameters
    ----------
    seed : int
        Determines colors, direction and position; the same seed gives the same picture.
    size : tuple of int
        Width and height in pixels.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    dice = random.Random(seed)
    hue = dice.random()
    body, accent = _color(hue, 0.62, 0.72), _color(hue + dice.uniform(0.4, 0.6), 0.7, 0.85)
    shape = _Canvas(size, _color(hue + 0.5, 0.05, 0.95), _color(hue + 0.5, 0.10, 0.84))
    shape.shadow()
    shape.fill(_TONGUE, _darker(body, 0.75))
    shape.fill(_UPPER, body)
    shape.fill(_COLLAR, _darker(body, 0.5))
    shape.fill(_TOE, (245, 243, 238))
    shape.fill(_HEEL, accent)
    shape.fill(_BAND, accent)
    shape.laces((250, 250, 250), _darker(body, 0.55))
    shape.stitches(_darker(body, 0.62))
    shape.fill(_OUTSOLE, _darker(accent, 0.7))
    shape.fill(_MIDSOLE, (252, 250, 245))
    shape.line([(11, 60), (40, 61), (70, 60.5), (91.5, 58.5)], accent, 0.5)
    image = shape.finished(size)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if dice.random() < 0.3 else image


class _Canvas:
    """The canvas at a finer scale; shapes are given in its own units."""

    def __init__(self, size: tuple[int, int], above: Color, below: Color) -> None:
        self.size = (size[0] * _FINER, size[1] * _FINER)
        self.scale = min(self.size[0] / _FIELD[0], self.size[1] / _FIELD[1])
        self.left = (self.size[0] - _FIELD[0] * self.scale) / 2
        self.top = (self.size[1] - _FIELD[1] * self.scale) / 2
        shade = Image.linear_gradient("L").resize(self.size)
        self.image = Image.composite(Image.new("RGB", self.size, below), Image.new("RGB", self.size, above), shade)
        self.pen = ImageDraw.Draw(self.image)

    def at(self, point: Point) -> Point:
        return (self.left + point[0] * self.scale, self.top + point[1] * self.scale)

    def shadow(self) -> None:
        mask = Image.new("L", self.size, 0)
        ImageDraw.Draw(mask).ellipse((*self.at((6, 62)), *self.at((97, 70))), fill=120)
        mask = mask.reduce(4).filter(ImageFilter.GaussianBlur(self.scale / 3)).resize(self.size)
        self.image.paste((40, 40, 55), mask=mask)
        self.pen = ImageDraw.Draw(self.image)

    def fill(self, outline: tuple[Point, ...], color: Color, dx: float = 0, dy: float = 0, scale_y: float = 1) -> None:
        bottom = max(y for _, y in outline)
        moved = [(x + dx, bottom - (bottom - y - dy) * scale_y) for x, y in _curve(outline)]
        self.pen.polygon([self.at(point) for point in moved], fill=color)

    def line(self, points: list[Point], color: Color, width: float) -> None:
        self.pen.line([self.at(point) for point in points], color, round(width * self.scale), joint="curve")

    def laces(self, color: Color, hole: Color) -> None:
        for row in range(5):
            x, y = 43.5 + 4.6 * row, 22.5 + 3.1 * row
            self.line([(x, y), (x - 3.6, y + 5.2)], color, 1.5)
            left, top = self.at((x - 4.6, y + 4.6))
            self.pen.ellipse((left, top, left + 1.4 * self.scale, top + 1.4 * self.scale), fill=hole)

    def stitches(self, color: Color) -> None:
        for row in range(3):
            for column in range(3):
                left, top = self.at((76 + 3 * column + row, 45.5 + 2.4 * row))
                self.pen.ellipse((left, top, left + 0.8 * self.scale, top + 0.8 * self.scale), fill=color)

    def finished(self, size: tuple[int, int]) -> Image.Image:
        return self.image.resize(size, Image.Resampling.LANCZOS)


def _curve(outline: tuple[Point, ...], steps: int = 24) -> list[Point]:
    """Points along consecutive cubic Bézier curves."""
    points = [outline[0]]
    for start in range(0, len(outline) - 1, 3):
        p0, p1, p2, p3 = outline[start : start + 4]
        for step in range(1, steps + 1):
            t = step / steps
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append(
                (
                    sum(w * p[0] for w, p in zip(weights, (p0, p1, p2, p3), strict=True)),
                    sum(w * p[1] for w, p in zip(weights, (p0, p1, p2, p3), strict=True)),
                )
            )
    return points


def _color(hue: float, saturation: float, value: float) -> Color:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return (round(red * 255), round(green * 255), round(blue * 255))


def _darker(color: Color, by: float) -> Color:
    return (round(color[0] * by), round(color[1] * by), round(color[2] * by))
