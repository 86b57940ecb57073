"""Boxes where a shoe may be: peaks of a model's evidence, fitted to what stands out from its surroundings.

The evidence says that there is a shoe and roughly where. Its edges are found by GrabCut (Rother et al. 2004): the peak
is probably the shoe, a ring around it is surely not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sneaker_core.video.boxes import Box, Pixels, contained, overlap
from sneaker_core.video.shoe_evidence import Evidence

# Most boxes in a frame.
_MOST = 6
# A peak is this far above the frame's median, in log-odds …
_LEAST_PEAK = 4.0
# … and this share as high as the highest.
_LEAST_SHARE = 0.25
# What belongs to a peak: at least this share of its height; and what surely does.
_REGION, _HALF, _CORE = 0.4, 0.5, 0.65
# Backgrounds may look a little like shoes, all over: what lies below this percentile of the frame, and a little above,
# belongs to no peak, and heights are counted from there, but for a part.
_GROUND, _ABOVE, _COUNTED = 75, 1.15, 0.5
# What is looked at to find the edges: the region, and this share of its longer side around it.
_AROUND, _CUT_SIDE, _ROUNDS = 0.55, 128, 2
# The ring that is surely background: a share of the shorter side.
_RING = 16
# A sneaker isn't that many times as large as its region: then its colors are too much like those around it.
_MOST_GROWN = 5.0
# Boxes smaller than this share of the frame's shorter side aren't sneakers that can be named.
_SMALLEST = 0.06
# Of boxes that overlap that much, or of which that much lies in the other, the stronger is kept.
_SAME, _INSIDE = 0.35, 0.65

_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Proposal:
    """A box where a shoe may be.

    Attributes
    ----------
    box : Box
    strength : float
        How far the evidence rises above the rest of the frame, in log-odds.
    """

    box: Box
    strength: float


def propose(frame: Pixels, evidence: Evidence, expected: Sequence[Box] = ()) -> list[Proposal]:
    """Boxes where a shoe may be, the strongest evidence first.

    Parameters
    ----------
    frame : uint8 array (H, W, 3)
        RGB; a few hundred pixels per side suffice.
    evidence : float32 array (h, w)
        From `ShoeEvidence.of`.
    expected : sequence of Box
        Where sneakers are expected: a region in which several are expected is divided among them.
    """
    found: list[Proposal] = []
    for region, core, strength in _regions(evidence, frame.shape[1], frame.shape[0]):
        for part in _divided(region, expected):
            box = _fitted(frame, part, core & part, region & ~part)
            if min(box.width * frame.shape[1], box.height * frame.shape[0]) < _SMALLEST * min(frame.shape[:2]):
                continue
            if not any(_is_same(box, one.box) for one in found):
                found.append(Proposal(box, strength))
    return found[:_MOST]


def _is_same(box: Box, stronger: Box) -> bool:
    """Whether a box shows what a stronger one shows: they overlap, or one lies in the other."""
    return overlap(box, stronger) > _SAME or max(contained(box, stronger), contained(stronger, box)) > _INSIDE


def _regions(evidence: Evidence, width: int, height: int) -> list[tuple[_Mask, _Mask, float]]:
    """The regions around the peaks of the evidence and their cores, in pixels, and how high they rise."""
    ground = float(np.median(evidence))
    left = _enlarged(evidence, width, height) - ground
    level = max(float(np.percentile(left, _GROUND)), 0.0)
    highest, found = float(left.max()), []
    for _ in range(_MOST):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        top = float(left[row, column])
        if top < max(_LEAST_PEAK, _LEAST_SHARE * highest):
            break
        lowest = max(_REGION * top, min(_ABOVE * level, _HALF * top))
        _, labels = cv2.connectedComponents((left > lowest).astype(np.uint8))
        region = labels == labels[row, column]
        found.append((region, region & (left > max(_CORE * top, lowest)), top - _COUNTED * level))
        left[region] = 0
    return found


def _enlarged(evidence: Evidence, width: int, height: int) -> Evidence:
    """The evidence for each pixel. Place i of a feature map of stride s looks at pixel s * i, not at s * i + s / 2."""
    across, down = evidence.shape[1] / width, evidence.shape[0] / height
    places = np.array([[across, 0, 0.5 * across], [0, down, 0.5 * down]], dtype=np.float64)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    large = cv2.warpAffine(evidence, places, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(large, dtype=np.float32)


def _divided(region: _Mask, expected: Sequence[Box]) -> list[_Mask]:
    """The parts of a region, one for each sneaker that is expected in it; the region itself if at most one is."""
    height, width = region.shape
    inside = []
    for box in expected:
        x, y = box.center
        row, column = min(max(int(y * height), 0), height - 1), min(max(int(x * width), 0), width - 1)
        if region[row, column]:
            inside.append(box)
    if len(inside) < 2:
        return [region]
    y, x = np.mgrid[:height, :width]
    far = [
        np.hypot(
            (x / width - box.center[0]) / max(box.width, 1e-6), (y / height - box.center[1]) / max(box.height, 1e-6)
        )
        for box in inside
    ]
    nearest = np.argmin(far, axis=0)
    return [region & (nearest == number) for number in range(len(inside))]


def _fitted(frame: Pixels, region: _Mask, core: _Mask, other: _Mask) -> Box:
    """The box around what stands out at a region with a core; `other` belongs to another sneaker."""
    height, width = region.shape
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    pad = round(_AROUND * max(right - left, bottom - top))
    outer = (max(left - pad, 0), max(top - pad, 0), min(right + pad, width), min(bottom + pad, height))
    share = min(_CUT_SIDE / max(outer[2] - outer[0], outer[3] - outer[1]), 1.0)
    size = (max(round((outer[2] - outer[0]) * share), 8), max(round((outer[3] - outer[1]) * share), 8))
    around = (slice(outer[1], outer[3]), slice(outer[0], outer[2]))
    seed = cv2.resize(region[around].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    mask = np.where(seed, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    # Without surely known colors, an upper in one color may be taken for background, and only the sole is found.
    mask[cv2.resize(core[around].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = cv2.GC_FGD
    mask[cv2.resize(other[around].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0] = cv2.GC_BGD
    _draw_ring(mask, core[around])
    small = np.asarray(cv2.resize(frame[around], size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    found = _cut(small, mask, seed)
    rough = Box(left / width, top / height, right / width, bottom / height)
    if found is None:
        return rough
    x, y, wide, tall = found
    across, down = (outer[2] - outer[0]) / size[0], (outer[3] - outer[1]) / size[1]
    fitted = Box(
        (outer[0] + x * across) / width,
        (outer[1] + y * down) / height,
        (outer[0] + (x + wide) * across) / width,
        (outer[1] + (y + tall) * down) / height,
    )
    return fitted if fitted.area < _MOST_GROWN * rough.area else rough


def _draw_ring(mask: NDArray[np.uint8], core: _Mask) -> None:
    """Mark the outermost pixels as background, except where the core reaches them: there a sneaker goes on."""
    wide = max(2, min(mask.shape) // _RING)
    if not core[:, 0].any():
        mask[:, :wide] = cv2.GC_BGD
    if not core[0].any():
        mask[:wide] = cv2.GC_BGD
    if not core[:, -1].any():
        mask[:, -wide:] = cv2.GC_BGD
    if not core[-1].any():
        mask[-wide:] = cv2.GC_BGD


def _cut(picture: Pixels, mask: NDArray[np.uint8], seed: _Mask) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of what stands out at the seed; None if nothing does."""
    cv2.setRNGSeed(0)  # GrabCut starts from random clusters of colors
    try:
        cv2.grabCut(picture, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # the mask has no background, or no foreground
        return None
    front = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    front = cv2.morphologyEx(front, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, facts, _ = cv2.connectedComponentsWithStats(front)
    shared = [int((labels[seed] == number).sum()) for number in range(1, count)]
    if not shared or max(shared) == 0:
        return None
    left, top, wide, tall = (int(value) for value in facts[1 + int(np.argmax(shared))][:4])
    return left, top, wide, tall
