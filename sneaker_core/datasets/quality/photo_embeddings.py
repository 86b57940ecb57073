"""What the bundled network sees in each photo: the base for wrong labels, outliers, copies and the map."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sneaker_core import images
from sneaker_core.errors import ImageError
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.decision import ood_score, unit_length
from sneaker_core.networks.precision import mixed_precision
from sneaker_core.networks.preprocessing import Preprocessing

# Larger batches fall out of the processor's cache: 8 photos go through 1.5 to 2 times as fast as 64.
_BATCH = 8
_AHEAD = 3  # batches that are decoded before they are asked for


@dataclass(frozen=True)
class Seen:
    """What the network saw in some photos.

    Attributes
    ----------
    readable : list of int
        Positions, among the paths asked for, of the photos below.
    vectors : float32 array (n, D)
        Unit embeddings, averaged over each photo and its mirror image.
    ood_scores : float32 array (n,)
        How unlike a sneaker that the network knows: see `decision.ood_score`.
    """

    readable: list[int]
    vectors: NDArray[np.float32]
    ood_scores: NDArray[np.float32]


def embed_photos(model: SneakerModel, paths: Sequence[str]) -> Iterator[Seen]:
    """Embed photos a few at a time, in order; photos that cannot be read any more are passed over.

    Parameters
    ----------
    model : SneakerModel
    paths : sequence of str
    """
    preprocessing = _as_trained(model.spec)

    def load(start: int) -> tuple[list[int], list[NDArray[np.uint8]]]:
        kept, pixels = [], []
        for position in range(start, min(start + _BATCH, len(paths))):
            try:
                photo = images.load(Path(paths[position]), shrink_to=preprocessing.shrink_to)
            except ImageError:
                continue
            kept.append(position)
            pixels.append(preprocessing.resize(photo))
        return kept, pixels

    starts = iter(range(0, len(paths), _BATCH))
    with ThreadPoolExecutor(1) as pool:
        ahead: list[Future[tuple[list[int], list[NDArray[np.uint8]]]]] = []
        while True:
            ahead += [pool.submit(load, start) for _, start in zip(range(_AHEAD - len(ahead)), starts, strict=False)]
            if not ahead:
                return
            kept, pixels = ahead.pop(0).result()
            if kept:
                yield _see(model, kept, np.stack(pixels))


def _as_trained(spec: ModelSpec) -> Preprocessing:
    """At the size of training: answers gain a little from larger photos, which take a third longer; this does not."""
    size = spec.recipe.get("size")
    return replace(spec.preprocessing, height=size, width=size) if isinstance(size, int) else spec.preprocessing


def _see(model: SneakerModel, kept: list[int], pixels: NDArray[np.uint8]) -> Seen:
    with mixed_precision():
        outputs = model.outputs(model.spec.preprocessing.standardise(torch.from_numpy(pixels)))
    ood_scores = ood_score(outputs, model.references, model.spec.decision)
    return Seen(kept, unit_length(outputs.embeddings), np.asarray(ood_scores, dtype=np.float32))
