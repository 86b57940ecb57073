"""How long a training will take on this machine, from a few batches of made-up photos."""

import contextlib
import json
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image

from sneaker_core.datasets.photo_folder import scan_photos
from sneaker_core.evaluation.prediction_table import read_outputs
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.precision import training_device
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.frozen_embeddings import Views, embed
from sneaker_core.training.head_training import CROPPED_VIEWS, train_head
from sneaker_core.training.photo_cache import load_photos
from sneaker_core.training.prepared_data import COPY_SIZE
from sneaker_core.training.recipe import RANGES, Recipe
from sneaker_core.training.trainer import STORED_OVER_SEEN, Trainer, TrainingData
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import cache_folder

SPEEDS_FILE = "speeds.json"
# A trial counts for so many seconds: the machine may have been busy. What a real training got counts for good.
_FRESH, _ALWAYS = 3600.0, 1e12
# Steps that are timed, and the seconds after which those that were timed are enough.
_STEPS = 3
_ENOUGH = 5.0
# A first step longer than this is itself a good measure: what is done once weighs little in it.
_LONG_STEP = 10.0
# The photos of a trial are no more than this at once, so that looking up an estimate cannot use up the memory.
_MOST_PHOTOS = 64
# Made-up files for reading and measuring: that many, of that width and height.
_FILES, _FILE_SIZE = 48, (300, 200)
_HEAD_STEPS = 20


@dataclass(frozen=True)
class Estimate:
    """What a training will take, in seconds.

    Attributes
    ----------
    reading : float
        Until it can begin: decoding the photos and looking for copies.
    learning : float
        The epochs, and how each is judged by the validation photos.
    measuring : float
        The finished model's answers on all photos.
    speed : float
        Photos a second that one learns from, at the full size.
    """

    reading: float
    learning: float
    measuring: float
    speed: float

    @property
    def total(self) -> float:
        """All of it, in seconds."""
        return self.reading + self.learning + self.measuring

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "total": self.total}


def estimate(recipe: Recipe, photos: int, classes: int, workspace: Path, *, already_read: bool = False) -> Estimate:
    """How long a training will take on this machine.

    Parameters
    ----------
    recipe : Recipe
    photos : int
        Labelled photos of the dataset, before they are split.
    classes : int
    workspace : Path
        Keeps speeds that were measured; those that were not are measured now, which takes seconds.
    already_read : bool
        Whether an earlier training at this size has left the photos decoded, and their copies found.
    """
    learned = photos * max(1 - recipe.val_share - recipe.test_share, 0.0)
    judged = photos * recipe.val_share
    speed = measure_speed(recipe, classes, workspace)
    key = _key("measuring", recipe, recipe.final_size)
    measured = _kept(workspace, key, lambda: _measuring_speed(recipe, classes))
    # Epochs are judged at the size of training.
    validated = measured * (recipe.final_size / recipe.size) ** 2
    if recipe.trainable == "head":
        head = _kept(workspace, _key("head", recipe), lambda: _head_speed(recipe, classes))
        learning = learned / speed + judged / validated + recipe.epochs * learned / head
    else:
        learning = sum(recipe.work()) * learned / speed + recipe.epochs * judged / validated
    reading = 0.0
    if not already_read:
        decoded = _kept(workspace, _key("reading", recipe), lambda: _reading_speed(recipe))
        reading = photos / decoded
        if recipe.init == "imagenet" or Path(recipe.init).is_file():
            # General weights help to find copies, at a size of their own.
            reading += photos / validated * (COPY_SIZE / recipe.size) ** 2
    return Estimate(reading, learning, photos / measured, speed)


def measure_speed(recipe: Recipe, classes: int, workspace: Path) -> float:
    """Photos a second of a full training step; for the head alone, photos embedded a second.

    Parameters
    ----------
    recipe : Recipe
    classes : int
    workspace : Path
        Keeps what was measured; that is taken the next time.
    """
    trial = _embedding_speed if recipe.trainable == "head" else _learning_speed
    return _kept(workspace, _key("learning", recipe), lambda: trial(recipe, classes))


def remember_speed(recipe: Recipe, speed: float, workspace: Path) -> None:
    """Keep what a real training got, in place of what a trial measured.

    Parameters
    ----------
    recipe : Recipe
    speed : float
        Photos a second, as `measure_speed` means them. What is no such number is passed over.
    workspace : Path
    """
    _keep(workspace, _key("learning", recipe), speed, _ALWAYS)


def _key(work: str, recipe: Recipe, *more: int) -> str:
    """What a speed depends on."""
    on = (training_device().type, torch.__version__, os.cpu_count(), *more)
    return json.dumps(
        [work, recipe.network, recipe.head, recipe.trainable, recipe.size, recipe.batch, recipe.augmentation, *on]
    )


def _kept(workspace: Path, key: str, measure: Callable[[], float]) -> float:
    """A speed that is known, else as it is measured now."""
    before, until = _speeds(workspace).get(key, (0.0, 0.0))
    if time.time() < until:
        return before
    # A trial draws random numbers: others in this process must not notice.
    with torch.random.fork_rng():
        measured = measure()
    # Other work on the machine makes a trial slower, never faster.
    speed = max(measured, before)
    _keep(workspace, key, speed, time.time() + _FRESH)
    return speed


def _keep(workspace: Path, key: str, speed: float, until: float) -> None:
    if not _is_number(speed) or speed <= 0:
        return
    data = json.dumps({**_speeds(workspace), key: (speed, until)}, indent=1).encode()
    with contextlib.suppress(OSError):  # it will be measured again
        write_atomically(cache_folder(workspace) / SPEEDS_FILE, data)


def _speeds(workspace: Path) -> dict[str, tuple[float, float]]:
    """Photos a second, and until when (in seconds since 1970) they count; nothing where the file is damaged."""
    try:
        values = json.loads((cache_folder(workspace) / SPEEDS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {
        key: (pair[0], pair[1])
        for key, pair in (values.items() if isinstance(values, dict) else ())
        if isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) and pair[0] > 0
    }


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _made_up(recipe: Recipe, count: int) -> NDArray[np.uint8]:
    """Random photos of the size at which trainings keep them."""
    side = round(recipe.size * STORED_OVER_SEEN)
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def _network(recipe: Recipe, classes: int) -> SneakerNetwork:
    return build_network(recipe.network, classes, recipe.head_kind)


def _learning_speed(recipe: Recipe, classes: int) -> float:
    """By a few steps of a real training, the first one thrown away."""
    batch = min(recipe.batch, _MOST_PHOTOS)
    # At the lowest rate nothing can diverge; a step takes as long at any rate.
    lowest = RANGES["learning_rate"][0]
    whole = replace(recipe, batch=batch, epochs=1, head_epochs=0, small_share=0.0, learning_rate=lowest)
    rows = np.arange(batch * (1 + _STEPS))
    trainer = Trainer(
        _network(recipe, classes), TrainingData(_made_up(recipe, batch), rows % classes, classes, rows % batch), whole
    )
    marks = [time.perf_counter()]

    def on_step(done: int, loss: float, speed: float) -> bool:
        marks.append(time.perf_counter())
        return not _enough(marks)

    trainer.epoch(on_step)
    return batch / _usual(marks)


def _embedding_speed(recipe: Recipe, classes: int) -> float:
    """By embedding a few batches in the views that a head learns from."""
    batch, network = min(recipe.batch, _MOST_PHOTOS), _network(recipe, classes)
    pixels, views = _made_up(recipe, batch), Views(recipe.size, CROPPED_VIEWS, recipe)
    marks = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        while not _enough(marks):
            # Named anew each time, or what was embedded before would be taken.
            names = [f"{len(marks)}-{row}" for row in range(batch)]
            embed(network, names, pixels, np.arange(batch), views, Path(folder))
            marks.append(time.perf_counter())
    return batch / _usual(marks)


def _enough(marks: list[float]) -> bool:
    """Whether the moments at which steps ended tell how long one takes."""
    if len(marks) == 2:
        return marks[1] - marks[0] > _LONG_STEP
    return len(marks) > 2 and (len(marks) > 1 + _STEPS or marks[-1] - marks[1] > _ENOUGH)


def _usual(marks: list[float]) -> float:
    """Seconds of a step; the first one counts only where it is alone."""
    return max(float(np.median(np.diff(marks)[1:] if len(marks) > 2 else np.diff(marks))), 1e-9)


def _head_speed(recipe: Recipe, classes: int) -> float:
    """Photos a second of a head that learns from finished embeddings."""
    network, count = _network(recipe, classes), min(recipe.batch, _MOST_PHOTOS) * _HEAD_STEPS
    views = torch.zeros(count, 2 + CROPPED_VIEWS, network.embedding_size, dtype=torch.float16)
    data = TrainingData(np.empty((0, 1, 1, 3), np.uint8), np.arange(count) % classes, classes)
    brief = replace(recipe, batch=min(recipe.batch, _MOST_PHOTOS), epochs=2)
    *_, last = train_head(network, views, data, brief)
    return last.images_per_second


def _reading_speed(recipe: Recipe) -> float:
    """Photos a second that are decoded and shrunk to be learned from."""
    with tempfile.TemporaryDirectory() as folder:
        samples = _files(Path(folder))
        started = time.perf_counter()
        load_photos(samples, round(recipe.size * STORED_OVER_SEEN), Path(folder))
        return len(samples) / (time.perf_counter() - started)


def _measuring_speed(recipe: Recipe, classes: int) -> float:
    """Photos a second that a finished model decodes and answers for."""
    names = tuple(map(str, range(classes)))
    spec = ModelSpec("trial", recipe.network, names, False, Preprocessing(recipe.final_size, recipe.final_size))
    model = SneakerModel(spec, _network(recipe, classes).eval(), np.empty((0, 0), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        paths = list(_files(Path(folder))["path"])
        read_outputs(model, paths[:4])
        started = time.perf_counter()
        read_outputs(model, paths)
        return len(paths) / (time.perf_counter() - started)


def _files(folder: Path) -> pd.DataFrame:
    """Made-up photo files, in the columns of samples."""
    rng = np.random.default_rng(0)
    for number in range(_FILES):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 36, 3), np.uint8))
        coarse.resize(_FILE_SIZE, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=90)
    return scan_photos(folder)
