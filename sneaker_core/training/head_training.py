"""The quick way: the head alone learns, from embeddings that were worked out once."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.training.frozen_embeddings import Views, embed
from sneaker_core.training.prepared_data import Materials, Progress
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trainer import EpochReport, TrainingData, draw_weights, one_cycle

# Beside the photo as it is: its mirror image and this many random crops.
CROPPED_VIEWS = 2


def embedded_views(
    network: SneakerNetwork,
    materials: Materials,
    rows: NDArray[np.int64],
    crops: int,
    recipe: Recipe,
    workspace: Path,
    progress: Progress,
) -> Tensor:
    """Embeddings of some of the photos in several views: float16 (N, V, D).

    Parameters
    ----------
    network : SneakerNetwork
        On the processor afterwards.
    materials : Materials
    rows : int64 array (N,)
        Rows of the materials' samples.
    crops : int
        Random crops beside the whole photo and its mirror image.
    recipe : Recipe
    workspace : Path
    progress : callable
    """

    def told(done: int) -> None:
        progress(done, len(rows), "Embedding photos")

    names = list(materials.samples["sample"].iloc[rows])
    array = embed(network, names, materials.pixels, rows, Views(recipe.size, crops, recipe), workspace, told)
    network.cpu()
    return torch.from_numpy(np.array(array))


@torch.inference_mode()
def head_logits(network: SneakerNetwork, views: Tensor) -> NDArray[np.float32]:
    """Logits (N, outputs) of a head, averaged over the views (N, V, D) of each photo."""
    logits = network.head(views.float().flatten(0, 1)).view(*views.shape[:2], -1).mean(1)
    return np.asarray(logits.numpy(), dtype=np.float32)


class HeadTraining:
    """The head of a network in training.

    Parameters
    ----------
    network : SneakerNetwork
        Its head is changed in place.
    views : float tensor (N, V, D)
        Embeddings of the training photos in several views.
    data : TrainingData
    recipe : Recipe
    """

    def __init__(self, network: SneakerNetwork, views: Tensor, data: TrainingData, recipe: Recipe) -> None:
        self.head = network.head
        self.views = views
        self.targets = torch.from_numpy(data.targets)
        self.weights = draw_weights(data, recipe)
        self.recipe = recipe
        self.rng = Generator().manual_seed(recipe.seed)
        self.optimizer = torch.optim.AdamW(self.head.parameters(), weight_decay=recipe.weight_decay)

    def step(self, rate: float) -> tuple[float, int]:
        """One batch at a learning rate; gives the loss and how many photos were answered right."""
        batch, rng = self.recipe.batch, self.rng
        self.optimizer.param_groups[0]["lr"] = rate
        chosen = torch.multinomial(self.weights, batch, replacement=True, generator=rng)
        view = torch.randint(self.views.shape[1], (batch,), generator=rng)
        logits, targets = self.head(self.views[chosen, view].float()), self.targets[chosen]
        loss = functional.cross_entropy(logits, targets, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return float(loss.detach()), int((logits.argmax(1) == targets).sum())


def train_head(network: SneakerNetwork, views: Tensor, data: TrainingData, recipe: Recipe) -> Iterator[EpochReport]:
    """Train the head of a network whose backbone stays as it is; gives a report after every epoch.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place; in evaluation mode whenever a report is given.
    views : float tensor (N, V, D)
        Embeddings of the training photos in several views.
    data : TrainingData
    recipe : Recipe
    """
    training = HeadTraining(network, views, data, recipe)
    steps = max(1, len(data.targets) // recipe.batch)
    for epoch in range(recipe.epochs):
        started, losses, right, rate = time.perf_counter(), 0.0, 0, 0.0
        network.head.train()
        for step in range(steps):
            rate = recipe.learning_rate * one_cycle((epoch + step / steps) / recipe.epochs, recipe.warmup)
            loss, hits = training.step(rate)
            losses, right = losses + loss, right + hits
        network.eval()
        seen, seconds = steps * recipe.batch, time.perf_counter() - started
        yield EpochReport(epoch + 1, losses / steps, right / seen, rate, seen / max(seconds, math.ulp(1.0)), seconds)
