"""The quick way: the head alone learns, from embeddings that were worked out once."""

import math
import time
from collections.abc import Iterator

import torch
from torch import Generator, Tensor
from torch.nn import functional

from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.training.loop import EpochReport, TrainingData, draw_weights, one_cycle
from sneaker_core.training.recipe import Recipe

# Beside the photo as it is: its mirror image and this many random crops.
CROPPED_VIEWS = 2


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
    targets = torch.from_numpy(data.targets)
    weights = draw_weights(data, recipe)
    steps = max(1, len(targets) // recipe.batch)
    optimizer = torch.optim.AdamW(network.head.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    rng = Generator().manual_seed(recipe.seed)
    for epoch in range(recipe.epochs):
        started, losses, right, rate = time.perf_counter(), 0.0, 0, 0.0
        network.head.train()
        for step in range(steps):
            rate = recipe.learning_rate * one_cycle((epoch + step / steps) / recipe.epochs, recipe.warmup)
            optimizer.param_groups[0]["lr"] = rate
            chosen = torch.multinomial(weights, recipe.batch, replacement=True, generator=rng)
            view = torch.randint(views.shape[1], (recipe.batch,), generator=rng)
            logits = network.head(views[chosen, view].float())
            loss = functional.cross_entropy(logits, targets[chosen], label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses += float(loss.detach())
            right += int((logits.argmax(1) == targets[chosen]).sum())
        network.eval()
        seen, seconds = steps * recipe.batch, time.perf_counter() - started
        yield EpochReport(epoch + 1, losses / steps, right / seen, rate, seen / max(seconds, math.ulp(1.0)), seconds)
