"""Paint a fictional sneaker from back to front."""

import numpy as np

from sneaker_core.datasets.synthetic.canvas import Canvas
from sneaker_core.datasets.synthetic.colors import Color, Colorway, lighter, mixed
from sneaker_core.datasets.synthetic.curves import Array, Outline, along, band, dashes, normals, smooth
from sneaker_core.datasets.synthetic.shapes import Panel, Shoe, Tread

__all__ = ["paint_sneaker", "silhouette"]

_INK: Color = (24, 22, 28)

# Heights for the shading, 0 to 255: parts further back are lower.
_LINING, _TONGUE, _UPPER, _COLLAR, _EYESTAY, _LACE, _MIDSOLE, _OUTSOLE = 40, 66, 92, 118, 116, 168, 158, 132


def silhouette(shoe: Shoe) -> Array:
    """Return points on the edge of everything that `paint_sneaker` paints, float array (N, 2)."""
    found = [smooth(outline) for outline in shoe.outlines]
    found.append(smooth(shoe.ground, closed=False) + np.array([0, shoe.tread_depth]))
    return np.concatenate(found)


def paint_sneaker(canvas: Canvas, shoe: Shoe, colors: Colorway, bow: float) -> None:
    """Paint a sneaker.

    Parameters
    ----------
    canvas : Canvas
        The canvas to paint on.
    shoe : Shoe
        The sneaker.
    colors : Colorway
        Its colors.
    bow : float
        Size of the bow, around 1; no bow if 0 or less.
    """
    _paint_behind(canvas, shoe, colors)
    _paint_upper(canvas, shoe, colors)
    if shoe.throat:
        _paint_laces(canvas, shoe, colors)
        if bow > 0 and shoe.tongue:
            _paint_bow(canvas, shoe, colors.lace, bow)
    _paint_tread(canvas, shoe, colors.outsole)
    _paint_midsole(canvas, shoe, colors)


def _paint_behind(canvas: Canvas, shoe: Shoe, colors: Colorway) -> None:
    canvas.fill(smooth(shoe.lining), mixed(colors.lining, _INK, 0.25), _LINING)
    if shoe.tab:
        canvas.fill(smooth(shoe.tab), colors.accent, _TONGUE)
    if shoe.tongue:
        tongue = smooth(shoe.tongue)
        canvas.fill(tongue, colors.base, _TONGUE, 120)
        middle = tongue.mean(0)
        canvas.fill(middle + (tongue - middle) * np.array([0.74, 0.82]), mixed(colors.base, colors.lining, 0.14), 74)


def _paint_upper(canvas: Canvas, shoe: Shoe, colors: Colorway) -> None:
    outline = smooth(shoe.upper)
    group = canvas.part(outline)
    group.fill(outline, colors.base, _UPPER, shoe.texture)
    for panel in shoe.panels:
        _paint_panel(group, panel, colors, _UPPER)
    for seam in shoe.seams:
        _paint_seam(group, smooth(seam, closed=False), colors.thread)
    group.dots(_points(shoe.holes), 0.62, mixed(colors.base, _INK, 0.5), 70)
    if shoe.throat and shoe.eyestay:
        _paint_eyestay(group, shoe, colors)
    collar = smooth(shoe.collar, closed=False)
    group.stroke(collar, shoe.collar_width * 2, mixed(colors.lining, colors.overlay, 0.55), _COLLAR, 60)
    canvas.stamp(group, outline)


def _paint_panel(group: Canvas, panel: Panel, colors: Colorway, ground: int) -> None:
    outline = smooth(panel.outline)
    color: Color = getattr(colors, panel.role)
    group.fill(outline, color, ground + panel.height, panel.texture)
    if panel.stitched:
        _paint_seam(group, _inset(outline, 1.15), _thread_on(color, colors.thread))


def _paint_seam(group: Canvas, path: Array, color: Color) -> None:
    group.threads(dashes(path, 0.85, 0.6), 0.34, color)


def _paint_eyestay(group: Canvas, shoe: Shoe, colors: Colorway) -> None:
    throat = smooth(shoe.throat, closed=False)
    strip = band(throat, shoe.eyestay * 2)
    group.fill(strip, colors.overlay, _EYESTAY)
    edge = throat + normals(throat) * (shoe.eyestay - 0.9)
    _paint_seam(group, edge, _thread_on(colors.overlay, colors.thread))


def _paint_laces(canvas: Canvas, shoe: Shoe, colors: Colorway) -> None:
    throat = smooth(shoe.throat, closed=False)
    length = float(np.hypot(*np.diff(throat, axis=0).T).sum())
    places = np.linspace(0.07, 0.93, shoe.rows)
    inward = along(normals(throat), places)
    forward = np.stack([inward[:, 1], -inward[:, 0]], axis=1)
    reach = max(shoe.eyestay * 0.55, 3.0)
    centers = along(throat, places)
    eyelets = centers + inward * reach
    width = min(length / shoe.rows * 0.5, 2.3)
    canvas.dots(eyelets - forward * 0.3, width * 0.62, mixed(colors.overlay, _INK, 0.6), 70)
    for near, far in zip(eyelets, centers - inward * 1.1 + forward * 1.3, strict=True):
        piece = np.linspace(near, far, 6)
        piece += np.array([0.5, -0.5]) * (np.sin(np.linspace(0, np.pi, 6)) * 0.7)[:, None]
        canvas.fill(band(piece, width), colors.lace, _LACE, 70)
        canvas.dots(piece[-1:], width / 2, colors.lace, _LACE)


def _paint_bow(canvas: Canvas, shoe: Shoe, color: Color, size: float) -> None:
    knot = smooth(shoe.throat, closed=False)[0] + np.array([0.8, 0.6])
    shadow = mixed(color, _INK, 0.16)
    for path, tint in ((_LOOSE_END, shadow), (_FAR_LOOP, shadow), (_NEAR_LOOP, color)):
        canvas.fill(band(knot + smooth(path, closed=False) * size, 1.35), tint, _LACE + 12)
    canvas.dots(knot[None], 1.35, color, _LACE + 24)


_NEAR_LOOP: Outline = ((0, 0), (-3.4, 1.4), (-6.8, 5), (-6.4, 8), (-3.4, 6.6), (-0.4, 0.8))
_FAR_LOOP: Outline = ((0, 0), (2.6, -2.2), (6.4, -2.8), (7.2, -0.6), (4, 0.8), (0.4, 0.4))
_LOOSE_END: Outline = ((0, 0), (-0.8, 3.6), (-0.4, 7), (1, 10))


def _paint_tread(canvas: Canvas, shoe: Shoe, color: Color) -> None:
    share = np.linspace(0, 1, 16 * shoe.tread_count + 1)
    path = along(smooth(shoe.ground, closed=False), share)
    ends = np.minimum(np.minimum(share, 1 - share) * 16, 1) ** 0.5
    depth = shoe.tread_depth * ends * _profile(shoe.tread, share * shoe.tread_count % 1)
    lower = path + np.stack([np.zeros_like(depth), depth], axis=1)
    solid = path + np.stack([np.zeros_like(depth), shoe.tread_depth * 0.5 * ends], axis=1)
    top = (path - np.array([0, 3]))[::-1]
    canvas.fill(np.concatenate([solid, top]), mixed(color, _INK, 0.45), 90)
    canvas.fill(np.concatenate([lower, top]), color, _OUTSOLE)


def _profile(tread: Tread, turn: Array) -> Array:
    """Depth (0 to 1) of the outsole within one repetition of its pattern."""
    depth = np.ones_like(turn)
    if tread is Tread.WAFFLE:
        depth = np.where(turn < 0.6, 1.0, 0.35)
    elif tread is Tread.LUGS:
        depth = np.clip(1.9 - np.abs(turn - 0.45) * 4.6, 0.12, 1)
    elif tread is Tread.WAVES:
        depth = 0.66 + 0.34 * np.sin(turn * 2 * np.pi)
    elif tread is Tread.PODS:
        depth = np.sqrt(np.clip(1 - np.abs(turn * 2 - 1) ** 5, 0.03, 1))
    return depth


def _paint_midsole(canvas: Canvas, shoe: Shoe, colors: Colorway) -> None:
    outline = smooth(shoe.midsole)
    group = canvas.part(outline)
    group.fill(outline, colors.sole, _MIDSOLE)
    for panel in shoe.sole_panels:
        _paint_panel(group, panel, colors, _MIDSOLE)
    for stripe in shoe.stripes:
        group.line(smooth(stripe, closed=False), 0.75, colors.accent)
    for groove in shoe.grooves:
        path = smooth(groove, closed=False)
        group.fill(band(path, 0.9), mixed(colors.sole, _INK, 0.22), _MIDSOLE - 34)
    if shoe.window:
        _paint_window(group, smooth(shoe.window), colors)
    canvas.stamp(group, outline)


def _paint_window(group: Canvas, outline: Array, colors: Colorway) -> None:
    """Paint a transparent cushion: a dark rim, a glow that is brightest in the center, and pillars."""
    middle = outline.mean(0)
    group.fill(middle + (outline - middle) * 1.1, mixed(colors.sole, _INK, 0.3), _MIDSOLE + 8)
    cushion = group.part(outline)
    glow = mixed(lighter(colors.accent, 0.25), (196, 222, 236), 0.45)
    for step in range(5):
        shape = middle + (outline - middle) * np.array([1 - 0.1 * step, 1 - 0.16 * step])
        cushion.fill(shape, lighter(mixed(glow, _INK, 0.3), 0.11 * step), _MIDSOLE - 46)
    low, high = outline.min(0), outline.max(0)
    for x in np.linspace(low[0], high[0], 6)[1:-1].tolist():
        pillar = np.array([[x, low[1] - 1], [x + 0.6, middle[1]], [x, high[1] + 1]])
        cushion.fill(band(pillar, 1.1), mixed(glow, _INK, 0.42), _MIDSOLE - 60)
    shine = np.stack([np.linspace(low[0] + 4, high[0] - 6, 8), np.full(8, low[1] + 2.1)], axis=1)
    cushion.fill(band(shine, 0.8, 0.6), (246, 251, 255), _MIDSOLE - 46)
    group.stamp(cushion, outline)


def _inset(outline: Array, by: float) -> Array:
    """Move a closed outline inwards."""
    step = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    step /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    x, y = outline.T
    turning = np.sign(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    moved: Array = outline + by * turning * np.stack([-step[:, 1], step[:, 0]], axis=1)
    return np.concatenate([moved, moved[:1]])


def _thread_on(color: Color, thread: Color) -> Color:
    """Return a thread color that is visible on a color."""
    if abs(sum(color) - sum(thread)) > 90:
        return thread
    return lighter(color, 0.4) if sum(color) < 330 else mixed(color, _INK, 0.35)


def _points(places: Outline) -> Array:
    return np.array(places, dtype=np.float64).reshape(-1, 2)
