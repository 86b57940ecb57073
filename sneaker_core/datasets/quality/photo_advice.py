"""Advice on one photo: what about it, as far as it can be measured, makes a sneaker hard to recognize."""

from sneaker_core.datasets.quality.finding_rules import Thresholds
from sneaker_core.datasets.quality.measures import framed_share, measure
from sneaker_core.images import DecodedPhoto
from sneaker_core.number_text import percent

# A shoe that fills less of a photo is small at the network's input, which is about 200 pixels wide.
_LEAST_FILLED = 0.25


def photo_advice(photo: DecodedPhoto) -> str | None:
    """What kind of photo would be better, in a sentence; None if nothing is measurably wrong with this one.

    Parameters
    ----------
    photo : DecodedPhoto
        Preferably at thumbnail size, as for `measure`.
    """
    limits, measures = Thresholds(), measure(photo.image)
    side = min(photo.width, photo.height)
    if side < limits.min_side:
        return f"A larger photo would help: this one has only {side} pixels on the shorter side."
    if measures.light < limits.min_light:
        return "A brighter photo would help: even the lightest parts of this one are dark."
    if measures.sharpness < limits.min_sharpness:
        return "A sharper photo would help: no part of this one is sharp."
    filled = framed_share(photo.image)
    if filled < _LEAST_FILLED:
        return f"A photo from closer up would help: the shoe fills only {percent(filled)} of this one."
    return None
