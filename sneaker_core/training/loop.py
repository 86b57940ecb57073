"""The training loop: a network, arrays of photos and a recipe in, a trained network out.

It knows nothing of folders, files or pages; it reports each epoch through a callback and hands over its whole state
so that a caller can keep it.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional

from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.arithmetic import fast_arithmetic
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.augmentation import mix_batch, random_colours, random_erasing, random_views
from sneaker_core.training.recipe import Recipe

# Photos are kept this much larger than the network sees them, so that random crops still have detail.
STORED_OVER_SEEN = 1.15


@dataclass(frozen=True)
class TrainingData:
    """What a network learns from.

    Attributes
    ----------
    pixels : uint8 array (N, H, W, 3)
    targets : int64 array (N,)
        Class numbers; `classes` itself stands for "something else".
    classes : int
        Number of classes, "something else" not counted.
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.int64]
    classes: int

    @property
    def outputs(self) -> int:
        """Logits that the network needs: one more than classes where there are photos of other things."""
        return self.classes + int((self.targets == self.classes).any())


@dataclass(frozen=True)
class EpochReport:
    """What an epoch came to.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    loss : float
        Mean training loss.
    accuracy : float
        Share of augmented training photos answered right; nan where batches were mixed.
    learning_rate : float
        Of the head, at the end of the epoch.
    images_per_second : float
    """

    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float


class Trainer:
    """A training in progress: network, averaged network, optimiser and the epochs done.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place.
    data : TrainingData
    recipe : Recipe
    """

    def __init__(self, network: SneakerNetwork, data: TrainingData, recipe: Recipe) -> None:
        self.network = network
        self.average = copy.deepcopy(network).eval()
        self.data = data
        self.recipe = recipe
        self.epochs_done = 0
        self.weights = draw_weights(data, recipe)
        self.steps_per_epoch = max(1, int((data.targets < data.classes).sum()) // recipe.batch)
        self.optimizer = _optimizer(network, recipe)

    def run(self, report: Callable[[EpochReport], None]) -> SneakerNetwork:
        """Train the epochs that are left; returns the averaged network."""
        while self.epochs_done < self.recipe.epochs:
            report(self._epoch())
        return self.average

    def _epoch(self) -> EpochReport:
        """One pass, drawn from the seed and the epoch alone, so that a resumed run sees what it would have seen."""
        recipe, epoch = self.recipe, self.epochs_done
        rng = Generator().manual_seed(recipe.seed * 100_003 + epoch)
        torch.manual_seed(recipe.seed * 100_003 + epoch)
        size = recipe.small_size if epoch < round(recipe.small_share * recipe.epochs) else recipe.size
        preprocessing = Preprocessing(size, size)
        self.network.train()
        started, losses, right, rate = time.perf_counter(), 0.0, 0, 0.0
        for step, chosen in enumerate(self._batches(rng)):
            done = epoch * self.steps_per_epoch + step
            rate = self._set_rate(done / (recipe.epochs * self.steps_per_epoch))
            labels = torch.from_numpy(self.data.targets[chosen])
            images = self._augmented(self.data.pixels[chosen], preprocessing, rng)
            loss, hits = self._step(images, labels, rng)
            losses, right = losses + loss, right + hits
            self._update_average(done)
        self.epochs_done += 1
        seen = self.steps_per_epoch * recipe.batch
        return EpochReport(
            epoch=self.epochs_done,
            loss=losses / self.steps_per_epoch,
            accuracy=right / seen if recipe.mix == 0 else math.nan,
            learning_rate=rate,
            images_per_second=seen / (time.perf_counter() - started),
        )

    def _batches(self, rng: Generator) -> Iterator[NDArray[np.int64]]:
        drawn = torch.multinomial(
            self.weights, self.steps_per_epoch * self.recipe.batch, replacement=True, generator=rng
        )
        yield from drawn.numpy().reshape(self.steps_per_epoch, self.recipe.batch)

    def _augmented(self, pixels: NDArray[np.uint8], preprocessing: Preprocessing, rng: Generator) -> Tensor:
        images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        images = random_views(images, preprocessing.height, self.recipe, rng)
        images = random_colours(images, self.recipe.colour, rng)
        standardised = preprocessing.standardise(images.permute(0, 2, 3, 1))
        return random_erasing(standardised, self.recipe.erase, rng)

    def _step(self, images: Tensor, labels: Tensor, rng: Generator) -> tuple[float, int]:
        targets = functional.one_hot(labels, self.data.outputs).float()
        images, targets = mix_batch(images, targets, self.recipe.mix, rng)
        images = images.contiguous(memory_format=torch.channels_last)
        with fast_arithmetic():
            logits = self.network(images).float()
        loss = functional.cross_entropy(logits, targets, label_smoothing=self.recipe.label_smoothing)
        if not torch.isfinite(loss):
            raise RecipeError(
                f"The loss is no longer a number in epoch {self.epochs_done + 1}; "
                f"try a learning_rate below {self.recipe.learning_rate:g}."
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        return float(loss.detach()), int((logits.argmax(1) == labels).sum())

    def _set_rate(self, progress: float) -> float:
        rate = self.recipe.learning_rate * one_cycle(progress, self.recipe.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        return rate

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        """Move the average towards the network; early on faster, so that it forgets the start."""
        decay = min(self.recipe.average_decay, (1 + step) / (10 + step)) if self.recipe.average_decay else 0.0
        for mean, value in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)


def draw_weights(data: TrainingData, recipe: Recipe) -> Tensor:
    """How likely each photo is drawn: float64 (N,), summing to 1.

    Classes share the draws in proportion to size ** `rare_power`; photos of other things get `others_share`.
    """
    counts = np.bincount(data.targets, minlength=data.classes + 1).astype(np.float64)
    share = np.where(counts > 0, np.maximum(counts, 1) ** recipe.rare_power, 0.0)
    known = share[: data.classes]
    others = recipe.others_share if counts[data.classes] else 0.0
    share = np.append(known / known.sum() * (1 - others), others)
    return torch.from_numpy((share / np.maximum(counts, 1))[data.targets])


def one_cycle(progress: float, warmup: float) -> float:
    """Learning rate as a share of its highest, 0 to 1: a cosine up during the warm-up, a cosine down after it.

    Parameters
    ----------
    progress : float
        Share of all steps that are done, 0 to 1.
    warmup : float
        Share of all steps before the highest rate.

    References
    ----------
    Smith and Topin (2019), Super-convergence.
    """
    if progress < warmup:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / warmup)) / 2
    return (1 + math.cos(math.pi * (progress - warmup) / max(1e-9, 1 - warmup))) / 2


def _optimizer(network: SneakerNetwork, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; the head at the full rate, the backbone at its share; no decay for biases and normalisation."""
    groups = []
    for part, share in ((network.backbone, recipe.backbone_rate), (network.head, 1.0)):
        parameters = list(part.parameters())
        for decay, chosen in (
            (recipe.weight_decay, [value for value in parameters if value.ndim > 1]),
            (0.0, [value for value in parameters if value.ndim <= 1]),
        ):
            groups.append({"params": chosen, "share": share, "weight_decay": decay})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)
