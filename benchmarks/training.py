"""Measure the speed of training: ``python -m benchmarks.training [--photos DIR]`` in the project folder.

Compares SoleScope with fastai and with the training step alone. The photos are those of DIR (``<class>/*``), or those
of `benchmarks.datasets`. All variants use the same photos, size, batch and network in one process, and their epochs
take turns, so that other load on the machine affects them alike. One-time costs (starting, the first epoch, and
SoleScope's decoding before the first epoch) are excluded; what an epoch itself reads is included. fastai is optional:
``pip install fastai`` into the same environment.
"""

import argparse
import contextlib
import importlib
import os
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from benchmarks.datasets import photos
from sneaker_core.datasets.photo_folder import read_labeled_folder
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.networks.precision import mixed_precision, training_device
from sneaker_core.networks.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from sneaker_core.training.augmentation import augment
from sneaker_core.training.photo_cache import load_photos
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trainer import STORED_OVER_SEEN, Trainer, TrainingData

FAST = "SOLESCOPE_MIXED_PRECISION"
OURS, OURS_32 = "SoleScope", "SoleScope, 32 bits"
WITH_AUGMENTATION = "training step only, photos in memory, same augmentation"
WITHOUT_AUGMENTATION = "training step only, tensors in memory, augmented beforehand"
WORKERS = (0, 2)
# Decoding, which happens once, is also spread over a training of this many epochs.
EPOCHS = 10

Epoch = Callable[[], object]


@dataclass(frozen=True)
class Task:
    """The photos and the recipe that all variants train with."""

    files: list[Path]
    data: TrainingData
    recipe: Recipe

    @property
    def per_epoch(self) -> int:
        """Photos per epoch: complete batches only."""
        return len(self.files) // self.recipe.batch * self.recipe.batch

    def network(self) -> SneakerNetwork:
        """Build the network, with the same random weights each time."""
        torch.manual_seed(0)
        return build_network(self.recipe.network, self.data.classes)


@contextlib.contextmanager
def arithmetic(fast: bool) -> Iterator[None]:
    before = os.environ.get(FAST)
    os.environ[FAST] = str(int(fast))
    try:
        yield
    finally:
        os.environ.pop(FAST)
        if before is not None:
            os.environ[FAST] = before


def ours(task: Task, fast: bool) -> Epoch:
    trainer = Trainer(task.network(), task.data, task.recipe)

    def epoch() -> None:
        with arithmetic(fast):
            trainer.train_epoch()

    return epoch


def step_only(task: Task, augmenting: bool) -> Epoch:
    """Train on batches in memory: network, loss and optimizer only, without sampling, weight averaging or reports."""
    trainer = Trainer(task.network(), task.data, task.recipe)
    network, optimizer, recipe = trainer.network.train(), trainer.optimizer, task.recipe
    preprocessing, rng = Preprocessing(recipe.size, recipe.size), Generator().manual_seed(0)
    pixels = torch.from_numpy(np.array(task.data.pixels)).to(trainer.device)
    labels = torch.from_numpy(task.data.targets).to(trainer.device)

    def prepared(chosen: slice) -> Tensor:
        images = augment(pixels[chosen], preprocessing, recipe, rng)
        return images.contiguous(memory_format=torch.channels_last)

    batches = [slice(start, start + recipe.batch) for start in range(0, task.per_epoch, recipe.batch)]
    kept = [] if augmenting else [prepared(chosen) for chosen in batches]

    def epoch() -> None:
        for number, chosen in enumerate(batches):
            images = prepared(chosen) if augmenting else kept[number]
            with mixed_precision(trainer.device.type):
                logits = network(images).float()
            loss = functional.cross_entropy(logits, labels[chosen], label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()

    return epoch


def fastai_or_none() -> ModuleType | None:
    try:
        return importlib.import_module("fastai.vision.all")
    except ImportError as error:
        print(f"Skipping fastai ({error}). To compare with it, run: pip install fastai\n")
        return None


def with_fastai(task: Task, fastai: Any, workers: int) -> Epoch:
    """Use fastai's vision_learner with its defaults: 32 bits, its own Adam, photos decoded again in every epoch."""
    recipe = task.recipe
    augmentation = fastai.aug_transforms(
        size=recipe.size,
        max_rotate=recipe.rotation,
        max_zoom=recipe.crop**-0.5,
        max_lighting=recipe.color_jitter,
        max_warp=0.0,
    )
    block = fastai.DataBlock(
        blocks=(fastai.ImageBlock, fastai.CategoryBlock),
        get_items=lambda source: task.files,
        get_y=fastai.parent_label,
        # Validation is turned off, but fastai requires a validation photo.
        splitter=lambda items: (list(range(len(items))), [0]),
        item_tfms=fastai.Resize(stored_size(recipe), method=fastai.ResizeMethod.Squish),
        batch_tfms=[*augmentation, fastai.Normalize.from_stats(IMAGENET_MEAN, IMAGENET_STD)],
    )
    loaders = block.dataloaders(None, bs=recipe.batch, num_workers=workers, device=training_device())

    def network(pretrained: bool) -> nn.Module:
        plain = task.network().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return nn.Sequential(plain, nn.Identity())

    fastai.model_meta[network] = {"cut": -1, "split": fastai.default_split}
    learner = fastai.vision_learner(
        loaders,
        network,
        pretrained=False,
        custom_head=nn.Identity(),
        loss_func=fastai.CrossEntropyLossFlat(label_smoothing=recipe.label_smoothing),
        lr=recipe.learning_rate,
        cbs=[without_validation(fastai)],
    )

    def epoch() -> None:
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(1)

    return epoch


def without_validation(fastai: Any) -> Any:
    def before_validate(self: Any) -> None:
        raise fastai.CancelValidException

    return type("WithoutValidation", (fastai.Callback,), {"before_validate": before_validate})()


def stored_size(recipe: Recipe) -> int:
    return round(recipe.size * STORED_OVER_SEEN)


def prepare(source: Path, count: int, recipe: Recipe, workspace: Path) -> tuple[Task, float]:
    """Return the photos, decoded as for a run, and the decoding speed in photos per second."""
    found = read_labeled_folder(source)
    samples = found.sample(min(count, len(found)), random_state=0).reset_index(drop=True)
    started = time.perf_counter()
    loaded = load_photos(samples, stored_size(recipe), workspace)
    decoding = len(samples) / (time.perf_counter() - started)
    samples = samples[loaded.readable]
    numbers, classes = pd.factorize(samples["label"], sort=True)
    data = TrainingData(pixels=loaded.pixels, targets=numbers.astype(np.int64), classes=len(classes))
    return Task([Path(path) for path in samples["path"]], data, recipe), decoding


def speeds(variants: dict[str, Epoch], photos_per_epoch: int, repeats: int) -> dict[str, list[float]]:
    """Return photos per second for each measured epoch; variants take turns, and each round starts with another one."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    names = list(variants)
    for turn in range(repeats + 1):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            started = time.perf_counter()
            variants[name]()
            if turn:
                found[name].append(photos_per_epoch / (time.perf_counter() - started))
    return found


def ratio(found: dict[str, list[float]], one: str, other: str) -> str:
    """Format the ratio of two variants' speeds over the rounds: median (range)."""
    shares = [a / b for a, b in zip(found[one], found[other], strict=True)]
    return f"{statistics.median(shares):.2f} ({min(shares):.2f} to {max(shares):.2f})"


def print_tables(found: dict[str, list[float]], decoding: float) -> None:
    print("| variant | photos/s, median | slowest | fastest |\n| --- | --- | --- | --- |")
    for name, values in found.items():
        print(f"| {name} | {statistics.median(values):.1f} | {min(values):.1f} | {max(values):.1f} |")
    print(f"| SoleScope's decoding, once before the first epoch | {decoding:.0f} | | |")
    print("\n| comparison | ratio (range) | target |\n| --- | --- | --- |")
    print(f"| SoleScope / {WITH_AUGMENTATION} | {ratio(found, OURS, WITH_AUGMENTATION)} | 0.90 |")
    print(f"| SoleScope / {WITHOUT_AUGMENTATION} | {ratio(found, OURS, WITHOUT_AUGMENTATION)} | |")
    theirs = [name for name in found if name.startswith("fastai")]
    if theirs:
        best = max(theirs, key=lambda name: statistics.median(found[name]))
        print(f"| with the defaults of both: SoleScope / {best} | {ratio(found, OURS, best)} | |")
        print(f"| both in 32 bits: SoleScope / {best} | {ratio(found, OURS_32, best)} | |")
        mean = 1 / (1 / statistics.median(found[OURS]) + 1 / decoding / EPOCHS)
        share = mean / statistics.median(found[best])
        print(f"| with the defaults of both, decoding spread over {EPOCHS} epochs | {share:.2f} | |")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the speed of training.")
    parser.add_argument("--photos", type=Path, help="folder laid out as <class>/*")
    parser.add_argument("--count", type=int, default=512, help="photos to train on")
    parser.add_argument("--repeats", type=int, default=3, help="measured epochs per variant")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=32)
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    # More epochs than will ever run; all layers are trained from the first one.
    recipe = Recipe(epochs=1000, head_epochs=0, size=asked.size, small_size=asked.size, batch=asked.batch)
    fastai = fastai_or_none()
    warnings.filterwarnings("ignore", module="fastai")
    with tempfile.TemporaryDirectory() as temporary:
        source = asked.photos or photos(Path(temporary) / "photos")
        task, decoding = prepare(source, asked.count, recipe, Path(temporary) / "workspace")
        if not task.per_epoch:
            raise SystemExit(f"{len(task.files)} photos are too few for a batch of {recipe.batch}.")
        variants = {
            OURS: ours(task, fast=True),
            OURS_32: ours(task, fast=False),
            WITH_AUGMENTATION: step_only(task, augmenting=True),
            WITHOUT_AUGMENTATION: step_only(task, augmenting=False),
        }
        if fastai is not None:
            variants |= {f"fastai, {workers} workers": with_fastai(task, fastai, workers) for workers in WORKERS}
        found = speeds(variants, task.per_epoch, asked.repeats)
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}"
    )
    print(f"{recipe.network}, {recipe.size} px, batch {recipe.batch}, {task.per_epoch} photos per epoch\n")
    print_tables(found, decoding)


if __name__ == "__main__":
    main()
