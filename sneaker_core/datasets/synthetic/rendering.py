"""Render a photo of a sneaker: pose, background, light and camera noise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from sneaker_core.datasets.synthetic.backdrops import BACKDROPS, Backdrop, Picture, choose_color, paint_backdrop
from sneaker_core.datasets.synthetic.canvas import Canvas, View
from sneaker_core.datasets.synthetic.colors import Color, Colorway, choose_colorway
from sneaker_core.datasets.synthetic.curves import Array
from sneaker_core.datasets.synthetic.shapes import Shoe
from sneaker_core.datasets.synthetic.shoe_outlines import SHOES
from sneaker_core.datasets.synthetic.sneaker_painter import paint_sneaker, silhouette
from sneaker_core.errors import DatasetError

__all__ = ["CutOut", "cut_out", "cut_out_sneaker", "draw_photo", "take_photo"]

_MARGIN = 0.035  # share of each side that stays free around the object


@dataclass(frozen=True)
class CutOut:
    """An object without a background.

    Attributes
    ----------
    picture : float32 array (H, W, 3)
        0 to 255, premultiplied by coverage.
    cover : float32 array (H, W)
        0 to 1.
    """

    picture: Picture
    cover: NDArray[np.float32]


@dataclass(frozen=True)
class _Light:
    """Direction, strength and warmth of the light."""

    toward: tuple[float, float]
    strength: float
    warmth: float


def draw_photo(label: str, rng: np.random.Generator, size: tuple[int, int] = (384, 288)) -> Image.Image:
    """Render a photo of a fictional sneaker.

    Parameters
    ----------
    label : str
        One of the synthetic classes.
    rng : numpy.random.Generator
        Determines everything else; the same seed gives the same picture.
    size : tuple of int
        Width and height in pixels, at least about 40.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Raises
    ------
    DatasetError
        There is no synthetic class with this label.
    """
    shoe, colors, bow = _choose_sneaker(label, rng)
    return take_photo(silhouette(shoe), lambda canvas: paint_sneaker(canvas, shoe, colors, bow), colors.base, rng, size)


def cut_out_sneaker(label: str, rng: np.random.Generator, width: int) -> CutOut:
    """Render a fictional sneaker without a background, upright, for pictures that move.

    Parameters
    ----------
    label, rng
        As in `draw_photo`.
    width : int
        In pixels.

    Raises
    ------
    DatasetError
        There is no synthetic class with this label.
    """
    shoe, colors, bow = _choose_sneaker(label, rng)
    return cut_out(silhouette(shoe), lambda canvas: paint_sneaker(canvas, shoe, colors, bow), rng, width)


def _choose_sneaker(label: str, rng: np.random.Generator) -> tuple[Shoe, Colorway, float]:
    """The shape of a class, colors for it, and the size of its bow."""
    shoe = SHOES.get(label)
    if shoe is None:
        raise DatasetError(f"No synthetic class named “{label}”. Available classes: {', '.join(SHOES)}.")
    colors = choose_colorway(rng)
    return shoe, colors, rng.uniform(0.75, 1.15) if rng.random() < 0.6 else 0.0


def cut_out(edge: Array, paint: Callable[[Canvas], None], rng: np.random.Generator, width: int) -> CutOut:
    """Render any object without a background; parameters as for `take_photo`, and the width in pixels."""
    low, high = edge.min(0), edge.max(0)
    scale = (width - 8) / float(high[0] - low[0])
    view = View(np.array([[scale, 0, 4 - low[0] * scale], [0, scale, 4 - low[1] * scale], [0, 0, 1.0]]), scale)
    canvas = Canvas((0, 0, width, int(np.ceil((high[1] - low[1]) * scale)) + 8), view)
    paint(canvas)
    painted, relief = canvas.finished()
    return CutOut(_lit(painted, relief, _choose_light(rng), scale, rng), relief[..., 2])


def take_photo(
    edge: Array, paint: Callable[[Canvas], None], color: Color, rng: np.random.Generator, size: tuple[int, int]
) -> Image.Image:
    """Render an object with background, shadow, light and noise.

    Parameters
    ----------
    edge : float array (N, 2)
        Points around the object, in units of the field.
    paint : callable
        Paints the object on a canvas.
    color : Color
        Main color of the object, which the background avoids.
    rng : numpy.random.Generator
        Determines everything else.
    size : tuple of int
        Width and height in pixels.

    Returns
    -------
    PIL.Image.Image
        RGB.
    """
    backdrop = BACKDROPS[int(rng.integers(len(BACKDROPS)))]
    view = _choose_view(edge, backdrop.standing, rng, size)
    light = _choose_light(rng)
    picture = paint_backdrop(backdrop, size, choose_color(color, rng), rng)
    canvas = Canvas(_box(view.at(edge), size), view)
    paint(canvas)
    painted, relief = canvas.finished()
    _cast_shadow(picture, canvas.box, relief[..., 2], light, backdrop, view)
    lit = _lit(painted, relief, light, view.scale, rng)
    left, top, right, bottom = canvas.box
    part = picture[top:bottom, left:right]
    part *= 1 - relief[..., 2:]
    part += lit
    return _exposed(picture, light, rng)


def _choose_view(edge: Array, standing: bool, rng: np.random.Generator, size: tuple[int, int]) -> View:
    """Rotate, shear and mirror the field, then scale it so that the whole object is inside the picture."""
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    angle = np.radians(rng.uniform(-3.5, 3.5) if standing else rng.uniform(-24, 24))
    slant = rng.uniform(-0.05, 0.05) if standing else rng.uniform(-0.12, 0.12)
    stretch = rng.uniform(1.02, 1.18)
    centered = np.array([[mirror, 0, -50 * mirror], [0, 1, -40], [0, 0, 1]])
    slanted = np.array([[stretch, slant, 0], [0, 1, 0], [0, 0, 1]])
    turned = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    away = np.array([[1, 0, 0], [0, 1, 0], [*rng.uniform(-0.0016, 0.0016, 2), 1]])
    posed = away @ turned @ slanted @ centered
    places = View(posed, 1.0).at(edge)
    low, high = places.min(0), places.max(0)
    room = np.array(size) * (1 - 2 * _MARGIN)
    scale = float((room / (high - low)).min() * rng.uniform(0.66, 0.99))
    spare = room - (high - low) * scale
    # Standing sneakers are in the lower part, below the horizon.
    share = np.array([rng.uniform(0, 1), rng.uniform(0.55, 1) if standing else rng.uniform(0, 1)])
    corner = np.array(size) * _MARGIN + spare * share - low * scale
    placed = np.array([[scale, 0, corner[0]], [0, scale, corner[1]], [0, 0, 1]])
    return View(placed @ posed, scale)


def _choose_light(rng: np.random.Generator) -> _Light:
    angle = rng.uniform(-1.05, 1.05)
    return _Light((float(np.sin(angle)), -float(np.cos(angle))), rng.uniform(0.75, 1.25), rng.uniform(-1, 1))


def _box(places: Array, size: tuple[int, int]) -> tuple[int, int, int, int]:
    low = np.maximum(np.floor(places.min(0)).astype(int) - 4, 0)
    high = np.minimum(np.ceil(places.max(0)).astype(int) + 4, size)
    return (int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def _cast_shadow(
    picture: Picture,
    box: tuple[int, int, int, int],
    cover: NDArray[np.float32],
    light: _Light,
    backdrop: Backdrop,
    view: View,
) -> None:
    """Darken the background where the drawing keeps the light away."""
    shade = np.zeros(picture.shape[:2], dtype=np.float32)
    if backdrop.standing:
        _add_standing_shadow(shade, box, cover, light, view.scale)
    else:
        x = round(box[0] - light.toward[0] * 4.2 * view.scale)
        y = round(box[1] - light.toward[1] * 4.2 * view.scale)
        _add(shade, cover * np.float32(0.55), x, y)
        shade = _blurred(shade, 2.4 * view.scale)
        touching = np.zeros_like(shade)
        _add(touching, cover * np.float32(0.4), box[0], round(box[1] + view.scale * 0.5))
        shade = np.maximum(shade, _blurred(touching, 1.1 * view.scale))
    tint = np.array([0.92, 0.9, 0.82], dtype=np.float32)
    picture *= 1 - np.minimum(shade, 0.8)[..., None] * tint


def _add_standing_shadow(
    shade: NDArray[np.float32], box: tuple[int, int, int, int], cover: NDArray[np.float32], light: _Light, scale: float
) -> None:
    """Add a wide, soft shadow on the floor and a narrow, dark one where the sole touches it."""
    lowest = np.where(cover > 0.5, np.arange(cover.shape[0])[:, None], -1).max(0)
    columns = np.flatnonzero(lowest >= 0)
    slope, start = np.polyfit(columns, lowest[columns], 1)
    gap = slope * columns + start - lowest[columns]
    start -= float(gap.min()) + 0.8 * scale  # the sole's lowest point is slightly in front of the shadow's center
    x = np.arange(shade.shape[1], dtype=np.float32) - box[0]
    floor = slope * x + start + box[1]
    top, bottom = int(max(floor.min() - 8 * scale, 0)), int(floor.max() + 8 * scale) + 1
    y = np.arange(shade.shape[0], dtype=np.float32)[top:bottom, None] - floor[None].astype(np.float32)
    near = np.interp(x, columns, np.exp((gap.min() - gap) / (3 * scale))).astype(np.float32)
    tight = _window(x, columns, 0.6 * scale, 0.0) * near * np.exp(-((y / np.float32(1.1 * scale)) ** 2))
    aside = -light.toward[0] * 7 * scale
    soft = _window(x, columns, 7 * scale, aside) * np.exp(-(((y - 0.9 * scale) / np.float32(2.9 * scale)) ** 2))
    shade[top:bottom] = 1 - (1 - tight * np.float32(0.62)) * (1 - soft * np.float32(0.46))


def _window(x: NDArray[np.float32], columns: NDArray[np.intp], fade: float, aside: float) -> NDArray[np.float32]:
    """A window that is 1 between the first and last column, shifted aside, with soft ends."""
    first, last = float(columns[0]) + aside, float(columns[-1]) + aside
    ramp = np.clip(np.minimum(x - first, last - x) / (2 * fade) + 0.35, 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), dtype=np.float32)


def _add(target: NDArray[np.float32], patch: NDArray[np.float32], x: int, y: int) -> None:
    """Add the part of a patch that is inside the target."""
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + patch.shape[1], target.shape[1]), min(y + patch.shape[0], target.shape[0])
    if left < right and top < bottom:
        target[top:bottom, left:right] += patch[top - y : bottom - y, left - x : right - x]


def _blurred(values: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """Blur values from 0 to 1; large radii use a smaller size, which is faster and looks the same."""
    image = Image.fromarray(values)
    small = max(int(radius / 1.5), 1)
    size = (max(image.width // small, 2), max(image.height // small, 2))
    reduced = np.asarray(image.resize(size, Image.Resampling.BOX)) if small > 1 else values
    gray = Image.fromarray((np.clip(reduced, 0, 1) * 255).astype(np.uint8))
    soft = np.asarray(gray.filter(ImageFilter.GaussianBlur(radius / small)), dtype=np.float32) / np.float32(255)
    if small == 1:
        return soft
    return np.asarray(Image.fromarray(soft).resize(image.size, Image.Resampling.BICUBIC))


def _lit(
    painted: Picture, relief: NDArray[np.float32], light: _Light, scale: float, rng: np.random.Generator
) -> Picture:
    """Shade the paint with bevels from the heights, roundness from the outline, creases and fabric."""
    height, texture, cover = relief[..., 0], relief[..., 1], relief[..., 2]
    bevel = _facing(_blurred(height, 0.45 * scale), light) * (0.5 * scale)
    round_ = _facing(_blurred(cover, 4.5 * scale), light) * (3.4 * scale)
    crease = np.maximum(_blurred(height, 1.6 * scale) - height, 0)
    fabric = _weave(height.shape, scale, rng) * texture
    slopes = np.clip(bevel * 1.5, -0.4, 0.3) + np.clip(round_ * 0.62, -0.34, 0.22)
    shade = 1 + light.strength * slopes + fabric * np.float32(0.085) - crease * np.float32(1.1)
    gloss = np.clip(bevel * 1.2 + round_ * 0.5 - 0.12, 0, 0.4) * (1 - texture) * cover * np.float32(110)
    result = painted * np.clip(shade, 0.3, 1.35)[..., None] + gloss[..., None] * light.strength
    return np.asarray(np.minimum(result, 255 * relief[..., 2:]), dtype=np.float32)


def _facing(height: NDArray[np.float32], light: _Light) -> NDArray[np.float32]:
    """Return the slope of a height map towards the light, per pixel."""
    down, across = np.gradient(height)
    return np.asarray(-(across * light.toward[0] + down * light.toward[1]), dtype=np.float32)


def _weave(shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A fabric texture from -1 to 1: mesh, canvas or knit, rotated at random."""
    angle, pitch = rng.uniform(0, np.pi), max(rng.uniform(0.9, 1.7) * scale, 2.6)
    turn = np.float32(2 * np.pi / pitch)
    y = np.arange(shape[0], dtype=np.float32)[:, None] * turn
    x = np.arange(shape[1], dtype=np.float32)[None] * turn
    across, down = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    first = np.sin(x * across + y * down)
    if rng.random() < 0.35:
        return first
    result: NDArray[np.float32] = first * np.sin(y * across - x * down)
    return result


def _exposed(picture: Picture, light: _Light, rng: np.random.Generator) -> Image.Image:
    """Apply the color of the light, vignetting and sensor noise."""
    warm = np.array([1 + 0.03 * light.warmth, 1, 1 - 0.04 * light.warmth], dtype=np.float32)
    height, width = picture.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None] - np.float32(light.toward[0] * 0.5)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - np.float32(light.toward[1] * 0.5)
    fall = 1.03 - np.float32(rng.uniform(0.03, 0.09)) * (x * x + y * y)
    picture *= fall[..., None] * warm
    picture += rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(0.8, 2.6))
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
