"""Embeddings of many photos from a frozen network: computed once, by all processes together, and cached."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn import functional

from sneaker_core import process_group
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.networks.precision import mixed_precision, training_device
from sneaker_core.training.array_cache import ArrayCache
from sneaker_core.training.augmentation import random_views
from sneaker_core.training.recipe import Recipe

_BATCH = 32

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Views:
    """Views of a photo that are embedded: the whole photo, its mirror image, and random crops.

    Attributes
    ----------
    size : int
        Input height and width of the network, in pixels.
    crops : int
        Number of random crops.
    recipe : Recipe
        Network, and strength and seed of the random crops.
    """

    size: int
    crops: int
    recipe: Recipe

    @property
    def count(self) -> int:
        """Number of views per photo."""
        return 2 + self.crops

    def of(self, photos: Tensor, rng: Generator) -> Iterator[Tensor]:
        """Yield the views of photos (B, 3, H, W), each (B, 3, size, size)."""
        whole = functional.interpolate(photos, (self.size, self.size), mode="bilinear", antialias=True)
        yield whole
        yield whole.flip(3)
        for _ in range(self.crops):
            yield random_views(photos, self.size, self.recipe, rng)


def embed_photos(
    network: SneakerNetwork,
    names: Sequence[str],
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    views: Views,
    workspace: Path,
    progress: Progress = lambda done: None,
) -> NDArray[np.float16]:
    """Embed several views of each photo, or read the embeddings from the cache.

    Parameters
    ----------
    network : SneakerNetwork
    names : sequence of str
        Sample names of the photos, (N,).
    pixels : uint8 array (P, H, W, 3)
    rows : int64 array (N,)
        Rows of `pixels` to embed.
    views : Views
    workspace : Path
    progress : callable, optional
        Called with the number of photos done.

    Returns
    -------
    float16 array (N, V, D)
        Memory-mapped; views in the order of `Views.of`.
    """
    cache = ArrayCache(workspace, "embeddings")
    recipe = views.recipe
    crop_settings = (recipe.crop, recipe.rotation, recipe.horizontal_flip, recipe.seed) if views.crops else ()
    key = cache.key(_fingerprint(network), pixels.shape[1], views.size, views.crops, crop_settings, *names)
    stored = cache.read(key)
    if not all(process_group.gather(stored is not None)):
        parts = _embed_batches(network, pixels, rows, views, progress)
        if process_group.count() > 1:
            # Every process briefly holds all embeddings; one per machine writes them.
            combined = np.empty((len(rows), views.count, network.embedding_size), np.float16)
            for first, own in enumerate(process_group.gather(list(parts))):
                for number, part in enumerate(own):
                    start = (first + number * process_group.count()) * _BATCH
                    combined[start : start + len(part)] = part
            parts = iter([combined])
        if process_group.local_rank() == 0:
            cache.write(key, parts, (views.count, network.embedding_size), np.float16, {})
        process_group.wait_for_all()
        stored = cache.read(key)
    assert stored is not None
    return stored[0]


def _fingerprint(network: SneakerNetwork) -> str:
    """Hash of the backbone's weights."""
    digest = hashlib.sha256()
    for name, value in network.backbone.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.inference_mode()
def _embed_batches(
    network: SneakerNetwork, pixels: NDArray[np.uint8], rows: NDArray[np.int64], views: Views, progress: Progress
) -> Iterator[NDArray[Any]]:
    """Yield the batches of this process, (B, V, D) each."""
    device = training_device()
    preprocessing = views.recipe.preprocessing(views.size)
    network.to(device).eval()
    for start in range(process_group.rank() * _BATCH, len(rows), process_group.count() * _BATCH):
        # Each batch has its own generator, so the result does not depend on the number of processes.
        rng = Generator().manual_seed(views.recipe.seed * 1_000_003 + start)
        chosen = rows[start : start + _BATCH]
        photos = torch.from_numpy(pixels[chosen]).to(device).permute(0, 3, 1, 2).float()
        embeddings = []
        for view in views.of(photos, rng):
            images = preprocessing.standardize(view.permute(0, 2, 3, 1))
            with mixed_precision(device.type):
                embeddings.append(network.embed(images.contiguous(memory_format=torch.channels_last)).float().cpu())
        yield torch.stack(embeddings, 1).half().numpy()
        progress(start + len(chosen))
