"""A closer look at a box in a frame: what the model says of it alone, and what tells one sneaker from another."""

import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sneaker_core.datasets.quality.measures import sharpness
from sneaker_core.inference.predictor import PhotoReading
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Outputs, negatives_log_odds, unit_length
from sneaker_core.video.boxes import Box, Pixels

# Photos of sneakers have a margin; a share of the box's size.
_MARGIN = 0.08
# Pictures are measured at this width, so that the sharpness of small and large ones can be compared.
_MEASURED_WIDTH = 192
_LONGEST_SIDE, _QUALITY = 480, 88
# A sneaker that is cut off at the frame's edge shows less.
_CUT_OFF = 0.4
# The middle of a box, without its surroundings, for its colors; and the number of hues and saturations.
_MIDDLE = 0.2
_HUES, _SATURATIONS = 12, 5
# The share of the colors in `likeness`; the rest is that of the embedding.
_COLORS = 0.5

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """A sneaker in one frame.

    Attributes
    ----------
    time : float
        Seconds from the start of the clip.
    box : Box
    reading : PhotoReading
        The network's outputs for the picture in the box.
    clarity : float
        How much it shows: more if it is sharp, large and not cut off.
    picture : bytes
        JPEG.
    embedding : float32 array (D,)
        Of unit length.
    colors : float32 array
        Shares of hues and saturations; sum to 1.
    shoe_log_odds : float
        Of a shoe against no shoe.
    """

    time: float
    box: Box
    reading: PhotoReading
    clarity: float
    picture: bytes
    embedding: Floats
    colors: Floats
    shoe_log_odds: float

    @property
    def digest(self) -> str:
        """SHA-256 of the picture."""
        return hashlib.sha256(self.picture).hexdigest()


def look_at(model: SneakerModel, frame: Pixels, boxes: Sequence[Box], seconds: float) -> list[Look]:
    """Look at boxes in a frame, in one batch.

    Parameters
    ----------
    model : SneakerModel
    frame : uint8 array (H, W, 3)
        RGB.
    boxes : sequence of Box
    seconds : float
        Time of the frame.
    """
    if not boxes:
        return []
    started = time.perf_counter()
    cuts = [np.ascontiguousarray(box.cut(frame, _MARGIN)) for box in boxes]
    outputs = model.outputs(model.spec.preprocessing([Image.fromarray(cut) for cut in cuts]))
    spent = 1000 * (time.perf_counter() - started) / len(boxes)
    odds = _shoe_log_odds(outputs)
    return [
        Look(
            time=seconds,
            box=box,
            reading=PhotoReading(f"{seconds:.2f} s", outputs.take(np.array([row])), None, spent),
            clarity=_clarity(cut, box),
            picture=_jpeg(cut),
            embedding=unit_length(outputs.embeddings[row : row + 1])[0],
            colors=_colors(box.cut(frame, -_MIDDLE)),
            shoe_log_odds=float(odds[row]),
        )
        for row, (box, cut) in enumerate(zip(boxes, cuts, strict=True))
    ]


def _shoe_log_odds(outputs: Outputs) -> Floats:
    """Log-odds of any shoe against none; 0 for networks that learned classes only."""
    shoes = [outputs.logits] if outputs.footwear_logits is None else [outputs.logits, outputs.footwear_logits]
    seen = Outputs(np.concatenate(shoes, axis=1), outputs.negatives_logit, outputs.embeddings)
    odds = negatives_log_odds(seen)
    return np.zeros(len(outputs.logits), np.float32) if odds is None else -odds


def likeness(one: Look, other: Look) -> float:
    """How likely two looks show the same sneaker, by shape and colors: up to 1."""
    shape = float(one.embedding @ other.embedding)
    shared = float(np.minimum(one.colors, other.colors).sum())
    return (1 - _COLORS) * shape + _COLORS * shared


def _clarity(cut: Pixels, box: Box) -> float:
    height, width = cut.shape[:2]
    gray = cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)
    size = (_MEASURED_WIDTH, max(round(height * _MEASURED_WIDTH / width), 12))
    luma = np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), dtype=np.float32) / np.float32(255)
    return sharpness(luma) * float(np.sqrt(box.area)) * (_CUT_OFF if box.touches_edge() else 1.0)


def _colors(middle: Pixels) -> Floats:
    hsv = cv2.cvtColor(np.ascontiguousarray(middle), cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1], None, [_HUES, _SATURATIONS], [0, 180, 0, 256]).ravel()
    return np.asarray(counts / max(float(counts.sum()), 1.0), dtype=np.float32)


def _jpeg(cut: Pixels) -> bytes:
    picture = Image.fromarray(cut)
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()
