"""Head-only training: the head learns from embeddings that are computed once."""

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
from sneaker_core.training.frozen_embeddings import Views, embed_photos
from sneaker_core.training.prepared_photos import PreparedPhotos, Progress
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trainer import EpochReport, TrainingData, one_cycle, sampling_weights

# Random crops per photo, in addition to the whole photo and its mirror image.
CROPPED_VIEWS = 2


def embed_views(
    network: SneakerNetwork,
    photos: PreparedPhotos,
    rows: NDArray[np.int64],
    crops: int,
    recipe: Recipe,
    workspace: Path,
    progress: Progress,
) -> Tensor:
    """Embed several views of each photo: float16 tensor (N, V, D).

    Parameters
    ----------
    network : SneakerNetwork
        Moved to the CPU afterwards.
    photos : PreparedPhotos
    rows : int64 array (N,)
        Rows of `photos.samples`.
    crops : int
        Random crops per photo, in addition to the whole photo and its mirror image.
    recipe : Recipe
    workspace : Path
    progress : callable
    """

    def on_progress(done: int) -> None:
        progress(done, len(rows), "Embedding photos")

    names = list(photos.samples["sample"].iloc[rows])
    views = Views(recipe.size, crops, recipe)
    embeddings = embed_photos(network, names, photos.pixels, rows, views, workspace, on_progress)
    network.cpu()
    return torch.from_numpy(np.array(embeddings))


@torch.inference_mode()
def head_logits(network: SneakerNetwork, views: Tensor) -> NDArray[np.float32]:
    """Logits (N, outputs) of the head, averaged over the views (N, V, D) of each photo."""
    logits = network.head(views.float().flatten(0, 1)).view(*views.shape[:2], -1).mean(1)
    return np.asarray(logits.numpy(), dtype=np.float32)


class HeadTraining:
    """State of a head-only training.

    Parameters
    ----------
    network : SneakerNetwork
        Its head is changed in place.
    views : float tensor (N, V, D)
        Embeddings of several views of the training photos.
    data : TrainingData
    recipe : Recipe
    """

    def __init__(self, network: SneakerNetwork, views: Tensor, data: TrainingData, recipe: Recipe) -> None:
        self.head = network.head
        self.views = views
        self.targets = torch.from_numpy(data.targets)
        self.weights = sampling_weights(data, recipe)
        self.recipe = recipe
        self.rng = Generator().manual_seed(recipe.seed)
        self.optimizer = torch.optim.AdamW(self.head.parameters(), weight_decay=recipe.weight_decay)

    def step(self, rate: float) -> tuple[float, int]:
        """Train on one batch at a learning rate; returns the loss and the number of correct predictions."""
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
    """Train the head of a network with a frozen backbone; yields a report after every epoch.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place; in evaluation mode whenever a report is yielded.
    views : float tensor (N, V, D)
        Embeddings of several views of the training photos.
    data : TrainingData
    recipe : Recipe
    """
    training = HeadTraining(network, views, data, recipe)
    steps = max(1, len(data.targets) // recipe.batch)
    for epoch in range(recipe.epochs):
        started, losses, correct, rate = time.perf_counter(), 0.0, 0, 0.0
        network.head.train()
        for step in range(steps):
            rate = recipe.learning_rate * one_cycle((epoch + step / steps) / recipe.epochs, recipe.warmup)
            loss, hits = training.step(rate)
            losses, correct = losses + loss, correct + hits
        network.eval()
        seen, seconds = steps * recipe.batch, time.perf_counter() - started
        yield EpochReport(epoch + 1, losses / steps, correct / seen, rate, seen / max(seconds, math.ulp(1.0)), seconds)
