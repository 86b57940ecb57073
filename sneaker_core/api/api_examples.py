"""Examples in the description of the API: made by the code that makes the answers, so they have the same form."""

import base64
import io
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from sneaker_core import __version__
from sneaker_core.catalog.entry_values import entry_values
from sneaker_core.catalog.lookup import find_entry
from sneaker_core.evaluation.model_facts import DescribedModelValues, ModelFacts, described, entry_facts
from sneaker_core.evaluation.worlds import Share, WorldMetrics
from sneaker_core.inference.predictor import Answer, Guess
from sneaker_core.inference.same_sneaker import Role, SameSneakerAnswer
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.networks.decision import Decision, Reason, Status
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.networks.sneaker_groups import SneakerGroup

MODEL = DEFAULT_MODEL
SNEAKER, _ALIKE, SHOE_TYPE = "Nike Air Max 90", "Nike Air Max 95", "Loafers"
_CLASSES = ("Nike Air Max 1", SNEAKER, _ALIKE)
HEALTH = {"status": "ok", "version": __version__}

KNOWN = Answer("side.jpg", Status.KNOWN, (Guess(SNEAKER, 0.9712), Guess(_ALIKE, 0.0151)), None, 38.4)
UNSURE = Answer(
    "heel.jpg",
    Status.UNSURE,
    (Guess(SNEAKER, 0.5512), Guess(_ALIKE, 0.4103)),
    None,
    35.2,
    group=SneakerGroup("Nike Air Max", 0.9731, (SNEAKER, _ALIKE)),
)
UNKNOWN = Answer(
    "feet.jpg",
    Status.UNKNOWN,
    (Guess("Vans Slip-On Checkerboard", 0.4127), Guess("Vans Authentic", 0.1188)),
    None,
    36.9,
    reason=Reason.OTHER_FOOTWEAR,
    footwear_type=SHOE_TYPE,
    look_alikes=("Vans Slip-On Checkerboard", "Vans Authentic"),
)
UNREADABLE = Answer(
    "notes.txt",
    Status.ERROR,
    (),
    "This is not a photo in a format SoleScope can read (JPEG, PNG, WebP, GIF, BMP, AVIF or HEIC).",
    0.2,
)
_WORLD = WorldMetrics(
    world="shop",
    photos=1034,
    known=1034,
    top1=Share(0.8404, 0.8168, 0.8615, 1034),
    top3=Share(0.9004, 0.8806, 0.9172, 1034),
    refused=Share(0.0290, 0.0204, 0.0411, 1034),
    right_when_named=Share(0.9406, 0.9207, 0.9558, 707),
    named_unknown=Share.counted(0, 0),
    ece=0.0433,
)


def together() -> dict[str, Any]:
    """An answer to several photos of one sneaker, with those to each photo."""
    photos = (KNOWN, UNSURE)
    found = SameSneakerAnswer(KNOWN, photos, (Role.COUNTED, Role.COUNTED), disagree=False)
    return {**found.to_dict(), "photos": [photo.to_dict() for photo in photos]}


def described_model() -> DescribedModelValues:
    """A model in the list of all."""
    return described(_entry(), (_WORLD,))


def facts() -> ModelFacts:
    """What there is to say of a model."""
    return entry_facts(_entry(), (_WORLD,))


def _entry() -> ModelEntry:
    spec = ModelSpec(
        name=MODEL,
        network="efficientnet_lite0",
        classes=_CLASSES,
        has_negatives_class=True,
        preprocessing=Preprocessing(200, 200),
        decision=Decision(0.5683, 0.9247, 2.8962),
        recipe={"name": "finetune"},
        metrics={
            "test": {"n": 1637, "top1": 0.8479, "top3": 0.9157, "ece": 0.0287, "macro_f1": 0.8351},
            "negatives": {"n": 205, "found": 0.9902},
        },
        data={"classes": {SNEAKER: {"train": 91, "val": 9, "test": 16}}, "fingerprint": "41c7c6dae1156ca2"},
        versions={"torch": "2.13.0"},
        footwear_types=(SHOE_TYPE,),
    )
    return ModelEntry(MODEL, Path(MODEL), True, spec)


def entry(name: str) -> dict[str, Any]:
    """An entry of the catalog, without the model's result."""
    found = find_entry(name)
    return {} if found is None else entry_values(found)


@cache
def photo_body() -> dict[str, str]:
    """A small drawn photo in JSON, which can be sent as it is."""
    photo = Image.new("RGB", (48, 32), "white")
    pen = ImageDraw.Draw(photo)
    pen.polygon([(6, 22), (8, 10), (17, 9), (24, 15), (42, 18), (43, 23)], fill="firebrick")
    pen.rectangle((5, 23, 43, 26), fill="black")
    buffer = io.BytesIO()
    photo.save(buffer, "PNG", optimize=True)
    return {"photo": base64.b64encode(buffer.getvalue()).decode(), "name": "drawn.png"}
