"""The quick way: embed every photo once with a frozen backbone, then train the head alone in seconds."""

import time
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.arithmetic import fast_arithmetic
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.augmentation import random_views
from sneaker_core.training.loop import EpochReport, TrainingData, draw_weights, one_cycle
from sneaker_core.training.recipe import Recipe

_EMBED_BATCH = 32
# Beside the photo as it is: its mirror image and this many random crops.
_CROPPED_VIEWS = 2


@torch.inference_mode()
def embed_views(network: SneakerNetwork, data: TrainingData, recipe: Recipe) -> Tensor:
    """Embed each photo as it is, mirrored and cropped.

    Returns
    -------
    float tensor (V, N, D)
        V views of N photos.
    """
    preprocessing = Preprocessing(recipe.size, recipe.size)
    rng = Generator().manual_seed(recipe.seed)
    network.eval()
    parts = []
    for start in range(0, len(data.pixels), _EMBED_BATCH):
        pixels = torch.from_numpy(data.pixels[start : start + _EMBED_BATCH])
        photos = pixels.permute(0, 3, 1, 2).float()
        whole = functional.interpolate(photos, (recipe.size, recipe.size), mode="bilinear", antialias=True)
        crops = [random_views(photos, recipe.size, recipe, rng) for _ in range(_CROPPED_VIEWS)]
        views = []
        for view in (whole, whole.flip(3), *crops):
            images = preprocessing.standardise(view.permute(0, 2, 3, 1))
            with fast_arithmetic():
                views.append(network.embed(images.contiguous(memory_format=torch.channels_last)).float())
        parts.append(torch.stack(views))
    return torch.cat(parts, dim=1)


def train_head(
    network: SneakerNetwork, data: TrainingData, recipe: Recipe, report: Callable[[EpochReport], None]
) -> SneakerNetwork:
    """Train the head of a network whose backbone stays as it is.

    Parameters
    ----------
    network : SneakerNetwork
        Changed in place and returned.
    data : TrainingData
    recipe : Recipe
    report : callable
        Called after every epoch.
    """
    views = embed_views(network, data, recipe).clone()
    targets = torch.from_numpy(data.targets)
    weights = draw_weights(data, recipe)
    steps = max(1, len(targets) // recipe.batch)
    optimizer = torch.optim.AdamW(network.head.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    rng = Generator().manual_seed(recipe.seed)
    for epoch in range(recipe.epochs):
        started, losses, right, rate = time.perf_counter(), 0.0, 0, 0.0
        for step in range(steps):
            rate = recipe.learning_rate * one_cycle((epoch + step / steps) / recipe.epochs, recipe.warmup)
            optimizer.param_groups[0]["lr"] = rate
            chosen = torch.multinomial(weights, recipe.batch, replacement=True, generator=rng)
            view = torch.randint(len(views), (recipe.batch,), generator=rng)
            logits = network.head(views[view, chosen])
            loss = functional.cross_entropy(logits, targets[chosen], label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses += float(loss.detach())
            right += int((logits.argmax(1) == targets[chosen]).sum())
        seen = steps * recipe.batch
        speed = seen / (time.perf_counter() - started)
        report(EpochReport(epoch + 1, losses / steps, right / seen, rate, speed))
    return network.eval()
