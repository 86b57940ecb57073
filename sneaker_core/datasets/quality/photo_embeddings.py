"""Embeddings of photos by a model: the basis for wrong labels, outliers, near-duplicates and the map."""

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

# Larger batches don't fit into the processor's cache: batches of 8 are 1.5 to 2 times as fast as batches of 64.
_BATCH = 8
_PREFETCHED = 3  # batches that are decoded in advance


@dataclass(frozen=True)
class EmbeddedPhotos:
    """Embeddings of some photos.

    Attributes
    ----------
    readable : list of int
        Positions of these photos among the paths.
    vectors : float32 array (n, D)
        Embeddings of unit length, averaged over each photo and its mirror image.
    ood_scores : float32 array (n,)
        Out-of-distribution scores; see `decision.ood_score`.
    """

    readable: list[int]
    vectors: NDArray[np.float32]
    ood_scores: NDArray[np.float32]


def embed_photos(model: SneakerModel, paths: Sequence[str]) -> Iterator[EmbeddedPhotos]:
    """Embed photo files in order, a few at a time; unreadable photos are skipped.

    Parameters
    ----------
    model : SneakerModel
    paths : sequence of str
    """
    preprocessing = _at_training_size(model.spec)

    def load(start: int) -> tuple[list[int], list[NDArray[np.uint8]]]:
        readable, pixels = [], []
        for position in range(start, min(start + _BATCH, len(paths))):
            try:
                photo = images.load(Path(paths[position]), shrink_to=preprocessing.shrink_to)
            except ImageError:
                continue
            readable.append(position)
            pixels.append(preprocessing.resize(photo))
        return readable, pixels

    starts = iter(range(0, len(paths), _BATCH))
    with ThreadPoolExecutor(1) as pool:
        pending: list[Future[tuple[list[int], list[NDArray[np.uint8]]]]] = []
        while True:
            free = range(_PREFETCHED - len(pending))
            pending += [pool.submit(load, start) for _, start in zip(free, starts, strict=False)]
            if not pending:
                return
            readable, pixels = pending.pop(0).result()
            if readable:
                yield _embed(model, readable, np.stack(pixels))


def _at_training_size(spec: ModelSpec) -> Preprocessing:
    """Preprocessing at the training size: larger photos improve predictions a little, but not this, and take longer."""
    size = spec.recipe.get("size")
    return replace(spec.preprocessing, height=size, width=size) if isinstance(size, int) else spec.preprocessing


def _embed(model: SneakerModel, readable: list[int], pixels: NDArray[np.uint8]) -> EmbeddedPhotos:
    with mixed_precision():
        outputs = model.outputs(model.spec.preprocessing.standardize(torch.from_numpy(pixels)))
    scores = ood_score(outputs, model.references, model.spec.decision)
    return EmbeddedPhotos(readable, unit_length(outputs.embeddings), np.asarray(scores, dtype=np.float32))
