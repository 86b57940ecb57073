"""Backgrounds: sheets of paper, floors, walls and out-of-focus scenes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from sneaker_core.datasets.synthetic.colors import Color, lighter, mixed

__all__ = ["BACKDROPS", "Backdrop", "Picture", "choose_color", "clouds", "paint_backdrop"]

Picture = NDArray[np.float32]

_COLORS: tuple[Color, ...] = (
    (236, 229, 217), (222, 231, 235), (244, 217, 205), (206, 217, 200), (217, 211, 229), (243, 226, 178),
    (193, 215, 222), (232, 232, 232), (182, 192, 201), (46, 51, 63), (58, 76, 86), (170, 96, 70), (226, 170, 143),
    (112, 145, 126), (240, 201, 201), (246, 243, 237), (138, 164, 186), (216, 186, 140), (86, 92, 120), (200, 86, 74),
    (238, 176, 88), (70, 120, 120),
)  # fmt: skip


@dataclass(frozen=True)
class Backdrop:
    """One kind of background.

    Attributes
    ----------
    paint : callable
        Renders the picture from its size (width, height), color, horizon (share of the height) and generator.
    standing : bool
        Whether the sneaker stands on a floor; otherwise it is seen from above.
    """

    paint: Callable[[tuple[int, int], Color, float, np.random.Generator], Picture]
    standing: bool


def paint_backdrop(backdrop: Backdrop, size: tuple[int, int], color: Color, rng: np.random.Generator) -> Picture:
    """Render a background, float32 array (H, W, 3) from 0 to 255."""
    return np.asarray(backdrop.paint(size, color, rng.uniform(0.42, 0.66), rng), dtype=np.float32)


def choose_color(avoid: Color, rng: np.random.Generator) -> Color:
    """Choose a background color on which a sneaker of the color `avoid` stands out."""
    offered = [_COLORS[int(place)] for place in rng.integers(len(_COLORS), size=3)]
    return max(offered, key=lambda color: sum(abs(a - b) for a, b in zip(color, avoid, strict=True)))


def clouds(size: tuple[int, int], cells: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return soft random spots, `cells` across, float32 array (H, W) from about -1 to 1."""
    rows = max(round(cells * size[1] / size[0]), 2)
    spots = rng.uniform(-1, 1, (rows, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(spots).resize(size, Image.Resampling.BICUBIC), dtype=np.float32)


def _flat(size: tuple[int, int], color: Color) -> Picture:
    return np.full((size[1], size[0], 3), color, dtype=np.float32)


def _ramp(size: tuple[int, int], angle: float) -> NDArray[np.float32]:
    """Values that rise from 0 to 1 across the picture, in the direction of an angle in radians."""
    x = np.linspace(-0.5, 0.5, size[0], dtype=np.float32)[None]
    y = np.linspace(-0.5, 0.5, size[1], dtype=np.float32)[:, None]
    across, down = float(np.cos(angle)), float(np.sin(angle))
    return np.asarray((x * across + y * down) / (abs(across) + abs(down)) + 0.5, dtype=np.float32)


def _canvas(size: tuple[int, int], ground: Color) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A canvas of twice the size, which `_pixels` shrinks for smooth edges."""
    image = Image.new("RGB", (size[0] * 2, size[1] * 2), ground)
    return image, ImageDraw.Draw(image)


def _pixels(image: Image.Image) -> Picture:
    return np.asarray(image.reduce(2), dtype=np.float32).copy()


def _studio(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """A paper backdrop that curves from wall to table."""
    y = np.linspace(0, 1, size[1], dtype=np.float32)[:, None, None]
    wall = np.array(lighter(color, -0.06 - 0.16 * rng.random()), np.float32)
    table = np.array(lighter(color, 0.3), np.float32)
    bend = 1 / (1 + np.exp(-(y - np.float32(horizon)) * np.float32(rng.uniform(9, 22))))
    x = np.linspace(-1, 1, size[0], dtype=np.float32)[None, :, None]
    middle = np.float32(rng.uniform(-0.5, 0.5))
    glow = np.exp(-((x - middle) ** 2) * 1.4 - ((y - 0.3) ** 2) * 5) * 26
    return np.asarray(wall + (table - wall) * bend + glow, dtype=np.float32)


def _paper(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    ramp = _ramp(size, rng.uniform(0, 2 * np.pi))[..., None]
    return _flat(size, lighter(color, -0.10)) + ramp * 34


def _wall_and_floor(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    floor = mixed(lighter(color, 0.25), _COLORS[int(rng.integers(len(_COLORS)))], 0.35)
    picture = _flat(size, color)
    picture += (_ramp(size, rng.uniform(0, np.pi))[..., None] - 0.5) * 30
    edge = round(horizon * size[1])
    picture[edge:] = np.array(floor, np.float32) + np.linspace(-22, 12, size[1] - edge)[:, None, None]
    skirting = max(size[1] // 60, 2)
    picture[edge - skirting : edge] = picture[edge - skirting : edge] * 0.4 + 150
    return picture


def _planks(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """Wooden boards."""
    tones: tuple[Color, ...] = ((196, 154, 108), (150, 108, 74), (222, 196, 158), (116, 86, 66), (178, 164, 148))
    wood = tones[int(rng.integers(len(tones)))]
    width, height = size
    boards = int(rng.integers(4, 8))
    row = np.arange(height, dtype=np.float32)[:, None]
    shift = np.float32(rng.uniform(0, 1))
    place = row / height * boards + shift
    board = place.astype(np.int64) % 16
    tone = rng.uniform(-15, 15, 16).astype(np.float32)[board]
    grain = np.asarray(
        Image.fromarray(rng.uniform(-1, 1, (height // 2, 7)).astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    )
    edge = np.minimum(place % 1, 1 - place % 1) * height / boards
    gap = np.clip(1.4 - edge, 0, 1) * 46
    seam = rng.integers(0, width, 16)[board]
    joint = (np.abs(np.arange(width)[None] - seam) < 1) * np.float32(40)
    flat = tone + grain * 11 - gap - joint + clouds(size, 5, rng) * 7
    return np.asarray(_flat(size, wood) + flat[..., None] * np.array([1, 0.92, 0.82]), dtype=np.float32)


def _concrete(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    gray = mixed((168, 168, 166), color, 0.22)
    flat = clouds(size, 4, rng) * 13 + clouds(size, 14, rng) * 8 + clouds(size, 60, rng) * 6
    specks = rng.random((size[1], size[0]), dtype=np.float32) > 0.998
    return np.asarray(_flat(size, gray) + (flat - specks * 26)[..., None], dtype=np.float32)


def _bokeh(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """Out-of-focus lights over a dark floor."""
    dark = mixed(color, (28, 30, 44), 0.72)
    image = Image.new("RGB", size, dark)
    pen = ImageDraw.Draw(image, "RGBA")
    for _ in range(int(rng.integers(12, 22))):
        radius = rng.uniform(0.02, 0.085) * size[0]
        x, y = rng.uniform(0, size[0]), rng.uniform(-0.05, horizon) * size[1]
        tint = lighter(mixed(_COLORS[int(rng.integers(len(_COLORS)))], (255, 214, 150), 0.4), 0.2)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*tint, int(rng.integers(50, 150))))
    picture = np.asarray(image.filter(ImageFilter.GaussianBlur(size[0] / 110)), dtype=np.float32).copy()
    edge = round(horizon * size[1])
    floor = np.array(lighter(dark, 0.22), np.float32) + np.linspace(-14, 34, size[1] - edge)[:, None, None]
    picture[edge:] = picture[edge:] * 0.15 + floor * 0.85
    fade = max(size[1] // 14, 2)
    mix = np.linspace(0, 1, fade, dtype=np.float32)[:, None, None]
    picture[edge - fade : edge] = picture[edge - fade : edge] * (1 - mix) + picture[edge][None] * mix
    return picture


def _blocks(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """Two sheets of colored paper with a slanted border."""
    other = _COLORS[int(rng.integers(len(_COLORS)))]
    ramp = _ramp(size, rng.uniform(0, 2 * np.pi))
    side = np.clip((ramp - np.float32(rng.uniform(0.36, 0.64))) * size[0] * 0.8, 0, 1)[..., None]
    return np.asarray(_flat(size, color) * (1 - side) + _flat(size, other) * side, dtype=np.float32)


def _poster(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """A large disc of another color behind the sneaker."""
    image, pen = _canvas(size, color)
    disc = _COLORS[int(rng.integers(len(_COLORS)))]
    radius = rng.uniform(0.5, 0.82) * size[1]
    x, y = rng.uniform(0.25, 0.75) * size[0] * 2, rng.uniform(0.25, 0.75) * size[1] * 2
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=mixed(disc, color, 0.15))
    return _pixels(image)


def _stripes(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """Wide stripes of two similar tones, like cloth."""
    ramp = _ramp(size, rng.uniform(0, 2 * np.pi)) * np.float32(rng.uniform(4, 9))
    wave = np.clip(np.sin(ramp * 2 * np.pi) * 14, -1, 1)[..., None]
    return np.asarray(_flat(size, color) + wave * rng.uniform(8, 15), dtype=np.float32)


def _tiles(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """A tiled floor from above."""
    side = rng.uniform(0.17, 0.34) * size[0]
    x = (np.arange(size[0], dtype=np.float32)[None] + np.float32(rng.uniform(0, side))) / np.float32(side)
    y = (np.arange(size[1], dtype=np.float32)[:, None] + np.float32(rng.uniform(0, side))) / np.float32(side)
    tone = rng.uniform(-9, 9, (32, 32)).astype(np.float32)[y.astype(np.int64) % 32, x.astype(np.int64) % 32]
    edge = np.minimum(np.minimum(x % 1, 1 - x % 1), np.minimum(y % 1, 1 - y % 1)) * np.float32(side)
    grout = np.clip(2 - edge, 0, 1) * 26
    flat = tone - grout + clouds(size, 6, rng) * 4
    return np.asarray(_flat(size, lighter(color, 0.1)) + flat[..., None], dtype=np.float32)


def _court(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """A sports floor with painted lines."""
    image, pen = _canvas(size, mixed(color, (60, 110, 140), 0.3))
    width, height = size[0] * 2, size[1] * 2
    paint = (244, 240, 230)
    angle = rng.uniform(0, np.pi)
    across, down = np.cos(angle) * width, np.sin(angle) * width
    x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
    thick = round(width * rng.uniform(0.016, 0.03))
    radius = rng.uniform(0.25, 0.6) * width
    pen.pieslice((x - radius, y - radius, x + radius, y + radius), 0, 360, fill=lighter(color, -0.2))
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=paint, width=thick)
    pen.line((x - across, y - down, x + across, y + down), fill=paint, width=thick)
    return _pixels(image) + (clouds(size, 50, rng) * 4)[..., None]


def _window_light(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """Sun through a window on a plain wall."""
    light = Image.new("L", size, 0)
    pen = ImageDraw.Draw(light)
    wide, tall, slant = rng.uniform(0.1, 0.17) * size[0], rng.uniform(0.2, 0.32) * size[1], rng.uniform(-0.6, 0.6)
    left, top = rng.uniform(0.1, 0.6) * size[0], rng.uniform(-0.1, 0.3) * size[1]
    for column in range(3):
        for row in range(3):
            x, y = left + column * wide * 1.14, top + row * tall * 1.1
            corners = [(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall)]
            pen.polygon([(a + (b - top) * slant, b) for a, b in corners], fill=255)
    mask = np.asarray(light.filter(ImageFilter.GaussianBlur(size[0] / 130)), dtype=np.float32)[..., None] / 255
    return np.asarray(_flat(size, lighter(color, -0.16)) * (1 + mask * 0.27) + mask * 8, dtype=np.float32)


def _podium(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """A wall with an arch and a floor, all in one color."""
    image, pen = _canvas(size, lighter(color, -0.05))
    width, height = size[0] * 2, size[1] * 2
    edge = horizon * height
    half, x = rng.uniform(0.16, 0.3) * width, rng.uniform(0.25, 0.75) * width
    top = edge - rng.uniform(0.25, 0.6) * height
    arch = lighter(color, -0.2 if rng.random() < 0.6 else 0.3)
    pen.ellipse((x - half, top - half, x + half, top + half), fill=arch)
    pen.rectangle((x - half, top, x + half, edge), fill=arch)
    pen.rectangle((0, edge, width, height), fill=lighter(color, 0.22))
    picture = _pixels(image)
    picture += (_ramp(size, rng.uniform(0, np.pi))[..., None] - 0.5) * 24
    return picture


def _hills(size: tuple[int, int], color: Color, horizon: float, rng: np.random.Generator) -> Picture:
    """Sky, out-of-focus hills and a path."""
    sky = mixed(((186, 216, 232), (244, 208, 178), (212, 204, 226), (222, 230, 228))[int(rng.integers(4))], color, 0.1)
    ground = ((104, 146, 108), (86, 122, 128), (150, 128, 110), (96, 104, 140))[int(rng.integers(4))]
    image = Image.new("RGB", size, sky)
    pen = ImageDraw.Draw(image)
    for layer, haze in enumerate((0.6, 0.34, 0.1)):
        turns, start = rng.uniform(0.6, 1.8), rng.uniform(0, 6)
        x = np.linspace(0, size[0], 24)
        y = (horizon - 0.22 + 0.1 * layer + 0.05 * np.sin(x / size[0] * turns * 2 * np.pi + start)) * size[1]
        corners = [*zip(x.tolist(), y.tolist(), strict=True), (size[0], size[1]), (0, size[1])]
        pen.polygon(corners, fill=mixed(ground, sky, haze))
    pen.rectangle((0, horizon * size[1], *size), fill=mixed((200, 184, 156), color, 0.3))
    picture = np.asarray(image.filter(ImageFilter.GaussianBlur(size[0] / 90)), dtype=np.float32).copy()
    edge = round(horizon * size[1])
    picture[edge:] += (clouds((size[0], size[1] - edge), 60, rng) * 7)[..., None]
    return picture


BACKDROPS: tuple[Backdrop, ...] = (
    Backdrop(_studio, standing=True),
    Backdrop(_wall_and_floor, standing=True),
    Backdrop(_bokeh, standing=True),
    Backdrop(_podium, standing=True),
    Backdrop(_hills, standing=True),
    Backdrop(_paper, standing=False),
    Backdrop(_planks, standing=False),
    Backdrop(_concrete, standing=False),
    Backdrop(_blocks, standing=False),
    Backdrop(_poster, standing=False),
    Backdrop(_stripes, standing=False),
    Backdrop(_tiles, standing=False),
    Backdrop(_court, standing=False),
    Backdrop(_window_light, standing=False),
)
