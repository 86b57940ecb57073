"""Steps 1 to 4 of the story: a drawn photo, what the bundled model says, and a background that changes the answer.

Sneakers are drawn one by one; those that can be cut out are put on random backgrounds, as the robustness check of the
app does it. Shown is the photo that is answered rightly as it is and gets the surest other answer on a background.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from PIL import Image

from sneaker_core import images
from sneaker_core.datasets.cutout import cutout_mask
from sneaker_core.datasets.synthetic.rendering import draw_photo
from sneaker_core.datasets.synthetic.sample_plan import CLASSES
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.evaluation.photo_changes import BY_KEY
from sneaker_core.evaluation.table_columns import class_columns, class_probabilities, evaluated_rows
from sneaker_core.inference.explanation.attributions import gradcam
from sneaker_core.inference.explanation.heat_maps import overlay, strongest_area
from sneaker_core.inference.predictor import Prediction, predict_images
from sneaker_core.networks.bundled_models import SYNTHETIC_MODEL
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.records.story_records import AnsweredRecord, GuessRecord, HeatRecord, LookAlikesRecord, SwapRecord

SEED, DRAWN, BACKGROUNDS = 2026, 1000, 8
SIZE, SMALL = (800, 600), (160, 120)
_SWAP = BY_KEY["swapped"]

Pictures = dict[str, Image.Image]


@dataclass(frozen=True)
class Flip:
    """A photo that is answered rightly, and the background on which another answer is surest."""

    number: int
    photo: Image.Image
    said: Prediction
    swapped: Image.Image
    said_then: Prediction

    @property
    def truth(self) -> str:
        """What the photo shows."""
        return CLASSES[self.number % len(CLASSES)]


def find_flips(model: SneakerModel) -> tuple[list[Flip], int]:
    """The photos whose answer changes on one of the backgrounds, and how many were tried."""
    flips, tried = [], 0
    for number in _cut_out():
        photo = _drawn(number, SIZE)
        swapped = [_SWAP.apply(photo, np.random.default_rng([SEED, number, one])) for one in range(BACKGROUNDS)]
        pictures = [picture for picture in swapped if picture is not None]
        said, *then = predict_images(model, [photo, *pictures])
        if not pictures or said.top[0].label != CLASSES[number % len(CLASSES)]:
            continue
        tried += 1
        wrong = [pair for pair in zip(pictures, then, strict=True) if pair[1].top[0].label != said.top[0].label]
        if wrong:
            flips.append(Flip(number, photo, said, *max(wrong, key=lambda pair: pair[1].top[0].probability)))
    return flips, tried


def _cut_out() -> Iterator[int]:
    """Numbers of the photos that can be cut out; most have a background that is too lively. Drawn small, as a look."""
    return (number for number in range(DRAWN) if cutout_mask(np.asarray(_drawn(number, SMALL))) is not None)


def _drawn(number: int, size: tuple[int, int]) -> Image.Image:
    return draw_photo(CLASSES[number % len(CLASSES)], np.random.default_rng([SEED, number]), size)


def answered(file: str, said: Prediction) -> AnsweredRecord:
    """The record of an answer."""
    return AnsweredRecord(file, [GuessRecord(guess.label, round(guess.probability, 4)) for guess in said.top])


def tell_swap(flip: Flip, flips: list[Flip], tried: int) -> tuple[SwapRecord, Pictures]:
    """Step 4: the photo on another background."""
    record = SwapRecord(answered("swapped.webp", flip.said_then), tried, len(flips), BACKGROUNDS)
    return record, {"swapped.webp": flip.swapped}


def tell_heat(model: SneakerModel, flip: Flip) -> tuple[HeatRecord, Pictures]:
    """Step 3: where the model looked."""
    heat = gradcam(model, flip.photo, flip.truth)
    area, share = strongest_area(heat)
    return HeatRecord("heat.webp", area, round(share, 4)), {"heat.webp": overlay(flip.photo, heat)}


def tell_look_alikes(home: Path) -> tuple[LookAlikesRecord, Pictures]:
    """The two sneakers that the model finds hardest to tell apart, by the evaluation that ships with it.

    Of all photos that are answered rightly, those of one class get the highest mean probability for one other class.
    Shown are the photo of the first class where it is highest, and the one of the other class that is answered surest.
    """
    table = evaluated_rows(read_table(find_evaluation(home, SYNTHETIC_MODEL, Kind.BUNDLED)))
    rows = table[table["label"] == table["predicted"]]
    classes, labels = list(class_columns(rows)), rows["label"].to_numpy(dtype=str)
    chances = dict(zip(classes, class_probabilities(rows).T, strict=True))
    doubts = {pair: float(chances[pair[1]][labels == pair[0]].mean()) for pair in permutations(classes, 2)}
    label, other = max(doubts, key=lambda pair: doubts[pair])
    places = [int(np.where(labels == truth, chances[other], -1).argmax()) for truth in (label, other)]
    paths = [Path(str(rows["path"].iloc[place])) for place in places]
    record = LookAlikesRecord(
        label=label,
        other=other,
        doubt=round(doubts[label, other], 4),
        nearest=round(float(chances[other][places[0]]), 4),
        photos=int((labels == label).sum()),
        n=len(rows),
        files=[f"look-alike-{place}.webp" for place in (1, 2)],
    )
    return record, {file: images.load(path) for file, path in zip(record.files, paths, strict=True)}
