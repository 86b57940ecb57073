"""The training loop: a network, arrays of photos and a recipe in, a trained network out.

It knows nothing of folders, files or pages; it goes epoch by epoch and hands over its whole state so that a caller
can keep it.
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
from sneaker_core.training.augmentation import augmented, mix_batch
from sneaker_core.training.recipe import Recipe

# Photos are kept this much larger than the network sees them, so that random crops still have detail.
STORED_OVER_SEEN = 1.15

# Steps done, mean loss, photos a second -> whether to go on.
OnStep = Callable[[int, float, float], bool]


@dataclass(frozen=True)
class TrainingData:
    """What a network learns from.

    Attributes
    ----------
    pixels : uint8 array (P, H, W, 3)
        Photos, in memory or mapped from a file; more than are learned from, maybe.
    targets : int64 array (N,)
        Class numbers; `classes` itself stands for "something else".
    classes : int
        Number of classes, "something else" not counted.
    rows : int64 array (N,), optional
        Which photos these are; the first N where left out.
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.int64]
    classes: int
    rows: NDArray[np.int64] | None = None

    def photos(self, chosen: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Photos (B, H, W, 3) by their place among the targets."""
        return self.pixels[chosen if self.rows is None else self.rows[chosen]]

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
    seconds : float
        That it took.
    """

    epoch: int
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: float
    seconds: float


class Trainer:
    """A training in progress: network, averaged network, optimiser and the epochs done.

    Of several processes each takes its share of every batch, and all take the same steps.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place.
    data : TrainingData
    recipe : Recipe

    Raises
    ------
    RecipeError
        The batch cannot be shared out evenly among the processes.
    """

    def __init__(self, network: SneakerNetwork, data: TrainingData, recipe: Recipe) -> None:
        if recipe.batch % process_group.count() or recipe.batch == process_group.count():
            raise RecipeError(
                f"batch is {recipe.batch}; it must be a multiple of {process_group.count()}, the number of processes, "
                "with two photos or more for each."
            )
        self.device = training_device()
        self.network = network.to(self.device)
        self.average = copy.deepcopy(network).eval()
        self.data = data
        self.recipe = recipe
        self.epochs_done = 0
        self.weights = draw_weights(data, recipe)
        self.steps_per_epoch = max(1, int((data.targets < data.classes).sum()) // recipe.batch)
        backbone = set_trainable(network, recipe.network, recipe.trainable)
        self.optimizer = _optimizer(backbone, network.head_parameters(), recipe)

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.recipe.epochs * self.steps_per_epoch

    def run(self, report: Callable[[EpochReport], None]) -> SneakerNetwork:
        """Train the epochs that are left; returns the averaged network."""
        while self.epochs_done < self.recipe.epochs:
            done = self.epoch()
            if done is not None:
                report(done)
        return self.average

    def epoch(self, on_step: OnStep = lambda done, loss, speed: True) -> EpochReport | None:
        """One pass, drawn from the seed and the epoch alone, so that a resumed run sees what it would have seen.

        Parameters
        ----------
        on_step : callable
            Called after each step with the steps done of the whole training, the mean loss of this epoch so far and
            the photos a second; stops the training by answering False.

        Returns
        -------
        EpochReport or None
            None where it was stopped; the network is then somewhere inside the epoch.
        """
        recipe, epoch = self.recipe, self.epochs_done
        rng = Generator().manual_seed(recipe.seed * 100_003 + epoch)
        # Of its own for what each process does to its own photos; the draw of photos is the same in all.
        own = Generator().manual_seed((recipe.seed * 100_003 + epoch) * 1009 + process_group.rank())
        torch.manual_seed((recipe.seed * 100_003 + epoch) * 1009 + process_group.rank())
        preprocessing = Preprocessing(recipe.size_of(epoch), recipe.size_of(epoch))
        parallel = self._in_parallel()
        losses, right = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        started, rate, seen = time.perf_counter(), 0.0, 0
        for step, chosen in enumerate(self._batches(rng)):
            done = epoch * self.steps_per_epoch + step
            rate = self._set_rate(done)
            loss, hits = self._step(parallel, chosen[process_group.rank() :: process_group.count()], preprocessing, own)
            losses, right, seen = losses + loss, right + hits, seen + len(chosen)
            self._update_average(done)
            speed = seen / (time.perf_counter() - started)
            if not on_step(done + 1, float(losses) / (step + 1), speed):
                return None
        self._share_statistics()
        self.epochs_done += 1
        told = torch.stack([losses, right])
        if process_group.count() > 1:
            distributed.all_reduce(told)
        return EpochReport(
            epoch=self.epochs_done,
            loss=float(told[0]) / process_group.count() / self.steps_per_epoch,
            accuracy=float(told[1]) / seen if recipe.mixup == 0 else math.nan,
            learning_rate=rate,
            images_per_second=seen / (time.perf_counter() - started),
            seconds=time.perf_counter() - started,
        )

    def _in_parallel(self) -> nn.Module:
        """The network in the mode and with the gradients that this epoch asks for, in step with other processes."""
        learned = "head" if self.recipe.trains_head_only(self.epochs_done) else self.recipe.trainable
        set_trainable(self.network, self.recipe.network, learned)
        set_training_mode(self.network, self.recipe.network, learned)
        step = _Step(self.network, backbone_gradients=learned != "head")
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
        pixels = torch.from_numpy(self.data.photos(chosen)).to(self.device)
        targets = functional.one_hot(labels, self.data.outputs).float()
        images = augmented(pixels, preprocessing, self.recipe, rng)
        images, targets = mix_batch(images, targets, self.recipe.mixup, rng)
        with mixed_precision(self.device.type):
            logits, auxiliary = parallel(images.contiguous(memory_format=torch.channels_last))
        loss = self._loss(logits, targets)
        if auxiliary is not None:
            loss = loss + AUXILIARY_WEIGHT * self._loss(auxiliary, targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        # The same in all processes, other than the loss of each.
        if not torch.isfinite(nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)):
            raise RecipeError(
                f"The loss is no longer a number in epoch {self.epochs_done + 1}; "
                f"try a learning_rate below {self.recipe.learning_rate:g}."
            )
        self.optimizer.step()
        return loss.detach(), (logits.argmax(1) == labels).sum()

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(logits.float(), targets, label_smoothing=self.recipe.label_smoothing)

    def rate_at(self, step: int) -> float:
        """The head's rate: the highest while the head learns alone, one cycle over the epochs after that."""
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
        """Move the average towards the network; early on faster, so that it forgets the start."""
        decay = min(self.recipe.ema_decay, (1 + step) / (10 + step)) if self.recipe.ema_decay else 0.0
        for mean, value in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    @torch.no_grad()
    def _share_statistics(self) -> None:
        """Batch norm counts only what its own process has seen: take the mean of all."""
        if process_group.count() == 1:
            return
        for module in (self.network, self.average):
            for value in module.buffers():
                if value.is_floating_point():
                    distributed.all_reduce(value)
                    value /= process_group.count()


class _Step(nn.Module):
    """A network's pass in training as one module, which is what torch runs in parallel."""

    def __init__(self, network: SneakerNetwork, backbone_gradients: bool) -> None:
        super().__init__()
        self.network = network
        self.backbone_gradients = backbone_gradients

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits, and those of an auxiliary head where the network has one."""
        return self.network.forward_training(images, self.backbone_gradients)


def draw_weights(data: TrainingData, recipe: Recipe) -> Tensor:
    """Sampling probability of each photo: float64 (N,), summing to 1.

    Classes are sampled in proportion to size ** `class_balance_exponent`; negatives get `negatives_share`.
    """
    counts = np.bincount(data.targets, minlength=data.classes + 1).astype(np.float64)
    share = np.where(counts > 0, np.maximum(counts, 1) ** recipe.class_balance_exponent, 0.0)
    known = share[: data.classes]
    others = recipe.negatives_share if counts[data.classes] else 0.0
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


def _optimizer(backbone: list[nn.Parameter], head: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; the head at the full rate, the backbone at its share; no decay for biases and normalisation."""
    groups = []
    for parameters, share in ((backbone, recipe.backbone_rate), (head, 1.0)):
        for decay, chosen in (
            (recipe.weight_decay, [value for value in parameters if value.ndim > 1]),
            (0.0, [value for value in parameters if value.ndim <= 1]),
        ):
            if chosen:
                groups.append({"params": chosen, "share": share, "weight_decay": decay})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)
