"""Training loop: a network, arrays of photos and a recipe in, a trained network out.

It knows nothing about folders, files or pages. It trains epoch by epoch and exposes its state, so callers can save it.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, distributed, nn
from torch.nn import functional

from sneaker_core import process_group
from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import AUXILIARY_WEIGHT, SneakerNetwork
from sneaker_core.networks.precision import mixed_precision, training_device
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.networks.trainable_layers import set_trainable, set_training_mode
from sneaker_core.training.augmentation import augment, mix_batch
from sneaker_core.training.background_swap import swap_backgrounds
from sneaker_core.training.recipe import Recipe

# Photos are stored larger than the network input by this factor, so random crops keep their detail.
STORED_OVER_SEEN = 1.15

# Steps done, mean loss, photos per second -> whether to continue.
OnStep = Callable[[int, float, float], bool]


@dataclass(frozen=True)
class TrainingData:
    """Training photos and their classes.

    Attributes
    ----------
    pixels : uint8 array (P, H, W, 3)
        Photos, in memory or memory-mapped; may include photos that are not used for training.
    targets : int64 array (N,)
        Numbers of classes, then of types of other footwear, then one that marks negatives.
    classes : int
        Number of classes; neither other footwear nor negatives are counted.
    rows : int64 array (N,), optional
        Rows of `pixels`; by default the first N.
    footwear_types : int
        Number of types of other footwear.
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.int64]
    classes: int
    rows: NDArray[np.int64] | None = None
    footwear_types: int = 0

    @property
    def negative(self) -> int:
        """The number in `targets` that marks negatives."""
        return self.classes + self.footwear_types

    def photos(self, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Photos (B, H, W, 3) by their index in `targets`."""
        return self.pixels[chosen if self.rows is None else self.rows[chosen]]

    @property
    def outputs(self) -> int:
        """Number of logits: one for each class and type of footwear, and one more if there are negatives."""
        return self.negative + int((self.targets == self.negative).any())


@dataclass(frozen=True)
class EpochReport:
    """Figures of a finished epoch.

    Attributes
    ----------
    epoch : int
        Counted from 1.
    loss : float
        Mean training loss.
    accuracy : float
        Accuracy on augmented training photos; nan if batches were mixed.
    learning_rate : float
        Learning rate of the head at the end of the epoch.
    images_per_second : float
    seconds : float
        Duration.
    """

    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float
    seconds: float


class Trainer:
    """State of a training: network, averaged (EMA) network, optimizer and number of epochs done.

    With several processes, each handles its share of every batch, and all take the same steps.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place.
    data : TrainingData
    recipe : Recipe

    Raises
    ------
    RecipeError
        The batch cannot be divided evenly among the processes.
    """

    def __init__(self, network: SneakerNetwork, data: TrainingData, recipe: Recipe) -> None:
        if recipe.batch % process_group.count() or recipe.batch == process_group.count():
            raise RecipeError(
                f"batch is {recipe.batch}; it must be a multiple of the number of processes, {process_group.count()}, "
                "with at least two photos per process."
            )
        self.device = training_device()
        self.network = network.to(self.device)
        self.average = copy.deepcopy(network).eval()
        self.data = data
        self.recipe = recipe
        self.epochs_done = 0
        self.weights = sampling_weights(data, recipe)
        self.backgrounds = np.flatnonzero(data.targets == data.negative)
        self.steps_per_epoch = max(1, int((data.targets < data.classes).sum()) // recipe.batch)
        backbone = set_trainable(network, recipe.network, recipe.trainable)
        self.optimizer = _optimizer(backbone, network.head_parameters(), recipe)

    @property
    def steps(self) -> int:
        """Number of steps of the whole training."""
        return self.recipe.epochs * self.steps_per_epoch

    def train(self, report: Callable[[EpochReport], None]) -> SneakerNetwork:
        """Train the remaining epochs; returns the averaged network."""
        while self.epochs_done < self.recipe.epochs:
            done = self.train_epoch()
            if done is not None:
                report(done)
        return self.average

    def train_epoch(self, on_step: OnStep = lambda done, loss, speed: True) -> EpochReport | None:
        """Train one epoch. Its photos depend only on seed and epoch, so a resumed run sees the same ones.

        Parameters
        ----------
        on_step : callable
            Called after each step with the number of steps done in the whole training, the mean loss of this epoch so
            far and the photos per second; returns False to stop.

        Returns
        -------
        EpochReport or None
            None if stopped; the network is then in the middle of the epoch.
        """
        recipe, epoch = self.recipe, self.epochs_done
        rng = Generator().manual_seed(recipe.seed * 100_003 + epoch)
        # Each process augments its photos with its own generator; all sample the same photos.
        own = Generator().manual_seed((recipe.seed * 100_003 + epoch) * 1009 + process_group.rank())
        torch.manual_seed((recipe.seed * 100_003 + epoch) * 1009 + process_group.rank())
        preprocessing = recipe.preprocessing(recipe.size_of(epoch))
        parallel = self._in_parallel()
        losses, correct = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        started, rate, seen = time.perf_counter(), 0.0, 0
        for step, chosen in enumerate(self._batches(rng)):
            done = epoch * self.steps_per_epoch + step
            rate = self._set_rate(done)
            loss, hits = self._step(parallel, chosen[process_group.rank() :: process_group.count()], preprocessing, own)
            losses, correct, seen = losses + loss, correct + hits, seen + len(chosen)
            self._update_average(done)
            speed = seen / (time.perf_counter() - started)
            if not on_step(done + 1, float(losses) / (step + 1), speed):
                return None
        self._average_batch_norm()
        self.epochs_done += 1
        sums = torch.stack([losses, correct])
        if process_group.count() > 1:
            distributed.all_reduce(sums)
        return EpochReport(
            epoch=self.epochs_done,
            loss=float(sums[0]) / process_group.count() / self.steps_per_epoch,
            accuracy=float(sums[1]) / seen if recipe.mixup == 0 else math.nan,
            learning_rate=rate,
            images_per_second=seen / (time.perf_counter() - started),
            seconds=time.perf_counter() - started,
        )

    def _in_parallel(self) -> nn.Module:
        """The network set up for this epoch's trainable layers, synchronized with other processes."""
        trainable = "head" if self.recipe.trains_head_only(self.epochs_done) else self.recipe.trainable
        set_trainable(self.network, self.recipe.network, trainable)
        set_training_mode(self.network, self.recipe.network, trainable)
        step = _Step(self.network, backbone_gradients=trainable != "head")
        if process_group.count() == 1:
            return step
        return nn.parallel.DistributedDataParallel(step, broadcast_buffers=False)

    def _batches(self, rng: Generator) -> Iterator[NDArray[np.int64]]:
        drawn = torch.multinomial(
            self.weights, self.steps_per_epoch * self.recipe.batch, replacement=True, generator=rng
        )
        yield from drawn.numpy().reshape(self.steps_per_epoch, self.recipe.batch)

    def _step(
        self, parallel: nn.Module, chosen: NDArray[np.int64], preprocessing: Preprocessing, rng: Generator
    ) -> tuple[Tensor, Tensor]:
        labels = torch.from_numpy(self.data.targets[chosen]).to(self.device)
        pixels = torch.from_numpy(self._with_backgrounds(chosen, rng)).to(self.device)
        targets = functional.one_hot(labels, self.data.outputs).float()
        images = augment(pixels, preprocessing, self.recipe, rng)
        images, targets = mix_batch(images, targets, self.recipe.mixup, rng)
        with mixed_precision(self.device.type):
            logits, auxiliary = parallel(images.contiguous(memory_format=torch.channels_last))
        loss = self._loss(logits, targets)
        if auxiliary is not None:
            loss = loss + AUXILIARY_WEIGHT * self._loss(auxiliary, targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        # The gradient norm is the same in all processes; the loss is not.
        if not torch.isfinite(nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)):
            raise RecipeError(
                f"The loss became infinite or NaN in epoch {self.epochs_done + 1}; "
                f"try a learning_rate below {self.recipe.learning_rate:g}."
            )
        self.optimizer.step()
        return loss.detach(), (logits.argmax(1) == labels).sum()

    def _with_backgrounds(self, chosen: NDArray[np.int64], rng: Generator) -> NDArray[np.uint8]:
        """The chosen photos, some of them on the background of a random negative."""
        photos, probability = self.data.photos(chosen), self.recipe.background_swap
        if not probability or not len(self.backgrounds):
            return photos
        drawn = torch.randint(len(self.backgrounds), (len(chosen),), generator=rng).numpy()
        return swap_backgrounds(photos, self.data.photos(self.backgrounds[drawn]), probability, rng)

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(logits.float(), targets, label_smoothing=self.recipe.label_smoothing)

    def rate_at(self, step: int) -> float:
        """Learning rate of the head: the peak rate in head-only epochs, then one cycle over the other epochs."""
        recipe = self.recipe
        first = sum(map(recipe.trains_head_only, range(recipe.epochs))) * self.steps_per_epoch
        share = one_cycle((step - first) / (self.steps - first), recipe.warmup) if step >= first else 1.0
        return recipe.learning_rate * share

    def _set_rate(self, step: int) -> float:
        rate = self.rate_at(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        return rate

    @torch.no_grad()
    def _update_average(self, step: int) -> None:
        """Update the EMA weights; with a lower decay in the first steps, so they forget the initial weights."""
        decay = min(self.recipe.ema_decay, (1 + step) / (10 + step)) if self.recipe.ema_decay else 0.0
        for mean, value in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    @torch.no_grad()
    def _average_batch_norm(self) -> None:
        """Average batch-norm statistics over all processes, as each process sees only its own photos."""
        if process_group.count() == 1:
            return
        for module in (self.network, self.average):
            for value in module.buffers():
                if value.is_floating_point():
                    distributed.all_reduce(value)
                    value /= process_group.count()


class _Step(nn.Module):
    """Forward pass of a network in training as a module, as DistributedDataParallel needs one."""

    def __init__(self, network: SneakerNetwork, backbone_gradients: bool) -> None:
        super().__init__()
        self.network = network
        self.backbone_gradients = backbone_gradients

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, and the logits of the auxiliary head if the network has one."""
        return self.network.forward_training(images, self.backbone_gradients)


def sampling_weights(data: TrainingData, recipe: Recipe) -> Tensor:
    """Sampling probability of each photo: float64 (N,), summing to 1.

    Classes are sampled in proportion to size ** `class_balance_exponent`, and so are types of other footwear among
    themselves; other footwear gets `footwear_share` and negatives get `negatives_share`.
    """
    counts = np.bincount(data.targets, minlength=data.negative + 1).astype(np.float64)
    share = np.where(counts > 0, np.maximum(counts, 1) ** recipe.class_balance_exponent, 0.0)
    known, footwear, negatives = np.split(share, [data.classes, data.negative])
    taken = 0.0
    for part, wanted in ((footwear, recipe.footwear_share), (negatives, recipe.negatives_share)):
        if part.sum():
            part *= wanted / part.sum()
            taken += wanted
    known *= (1 - taken) / known.sum()
    return torch.from_numpy((share / np.maximum(counts, 1))[data.targets])


def one_cycle(progress: float, warmup: float) -> float:
    """Learning rate as a share of its peak, 0 to 1: a cosine up during the warm-up, a cosine down after it.

    Parameters
    ----------
    progress : float
        Share of all steps done, 0 to 1.
    warmup : float
        Share of all steps before the peak.

    References
    ----------
    Smith and Topin (2019), Super-convergence.
    """
    if progress < warmup:
        return 0.04 + 0.96 * (1 - math.cos(math.pi * progress / warmup)) / 2
    return (1 + math.cos(math.pi * (progress - warmup) / max(1e-9, 1 - warmup))) / 2


def _optimizer(backbone: list[nn.Parameter], head: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a lower learning rate for the backbone, and no weight decay for biases and normalization layers."""
    groups = []
    for parameters, share in ((backbone, recipe.backbone_rate), (head, 1.0)):
        for decay, chosen in (
            (recipe.weight_decay, [value for value in parameters if value.ndim > 1]),
            (0.0, [value for value in parameters if value.ndim <= 1]),
        ):
            if chosen:
                groups.append({"params": chosen, "share": share, "weight_decay": decay})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)
