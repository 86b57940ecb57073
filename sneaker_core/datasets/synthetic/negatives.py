"""Synthetic negatives: objects that are not sneakers, like photos that got into a dataset by mistake."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from sneaker_core.datasets.synthetic.canvas import Canvas
from sneaker_core.datasets.synthetic.colors import Color, Colorway, choose_colorway, lighter, mixed
from sneaker_core.datasets.synthetic.curves import Array, Outline, band, smooth
from sneaker_core.datasets.synthetic.rendering import CutOut, cut_out, take_photo

__all__ = ["cut_out_negative", "draw_negative"]

_INK: Color = (34, 32, 38)
_LEAF: Color = (84, 130, 88)

# Around every object.
_EDGE: Array = np.array([[20, 8], [86, 8], [86, 67], [20, 67]], dtype=np.float64)
_MUG: Outline = (
    (30, 22, 1), (70, 22, 1), (69, 45), (66, 62), (61, 66, 1), (39, 66, 1), (34, 62), (31, 45),
)  # fmt: skip
_HANDLE: Outline = ((69, 30), (79, 29), (84, 38), (79, 49), (67, 52))
_POT: Outline = ((34, 46, 1), (66, 46, 1), (63, 58), (61, 66, 1), (39, 66, 1), (37, 58))
_POT_RIM: Outline = ((32, 42, 1), (68, 42, 1), (67, 48, 1), (33, 48, 1))
_LAMP_SHADE: Outline = ((40, 14, 1), (60, 14, 1), (74, 40, 1), (26, 40, 1))
_LAMP_FOOT: Outline = ((36, 66, 1), (38, 63), (50, 61.5), (62, 63), (64, 66, 1))
_HOUSE: Outline = ((28, 36, 1), (72, 36, 1), (72, 66, 1), (28, 66, 1))
_ROOF: Outline = ((22, 38, 1), (50, 12, 1), (78, 38, 1))
_CAT: Outline = (
    (26, 16, 1), (38, 25), (50, 24), (62, 25), (74, 16, 1), (77, 32), (75, 48), (66, 60), (50, 65), (34, 60), (25, 48),
    (23, 32),
)  # fmt: skip
_EAR: Outline = ((28.5, 21, 1), (36, 27), (29, 34, 1))
_PEAR: Outline = (
    (50, 16), (56, 22), (58, 32), (65, 42), (66, 55), (58, 65), (50, 66), (42, 65), (34, 55), (35, 42), (42, 32),
    (44, 22),
)  # fmt: skip


def draw_negative(rng: np.random.Generator, size: tuple[int, int] = (384, 288)) -> Image.Image:
    """Render an RGB photo of a mug, a plant, a lamp, a ball, a house, a cat or a pear."""
    paint, colors = _choose_negative(rng)
    return take_photo(_EDGE, lambda canvas: paint(canvas, colors), colors.base, rng, size)


def cut_out_negative(rng: np.random.Generator, width: int) -> CutOut:
    """Render such an object without a background, for pictures that move; the width is in pixels."""
    paint, colors = _choose_negative(rng)
    return cut_out(_EDGE, lambda canvas: paint(canvas, colors), rng, width)


def _choose_negative(rng: np.random.Generator) -> tuple[Callable[[Canvas, Colorway], None], Colorway]:
    colors = choose_colorway(rng)
    return _PAINTERS[int(rng.integers(len(_PAINTERS)))], colors


def _mug(canvas: Canvas, colors: Colorway) -> None:
    canvas.fill(band(smooth(_HANDLE, closed=False), 5), mixed(colors.base, _INK, 0.15), 110)
    canvas.fill(smooth(_MUG), colors.base, 140)
    canvas.fill(_ellipse(50, 22, 20, 3.6), lighter(colors.base, 0.3), 150)
    canvas.fill(_ellipse(50, 22.5, 17.6, 2.6), (92, 62, 44), 120)
    canvas.fill(np.array([[31.4, 46], [68.6, 46], [67.8, 54], [32.4, 54]]), colors.accent, 146)


def _plant(canvas: Canvas, colors: Colorway) -> None:
    for turn in np.linspace(-1.25, 1.25, 7).tolist():
        reach = 33 - 7 * abs(turn)
        tip = np.array([50 + np.sin(turn) * reach * 0.85, 43 - np.cos(turn) * reach])
        middle = (tip + np.array([50, 43])) / 2
        side = np.array([np.cos(turn), np.sin(turn)]) * 5
        points = ((50.0, 44.0, 1), tuple((middle + side).tolist()), (*tip.tolist(), 1), tuple((middle - side).tolist()))
        canvas.fill(smooth(points), lighter(_LEAF, 0.1 * (turn % 0.5)), 110 + int(20 * (turn % 0.7)))
        canvas.threads(np.array([[[50.0, 44.0], tip]]), 0.5, lighter(_LEAF, 0.3))
    canvas.fill(smooth(_POT), colors.overlay, 150)
    canvas.fill(smooth(_POT_RIM), lighter(colors.overlay, 0.12), 175)


def _lamp(canvas: Canvas, colors: Colorway) -> None:
    canvas.fill(band(np.array([[50.0, 36], [50, 50], [50, 64]]), 2.4), mixed(colors.overlay, _INK, 0.5), 120)
    canvas.fill(smooth(_LAMP_FOOT), mixed(colors.overlay, _INK, 0.4), 130)
    canvas.fill(smooth(_LAMP_SHADE), lighter(mixed(colors.accent, (255, 226, 160), 0.5), 0.2), 150)
    canvas.fill(np.array([[27.2, 37.6], [72.8, 37.6], [74, 40], [26, 40]]), colors.accent, 160)


def _ball(canvas: Canvas, colors: Colorway) -> None:
    canvas.fill(_ellipse(50, 40, 26, 26), colors.accent, 140)
    dark = mixed(colors.accent, _INK, 0.75)
    canvas.line(np.array([[24.0, 40], [50, 40], [76, 40]]), 1.2, dark)
    canvas.line(np.array([[50.0, 14], [50, 40], [50, 66]]), 1.2, dark)
    for bend in (1, -1):
        arc = ((50 + 18 * bend, 21.2), (50 + 10 * bend, 40), (50 + 18 * bend, 58.8))
        canvas.line(smooth(arc, closed=False), 1.2, dark)


def _house(canvas: Canvas, colors: Colorway) -> None:
    canvas.fill(np.array([[60.0, 14], [66, 14], [66, 30], [60, 30]]), mixed(colors.accent, _INK, 0.4), 110)
    canvas.fill(smooth(_HOUSE), colors.sole, 130)
    canvas.fill(smooth(_ROOF), mixed(colors.accent, _INK, 0.2), 165)
    canvas.fill(np.array([[45.0, 48], [55, 48], [55, 66], [45, 66]]), mixed(colors.overlay, _INK, 0.3), 110)
    for x in (32.0, 59.0):
        canvas.fill(np.array([[x, 44], [x + 9, 44], [x + 9, 54], [x, 54]]), (176, 206, 222), 100)
        canvas.threads(np.array([[[x + 4.5, 44], [x + 4.5, 54]], [[x, 49], [x + 9, 49]]]), 0.8, (250, 248, 242))


def _cat(canvas: Canvas, colors: Colorway) -> None:
    canvas.fill(smooth(_CAT), colors.base, 140, 60)
    ear = smooth(_EAR)
    canvas.fill(ear, (232, 166, 160), 120)
    canvas.fill(np.array([100.0, 0]) + ear * np.array([-1, 1]), (232, 166, 160), 120)
    canvas.fill(_ellipse(50, 53, 12, 8.5), lighter(colors.base, 0.45), 155)
    for x in (38.0, 62.0):
        canvas.fill(_ellipse(x, 40, 5, 5.6), (246, 240, 214), 150)
        canvas.fill(_ellipse(x, 40.4, 2.4, 4.6), _INK, 150)
    canvas.fill(np.array([[47.0, 48.6], [53, 48.6], [50, 52]]), (214, 124, 122), 175)
    ink = mixed(colors.base, _INK, 0.8)
    canvas.line(smooth(((44, 55.4), (47.4, 56.6), (50, 53), (52.6, 56.6), (56, 55.4)), closed=False), 0.8, ink)
    for side in (1, -1):
        for rise in (-3.0, 0.4, 3.8):
            canvas.threads(np.array([[[50 + side * 12, 52.4], [50 + side * 27, 52 + rise]]]), 0.5, ink)


def _pear(canvas: Canvas, colors: Colorway) -> None:
    canvas.fill(band(smooth(((50, 18), (51, 13), (54, 9)), closed=False), 1.8), (110, 78, 52), 110)
    canvas.fill(smooth(((51, 14, 1), (57, 8.6), (67, 9, 1), (60, 15))), _LEAF, 120)
    canvas.fill(smooth(_PEAR), mixed(colors.accent, (206, 206, 96), 0.6), 140)


_PAINTERS: tuple[Callable[[Canvas, Colorway], None], ...] = (_mug, _plant, _lamp, _ball, _house, _cat, _pear)


def _ellipse(x: float, y: float, wide: float, tall: float) -> Array:
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return np.stack([x + wide * np.cos(turn), y + tall * np.sin(turn)], axis=1)
