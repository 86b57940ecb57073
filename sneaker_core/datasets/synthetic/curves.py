"""Smooth curves through points, and bands and dashes along them."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Outline", "along", "band", "dashes", "normals", "smooth"]

Array = NDArray[np.float64]
# Points (x, y), or (x, y, 1) for a corner.
Outline = tuple[tuple[float, ...], ...]


@lru_cache(maxsize=2048)
def smooth(points: Outline, closed: bool = True, steps: int = 8) -> Array:
    """Compute a smooth curve through points.

    Parameters
    ----------
    points : Outline
        At least two; a nonzero third number marks a corner.
    closed : bool
        Whether the curve returns to its first point.
    steps : int
        Points per segment.

    Returns
    -------
    float array (N, 2)
        Read-only, because it is cached.
    """
    knots = np.array([point[:2] for point in points], dtype=np.float64)
    corners = np.array([len(point) > 2 and bool(point[2]) for point in points])
    if not closed:
        corners[[0, -1]] = True
    following = np.roll(knots, -1, axis=0)
    chord = following - knots
    length = np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-9)[:, None]
    direction = chord / length
    before, before_length = np.roll(direction, 1, axis=0), np.roll(length, 1, axis=0)
    # Weighting by the shorter segment keeps long segments from overshooting.
    tangent = (before * length + direction * before_length) / (length + before_length)
    leaving = np.where(corners[:, None], direction, tangent) * length
    arriving = np.roll(np.where(corners[:, None], before, tangent), -1, axis=0) * length
    t = (np.arange(steps) / steps)[None, :, None]
    curve = (
        (2 * t**3 - 3 * t**2 + 1) * knots[:, None]
        + (t**3 - 2 * t**2 + t) * leaving[:, None]
        + (3 * t**2 - 2 * t**3) * following[:, None]
        + (t**3 - t**2) * arriving[:, None]
    )
    found = curve.reshape(-1, 2) if closed else np.concatenate([curve[:-1].reshape(-1, 2), knots[-1:]])
    found.setflags(write=False)
    return found


def along(path: Array, places: Array) -> Array:
    """Return points on an open path at the given shares (0 to 1) of its length, float array (N, 2)."""
    steps = np.hypot(*np.diff(path, axis=0).T)
    run = np.concatenate([[0.0], np.cumsum(steps)])
    where = places * run[-1]
    return np.stack([np.interp(where, run, path[:, 0]), np.interp(where, run, path[:, 1])], axis=1)


def normals(path: Array) -> Array:
    """Return unit vectors to the right of an open path (with y downwards), float array (N, 2)."""
    step = np.gradient(path, axis=0)
    step /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    return np.stack([-step[:, 1], step[:, 0]], axis=1)


def band(path: Array, width: float, taper: float = 0.0) -> Array:
    """Return the outline of a stroke along an open path; `taper` narrows its end by that share."""
    half = normals(path) * (width / 2) * np.linspace(1, 1 - taper, len(path))[:, None]
    return np.concatenate([path + half, (path - half)[::-1]])


def dashes(path: Array, length: float, gap: float) -> Array:
    """Return start and end of each dash along an open path, float array (N, 2, 2)."""
    total = float(np.hypot(*np.diff(path, axis=0).T).sum())
    count = max(int(total / (length + gap)), 1)
    starts = np.arange(count) / count
    ends = starts + length / (length + gap) / count
    return np.stack([along(path, starts), along(path, ends)], axis=1)
