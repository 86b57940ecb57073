"""Embeddings of many photos by a network that stays as it is: worked out once, shared out among processes, kept."""

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
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.array_cache import ArrayCache
from sneaker_core.training.augmentation import random_views
from sneaker_core.training.recipe import Recipe

_BATCH = 32

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Views:
    """In which views photos are embedded: as they are, mirrored, and cropped at random.

    Attributes
    ----------
    size : int
        Pixels a side that the network sees.
    crops : int
        How many random crops beside the whole photo and its mirror image.
    recipe : Recipe
        Says how far crops go, and from which seed.
    """

    size: int
    crops: int
    recipe: Recipe

    @property
    def count(self) -> int:
        """Views of each photo."""
        return 2 + self.crops

    def of(self, photos: Tensor, rng: Generator) -> Iterator[Tensor]:
        """The views of photos (B, 3, H, W), each (B, 3, size, size)."""
        whole = functional.interpolate(photos, (self.size, self.size), mode="bilinear", antialias=True)
        yield whole
        yield whole.flip(3)
        for _ in range(self.crops):
            yield random_views(photos, self.size, self.recipe, rng)


def embed(
    network: SneakerNetwork,
    names: Sequence[str],
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    views: Views,
    workspace: Path,
    progress: Progress = lambda done: None,
) -> NDArray[np.float16]:
    """Embed photos in several views, or take them from the file where that was done before.

    Parameters
    ----------
    network : SneakerNetwork
    names : sequence of str
        Of the chosen photos' bytes, (N,).
    pixels : uint8 array (P, H, W, 3)
    rows : int64 array (N,)
        Which of the pixels are meant.
    views : Views
    workspace : Path
    progress : callable, optional
        Called with the number of photos done.

    Returns
    -------
    float16 array (N, V, D)
        Mapped from a file; the views as `Views.of` gives them.
    """
    cache = ArrayCache(workspace, "embeddings")
    recipe = views.recipe
    changes = (recipe.crop, recipe.rotation, recipe.horizontal_flip, recipe.seed) if views.crops else ()
    key = cache.key(_fingerprint(network), pixels.shape[1], views.size, views.crops, changes, *names)
    kept = cache.read(key)
    if not all(process_group.of_all(kept is not None)):
        parts = _embedded(network, pixels, rows, views, progress)
        if process_group.count() > 1:
            # Everyone holds all of it for a moment; one process a machine writes it down.
            together = np.empty((len(rows), views.count, network.embedding_size), np.float16)
            for first, own in enumerate(process_group.of_all(list(parts))):
                for number, part in enumerate(own):
                    start = (first + number * process_group.count()) * _BATCH
                    together[start : start + len(part)] = part
            parts = iter([together])
        if process_group.local_rank() == 0:
            cache.write(key, parts, (views.count, network.embedding_size), np.float16, {})
        process_group.wait_for_all()
        kept = cache.read(key)
    assert kept is not None
    return kept[0]


def _fingerprint(network: SneakerNetwork) -> str:
    """A name for what the backbone computes."""
    digest = hashlib.sha256()
    for name, value in network.backbone.state_dict().items():
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.inference_mode()
def _embedded(
    network: SneakerNetwork, pixels: NDArray[np.uint8], rows: NDArray[np.int64], views: Views, progress: Progress
) -> Iterator[NDArray[Any]]:
    """Batches of this process, (B, V, D) each."""
    device = training_device()
    preprocessing = Preprocessing(views.size, views.size)
    network.to(device).eval()
    for start in range(process_group.rank() * _BATCH, len(rows), process_group.count() * _BATCH):
        # A batch has a generator of its own, so that it is the same whichever process works on it.
        rng = Generator().manual_seed(views.recipe.seed * 1_000_003 + start)
        chosen = rows[start : start + _BATCH]
        photos = torch.from_numpy(pixels[chosen]).to(device).permute(0, 3, 1, 2).float()
        embedded = []
        for view in views.of(photos, rng):
            images = preprocessing.standardise(view.permute(0, 2, 3, 1))
            with mixed_precision(device.type):
                embedded.append(network.embed(images.contiguous(memory_format=torch.channels_last)).float().cpu())
        yield torch.stack(embedded, 1).half().numpy()
        progress(start + len(chosen))
