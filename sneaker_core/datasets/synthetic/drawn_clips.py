"""Clips of fictional sneakers that move, frame by frame, with the box around each: to try and to measure following."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sneaker_core.datasets.synthetic.backdrops import BACKDROPS, choose_color, paint_backdrop
from sneaker_core.datasets.synthetic.negatives import cut_out_negative
from sneaker_core.datasets.synthetic.rendering import CutOut, cut_out_sneaker

__all__ = ["BAR_SECONDS", "ClipPlan", "DrawnFrame", "Scene", "draw_clip", "plan_clip"]

# For how long the sneaker of `Scene.BEHIND_A_BAR` can't be seen, at least.
BAR_SECONDS = 1.0
# An object of which less than this share is inside the picture and uncovered has no box.
_VISIBLE = 0.35
_CUT_OUT_WIDTH = 480
_NOISE = 2.0
_BAR_COLOR = (58, 62, 70)

Pixels = NDArray[np.uint8]
Box = tuple[float, float, float, float]
# Seconds -> center (shares of the width and the height), width (share of the longer side), turn (degrees); None while
# it is away.
Path = Callable[[float], tuple[float, float, float, float] | None]


class Scene(StrEnum):
    """What happens in a drawn clip."""

    MOVING = "moving and growing"
    CROSSING = "two crossing"
    BEHIND_A_BAR = "behind a bar for a second"
    RETURNING = "leaving and coming back"
    NOTHING = "no sneaker"
    FAST = "fast"
    ZOOM = "zoom"
    PANNING = "panning camera"
    THREE = "three sneakers"


@dataclass(frozen=True)
class DrawnFrame:
    """A frame of a drawn clip.

    Attributes
    ----------
    time : float
        Seconds from the start.
    pixels : uint8 array (H, W, 3)
        RGB.
    boxes : dict of int to tuple
        Sneaker (its number in the plan) -> left, top, right and bottom in pixels, of the part that can be seen; without
        sneakers of which too little can be seen.
    """

    time: float
    pixels: Pixels
    boxes: dict[int, Box]


@dataclass(frozen=True)
class ClipPlan:
    """What a drawn clip shows.

    Attributes
    ----------
    labels : tuple of str
        The class of each sneaker.
    paths : tuple of callable
        Where each sneaker is.
    negatives : tuple of callable
        Where each thing is that is no sneaker.
    seconds, fps : float
    size : tuple of int
        Width and height in pixels.
    bar : tuple of float or None
        Left and right edge of what hides the sneakers, as shares of the width.
    pan : callable
        Seconds -> how far the camera has moved, as shares of the width and the height.
    seed : int
        Determines colors, background and noise.
    """

    labels: tuple[str, ...]
    paths: tuple[Path, ...]
    seconds: float
    fps: float = 25.0
    size: tuple[int, int] = (320, 240)
    negatives: tuple[Path, ...] = ()
    bar: tuple[float, float] | None = None
    pan: Callable[[float], tuple[float, float]] = field(default=lambda time: (0.0, 0.0))
    seed: int = 0


def plan_clip(
    scene: Scene,
    labels: tuple[str, ...],
    *,
    seed: int = 0,
    fps: float = 25.0,
    size: tuple[int, int] = (320, 240),
) -> ClipPlan:
    """Plan a clip of a scene.

    Parameters
    ----------
    scene : Scene
    labels : tuple of str
        Synthetic classes, as many as the scene may need (three); the first ones are used.
    seed : int
    fps : float
        Frames a second.
    size : tuple of int
        Width and height in pixels.
    """
    seconds, paths, more = _SCENES[scene]
    used = labels[: 0 if scene is Scene.NOTHING else len(paths)]
    moving = () if scene is Scene.NOTHING else paths
    things = paths if scene is Scene.NOTHING else ()
    return ClipPlan(used, moving, seconds, fps, size, negatives=things, seed=seed, **more)


def _line(start: tuple[float, float], end: tuple[float, float], seconds: float, widths: tuple[float, float]) -> Path:
    """A straight way at an even pace, while the size changes."""

    def place(time: float) -> tuple[float, float, float, float]:
        share = min(max(time / seconds, 0.0), 1.0)
        x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        return x, y + 0.015 * np.sin(5 * time), widths[0] + (widths[1] - widths[0]) * share, 4 * np.sin(2.2 * time)

    return place


def _behind_the_bar(time: float) -> tuple[float, float, float, float]:
    """To the bar, a second and a half out of sight, and on."""
    slow = np.interp(time, [0, 1.8, 3.2, 5.0], [0.18, 0.5, 0.5, 0.84])
    return float(slow), 0.55, 0.30, 2 * np.sin(2 * time)


def _away_and_back(time: float) -> tuple[float, float, float, float] | None:
    x = float(np.interp(time, [0, 1.6, 2.4, 3.6, 5.0], [0.35, 1.35, 1.35, 1.35, 0.45]))
    return x, 0.55, 0.42, 0.0


def _to_and_fro(time: float) -> tuple[float, float, float, float]:
    return (
        0.5 + 0.27 * np.sin(2 * np.pi * 0.9 * time),
        0.5 + 0.14 * np.sin(2 * np.pi * 0.6 * time),
        0.4,
        8 * np.sin(6 * time),
    )


def _zoomed(time: float) -> tuple[float, float, float, float]:
    return 0.5, 0.52, 0.26 * 2.9 ** (time / 4), -6 + 3 * time


def _still(x: float, y: float, width: float) -> Path:
    return lambda time: (x, y, width, 0.0)


_SCENES: dict[Scene, tuple[float, tuple[Path, ...], dict[str, Any]]] = {
    Scene.MOVING: (4.0, (_line((0.3, 0.42), (0.66, 0.6), 4.0, (0.32, 0.62)),), {}),
    Scene.CROSSING: (
        5.0,
        (_line((0.2, 0.36), (0.8, 0.40), 5.0, (0.33, 0.33)), _line((0.8, 0.68), (0.2, 0.64), 5.0, (0.35, 0.35))),
        {},
    ),
    Scene.BEHIND_A_BAR: (5.0, (_behind_the_bar,), {"bar": (0.33, 0.67)}),
    Scene.RETURNING: (5.0, (_away_and_back,), {}),
    Scene.NOTHING: (3.0, (_line((0.3, 0.45), (0.7, 0.6), 3.0, (0.35, 0.45)), _still(0.75, 0.4, 0.25)), {}),
    Scene.FAST: (3.0, (_to_and_fro,), {}),
    Scene.ZOOM: (4.0, (_zoomed,), {}),
    Scene.PANNING: (
        4.0,
        (_line((0.62, 0.5), (0.4, 0.52), 4.0, (0.45, 0.45)),),
        {"pan": lambda time: (0.11 * time, 0.04 * np.sin(3 * time))},
    ),
    Scene.THREE: (
        4.0,
        (
            _line((0.22, 0.27), (0.3, 0.27), 4.0, (0.3, 0.3)),
            _line((0.75, 0.33), (0.7, 0.3), 4.0, (0.32, 0.32)),
            _line((0.4, 0.75), (0.55, 0.75), 4.0, (0.36, 0.36)),
        ),
        {},
    ),
}


def draw_clip(plan: ClipPlan) -> Iterator[DrawnFrame]:
    """Draw the frames of a clip, one by one.

    Raises
    ------
    DatasetError
        There is no synthetic class with one of the labels.
    """
    rng = np.random.default_rng(plan.seed)
    objects = [
        (cut_out_sneaker(label, rng, _CUT_OUT_WIDTH), path) for label, path in zip(plan.labels, plan.paths, strict=True)
    ]
    things = [(cut_out_negative(rng, _CUT_OUT_WIDTH), path) for path in plan.negatives]
    ground = _ground(plan, rng)
    for number in range(round(plan.seconds * plan.fps)):
        time = number / plan.fps
        frame = _seen_ground(ground, plan, time)
        covers: list[NDArray[np.float32]] = []
        for object_, path in (*objects, *things):
            placed = path(time)
            cover = _paste(frame, object_, placed, plan.size) if placed else np.zeros(frame.shape[:2], np.float32)
            covers = [one * (1 - cover) for one in covers] + [cover]
        if plan.bar:
            left, right = (round(edge * plan.size[0]) for edge in plan.bar)
            frame[:, left:right] = _BAR_COLOR
            for cover in covers:
                cover[:, left:right] = 0
        boxes = _boxes(covers[: len(objects)], objects, plan, time)
        frame += rng.standard_normal(frame.shape[:2], dtype=np.float32)[..., None] * np.float32(_NOISE)
        yield DrawnFrame(time, np.clip(frame, 0, 255).astype(np.uint8), boxes)


def _ground(plan: ClipPlan, rng: np.random.Generator) -> NDArray[np.float32]:
    """A background, twice as large as the picture where the camera moves."""
    backdrop = BACKDROPS[int(rng.integers(len(BACKDROPS)))]
    pans = plan.pan(plan.seconds) != (0.0, 0.0)
    size = (2 * plan.size[0], 2 * plan.size[1]) if pans else plan.size
    return paint_backdrop(backdrop, size, choose_color((128, 128, 128), rng), rng)


def _seen_ground(ground: NDArray[np.float32], plan: ClipPlan, time: float) -> NDArray[np.float32]:
    width, height = plan.size
    if ground.shape[1] == width:
        return ground.copy()
    across, down = plan.pan(time)
    left = min(max(round(across * width + 0.1 * width), 0), ground.shape[1] - width)
    top = min(max(round(down * height + 0.3 * height), 0), ground.shape[0] - height)
    return ground[top : top + height, left : left + width].copy()


def _paste(
    frame: NDArray[np.float32], object_: CutOut, place: tuple[float, float, float, float], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Paste an object at a place; returns how much of each pixel it covers."""
    x, y, wide, turn = place
    height, width = object_.cover.shape
    scale = wide * max(size) / width
    cosine, sine = np.cos(np.radians(turn)) / scale, np.sin(np.radians(turn)) / scale
    at_x, at_y = x * size[0], y * size[1]
    rgba = np.dstack([np.clip(object_.picture, 0, 255), 255 * object_.cover]).astype(np.uint8)
    shrunk = max(round(1 / scale), 1)
    picture = Image.fromarray(rgba).reduce(shrunk) if shrunk > 1 else Image.fromarray(rgba)
    # From pixels of the frame to pixels of the object, as Pillow wants it.
    right = (cosine, sine, width / 2 - cosine * at_x - sine * at_y)
    down = (-sine, cosine, height / 2 + sine * at_x - cosine * at_y)
    matrix = [float(value) / shrunk for value in (*right, *down)]
    moved = np.asarray(
        picture.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR), dtype=np.float32
    )
    cover = moved[..., 3] / np.float32(255)
    frame *= 1 - cover[..., None]
    frame += moved[..., :3]
    return cover


def _boxes(
    covers: list[NDArray[np.float32]], objects: list[tuple[CutOut, Path]], plan: ClipPlan, time: float
) -> dict[int, Box]:
    found = {}
    for number, (cover, (object_, path)) in enumerate(zip(covers, objects, strict=True)):
        placed = path(time)
        if placed is None:
            continue
        scale = placed[2] * max(plan.size) / object_.cover.shape[1]
        whole = float((object_.cover > 0.5).sum()) * scale**2
        inside = cover > 0.5
        if inside.sum() < _VISIBLE * whole:
            continue
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        found[number] = (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
    return found
