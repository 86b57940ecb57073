"""Where a sneaker has moved to from one frame to the next, by its pixels alone.

For moments in which the network has too little evidence for a box: template matching by normalized cross-correlation
(Lewis 1995, Fast normalized cross-correlation) around the place where the sneaker is expected. A sneaker that something
hides doesn't match, so nothing is followed behind it.
"""

import cv2
import numpy as np

from sneaker_core.video.boxes import Box, Pixels

# The correlation from which a patch is the same, and how far around the expected place it is looked for, in sizes.
_LEAST_MATCH, _REACH = 0.75, 0.35
# A patch that is smaller, in pixels, says too little.
_SMALLEST = 12


def match_patch(before: Pixels, box: Box, now: Pixels, expected: Box) -> Box | None:
    """The box in the present frame that shows what a box showed in the frame before; None if none does.

    Parameters
    ----------
    before, now : uint8 array (H, W, 3)
        Two frames of one size.
    box : Box
        In the frame before.
    expected : Box
        Where it should be now; its size doesn't matter.
    """
    patch = box.cut(before)
    around = box.moved(expected.center[0] - box.center[0], expected.center[1] - box.center[1])
    left, top, right, bottom = around.pixels(now.shape[1], now.shape[0], _REACH)
    window = now[top:bottom, left:right]
    if min(patch.shape[:2]) < _SMALLEST or window.shape[0] < patch.shape[0] or window.shape[1] < patch.shape[1]:
        return None
    scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    if not np.isfinite(best) or best < _LEAST_MATCH:
        return None
    old_left, old_top, _, _ = box.pixels(now.shape[1], now.shape[0])
    return box.moved((left + x - old_left) / now.shape[1], (top + y - old_top) / now.shape[0])
