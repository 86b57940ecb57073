"""What the page reads: the model's description, and the sentences and rules that it shares with the app."""

import math
from typing import Any

import numpy as np

from sneaker_core.inference import answer_sentences as texts
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY
from sneaker_core.inference.explanation.heat_maps import legend
from sneaker_core.inference.phone_page.camera_texts import CAMERA_BUSY, CAMERA_ERRORS, HTTPS_ONLY
from sneaker_core.inference.predictor import MAX_TOP
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.networks.sneaker_groups import GROUP_SENTENCE, name_in_group, numbers_by_group, with_article
from sneaker_core.number_text import counted


def model_values(spec: ModelSpec) -> dict[str, Any]:
    """What the page needs of a model's description. The ONNX file says the same, but the runtime doesn't show it."""
    # JSON has no infinity, which stands for "no threshold".
    decision = {name: value if math.isfinite(value) else None for name, value in spec.decision.to_dict().items()}
    return {
        "name": spec.name,
        "classes": list(spec.classes),
        "footwear_types": list(spec.footwear_types),
        "preprocessing": spec.preprocessing.to_dict(),
        "decision": decision,
    }


def page_values(spec: ModelSpec, model_bytes: int) -> dict[str, Any]:
    """Sentences, rules and colors of the page, all of which are the app's.

    Parameters
    ----------
    spec : ModelSpec
    model_bytes : int
        Size of the ONNX file.
    """
    groups = {
        name: {
            "title": with_article(name),
            "members": {label: name_in_group(label, name) for label in (spec.classes[number] for number in numbers)},
        }
        for name, numbers in numbers_by_group(spec.classes).items()
    }
    return {
        "model_bytes": model_bytes,
        "sneakers": counted(len(spec.classes), "sneaker"),
        "names": {label: with_article(label, inside=True) for label in spec.classes},
        "groups": groups,
        "rules": {
            "shrink_to": spec.preprocessing.shrink_to,
            "most_shown": MAX_TOP,
            "almost_certain": texts.ALMOST_CERTAIN,
            "named_probability": texts.NAMED_PROBABILITY,
            "most_named": texts.MOST_NAMED,
            "footwear_type_probability": texts.FOOTWEAR_TYPE_PROBABILITY,
            "look_alikes": texts.LOOK_ALIKES,
            "most_in_100": texts.MOST_IN_100,
            "far": texts.FAR_AHEAD,
        },
        "sentences": {**texts.SENTENCES, "group": GROUP_SENTENCE},
        "confidence": texts.CONFIDENCE,
        "findings": texts.FINDINGS,
        "badges": texts.BADGES,
        "camera": {"errors": CAMERA_ERRORS, "busy": CAMERA_BUSY, "insecure": HTTPS_ONLY},
        "heat_colors": _heat_colors(),
    }


def _heat_colors() -> list[list[int]]:
    """The heat map's color and cover for 256 levels, RGBA."""
    colors = np.array(legend(256, 1), dtype=float)[0]
    colors[:, 3] *= DEFAULT_OPACITY
    return [[round(value) for value in color] for color in colors.tolist()]
