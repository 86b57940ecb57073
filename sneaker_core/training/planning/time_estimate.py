"""Time estimate: how long a training takes on this machine, measured on a few batches of random photos."""

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

from sneaker_core.datasets.photo_folder import read_unlabeled_folder
from sneaker_core.errors import DamagedError
from sneaker_core.evaluation.prediction_table import read_outputs
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.precision import training_device
from sneaker_core.records.reading import fitting, read_values
from sneaker_core.records.training_records import SpeedRow
from sneaker_core.training.frozen_embeddings import Views, embed_photos
from sneaker_core.training.head_training import CROPPED_VIEWS, train_head
from sneaker_core.training.photo_cache import load_photos
from sneaker_core.training.prepared_photos import DUPLICATE_SIZE
from sneaker_core.training.recipe import RANGES, Recipe
from sneaker_core.training.trainer import STORED_OVER_SEEN, Trainer, TrainingData
from sneaker_core.workspace.atomic_files import write_atomically
from sneaker_core.workspace.paths import cache_folder

SPEEDS_FILE = "speeds.json"
# Seconds for which a measured speed is valid, as the machine may have been busy. Speeds of real trainings never expire.
_VALID_SECONDS, _FOREVER = 3600.0, 1e12
# Number of steps to time, and the seconds after which fewer are enough.
_STEPS = 3
_MAX_SECONDS = 5.0
# A first step longer than this many seconds is timed too: warm-up hardly matters in it.
_LONG_STEP = 10.0
# Largest batch to measure with, so an estimate cannot use up the memory.
_MAX_BATCH = 64
# Number and size in pixels of the random files for measuring reading and evaluation.
_FILES, _FILE_SIZE = 48, (300, 200)
_HEAD_STEPS = 20


@dataclass(frozen=True)
class Estimate:
    """Estimated duration of a training, in seconds.

    Attributes
    ----------
    reading : float
        Decoding the photos and looking for near-duplicates.
    learning : float
        All epochs, including validation.
    measuring : float
        Evaluating the finished model on all photos.
    speed : float
        Training photos per second, at full size.
    """

    reading: float
    learning: float
    measuring: float
    speed: float

    @property
    def total(self) -> float:
        """Total, in seconds."""
        return self.reading + self.learning + self.measuring

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "total": self.total}


def estimate(recipe: Recipe, photos: int, classes: int, workspace: Path, *, already_read: bool = False) -> Estimate:
    """Estimate how long a training takes on this machine.

    Parameters
    ----------
    recipe : Recipe
    photos : int
        Labeled photos in the dataset.
    classes : int
    workspace : Path
        Stores measured speeds; missing ones are measured, which takes seconds.
    already_read : bool
        Whether decoded photos and near-duplicates are in the cache from an earlier training at this size.
    """
    learned = photos * max(1 - recipe.val_share - recipe.test_share, 0.0)
    judged = photos * recipe.val_share
    speed = measure_speed(recipe, classes, workspace)
    key = _key("measuring", recipe, recipe.final_size)
    measured = _stored_or(workspace, key, lambda: _measuring_speed(recipe, classes))
    # Validation uses the training size.
    validated = measured * (recipe.final_size / recipe.size) ** 2
    if recipe.trainable == "head":
        head = _stored_or(workspace, _key("head", recipe), lambda: _head_speed(recipe, classes))
        learning = learned / speed + judged / validated + recipe.epochs * learned / head
    else:
        learning = sum(recipe.work()) * learned / speed + recipe.epochs * judged / validated
    reading = 0.0
    if not already_read:
        decoded = _stored_or(workspace, _key("reading", recipe), lambda: _reading_speed(recipe))
        reading = photos / decoded
        if recipe.init == "imagenet" or Path(recipe.init).is_file():
            # General-purpose weights also embed the photos to find near-duplicates.
            reading += photos / validated * (DUPLICATE_SIZE / recipe.size) ** 2
    return Estimate(reading, learning, photos / measured, speed)


def measure_speed(recipe: Recipe, classes: int, workspace: Path) -> float:
    """Photos per second of a full training step; with a frozen backbone, photos embedded per second.

    Parameters
    ----------
    recipe : Recipe
    classes : int
    workspace : Path
        Stores the measured speed for the next time.
    """
    measure = _embedding_speed if recipe.trainable == "head" else _learning_speed
    return _stored_or(workspace, _key("learning", recipe), lambda: measure(recipe, classes))


def remember_speed(recipe: Recipe, speed: float, workspace: Path) -> None:
    """Store the speed of a real training, which replaces measured ones.

    Parameters
    ----------
    recipe : Recipe
    speed : float
        Photos per second, as `measure_speed` returns them; anything else is ignored.
    workspace : Path
    """
    _store(workspace, _key("learning", recipe), speed, _FOREVER)


def _key(work: str, recipe: Recipe, *more: int) -> str:
    """Everything a speed depends on."""
    on = (training_device().type, torch.__version__, os.cpu_count(), *more)
    return json.dumps(
        [work, recipe.network, recipe.head, recipe.trainable, recipe.size, recipe.batch, recipe.augmentation, *on]
    )


def _stored_or(workspace: Path, key: str, measure: Callable[[], float]) -> float:
    """The stored speed if it is still valid, else a new measurement."""
    before, until = _speeds(workspace).get(key, (0.0, 0.0))
    if time.time() < until:
        return before
    # Measuring uses random numbers, and torch's global generator must stay as it was.
    with torch.random.fork_rng():
        measured = measure()
    # Other work on the machine makes a measurement slower, never faster.
    speed = max(measured, before)
    _store(workspace, key, speed, time.time() + _VALID_SECONDS)
    return speed


def _store(workspace: Path, key: str, speed: float, until: float) -> None:
    if not _is_number(speed) or speed <= 0:
        return
    data = json.dumps({**_speeds(workspace), key: (speed, until)}, indent=1).encode()
    with contextlib.suppress(OSError):  # it is measured again next time
        write_atomically(cache_folder(workspace) / SPEEDS_FILE, data, is_change=False)


def _speeds(workspace: Path) -> dict[str, tuple[float, float]]:
    """Speeds in photos per second and when they expire (seconds since 1970); empty if the file is damaged."""
    try:
        values = read_values(cache_folder(workspace) / SPEEDS_FILE)
    except DamagedError:
        return {}
    pairs = {key: pair for key, pair in values.items() if isinstance(pair, list)} if isinstance(values, dict) else {}
    records = {
        key: fitting(dict(zip(("speed", "until"), pair, strict=False)), SpeedRow)
        for key, pair in pairs.items()
        if len(pair) == 2
    }
    return {key: (record.speed, record.until) for key, record in records.items() if record is not None}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _random_photos(recipe: Recipe, count: int) -> NDArray[np.uint8]:
    """Random photos at the size stored for training."""
    side = round(recipe.size * STORED_OVER_SEEN)
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def _network(recipe: Recipe, classes: int) -> SneakerNetwork:
    return build_network(recipe.network, classes, recipe.head_kind)


def _learning_speed(recipe: Recipe, classes: int) -> float:
    """Photos per second in a few training steps, not counting the first."""
    batch = min(recipe.batch, _MAX_BATCH)
    # At the lowest rate the loss cannot diverge; the rate does not change the speed.
    lowest = RANGES["learning_rate"][0]
    brief = replace(recipe, batch=batch, epochs=1, head_epochs=0, small_share=0.0, learning_rate=lowest)
    rows = np.arange(batch * (1 + _STEPS))
    trainer = Trainer(
        _network(recipe, classes),
        TrainingData(_random_photos(recipe, batch), rows % classes, classes, rows % batch),
        brief,
    )
    marks = [time.perf_counter()]

    def on_step(done: int, loss: float, speed: float) -> bool:
        marks.append(time.perf_counter())
        return not _is_enough(marks)

    trainer.train_epoch(on_step)
    return batch / _step_seconds(marks)


def _embedding_speed(recipe: Recipe, classes: int) -> float:
    """Photos per second when embedding a few batches in all views."""
    batch, network = min(recipe.batch, _MAX_BATCH), _network(recipe, classes)
    pixels, views = _random_photos(recipe, batch), Views(recipe.size, CROPPED_VIEWS, recipe)
    marks = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        while not _is_enough(marks):
            # New names each time, or the embeddings would come from the cache.
            names = [f"{len(marks)}-{row}" for row in range(batch)]
            embed_photos(network, names, pixels, np.arange(batch), views, Path(folder))
            marks.append(time.perf_counter())
    return batch / _step_seconds(marks)


def _is_enough(marks: list[float]) -> bool:
    """Whether the times at which steps ended are enough for an estimate."""
    if len(marks) == 2:
        return marks[1] - marks[0] > _LONG_STEP
    return len(marks) > 2 and (len(marks) > 1 + _STEPS or marks[-1] - marks[1] > _MAX_SECONDS)


def _step_seconds(marks: list[float]) -> float:
    """Median seconds per step; the first step counts only if it is the only one."""
    return max(float(np.median(np.diff(marks)[1:] if len(marks) > 2 else np.diff(marks))), 1e-9)


def _head_speed(recipe: Recipe, classes: int) -> float:
    """Photos per second when training the head on embeddings."""
    network, count = _network(recipe, classes), min(recipe.batch, _MAX_BATCH) * _HEAD_STEPS
    views = torch.zeros(count, 2 + CROPPED_VIEWS, network.embedding_size, dtype=torch.float16)
    data = TrainingData(np.empty((0, 1, 1, 3), np.uint8), np.arange(count) % classes, classes)
    brief = replace(recipe, batch=min(recipe.batch, _MAX_BATCH), epochs=2)
    *_, last = train_head(network, views, data, brief)
    return last.images_per_second


def _reading_speed(recipe: Recipe) -> float:
    """Photos per second when decoding and resizing."""
    with tempfile.TemporaryDirectory() as folder:
        samples = _random_files(Path(folder))
        started = time.perf_counter()
        load_photos(samples, round(recipe.size * STORED_OVER_SEEN), Path(folder))
        return len(samples) / (time.perf_counter() - started)


def _measuring_speed(recipe: Recipe, classes: int) -> float:
    """Photos per second when a finished model decodes and evaluates photos."""
    names = tuple(map(str, range(classes)))
    spec = ModelSpec("trial", recipe.network, names, False, recipe.preprocessing(recipe.final_size))
    model = SneakerModel(spec, _network(recipe, classes).eval(), np.empty((0, 0), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        paths = list(_random_files(Path(folder))["path"])
        read_outputs(model, paths[:4])
        started = time.perf_counter()
        read_outputs(model, paths)
        return len(paths) / (time.perf_counter() - started)


def _random_files(folder: Path) -> pd.DataFrame:
    """Write random photo files; returns them as samples."""
    rng = np.random.default_rng(0)
    for number in range(_FILES):
        coarse = Image.fromarray(rng.integers(0, 256, (24, 36, 3), np.uint8))
        coarse.resize(_FILE_SIZE, Image.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=90)
    return read_unlabeled_folder(folder)
