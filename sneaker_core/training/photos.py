"""Photos decoded and shrunk once, kept as small uint8 arrays for the whole of a training."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sneaker_core import images
from sneaker_core.errors import ImageError
from sneaker_core.networks.preprocessing import resized


@dataclass(frozen=True)
class LoadedPhotos:
    """Photos as arrays, and the files that could not be read.

    Attributes
    ----------
    pixels : uint8 array (N, H, W, 3)
        The photos that could be read, in the order asked for.
    readable : bool array (M,)
        Which of the M paths asked for these are.
    rejected : dict of str to str
        Path -> why it could not be read.
    """

    pixels: NDArray[np.uint8]
    readable: NDArray[np.bool_]
    rejected: dict[str, str]


def load_photos(paths: Sequence[str], size: int) -> LoadedPhotos:
    """Decode photos and fit each to size x size pixels.

    Parameters
    ----------
    paths : sequence of str
    size : int
        Height and width of the result, in pixels.
    """

    def load(path: str) -> NDArray[np.uint8] | str:
        try:
            return resized(images.load(Path(path), shrink_to=2 * size), size, size)
        except ImageError as error:
            return str(error)

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(load, paths))
    pixels = [result for result in results if not isinstance(result, str)]
    return LoadedPhotos(
        pixels=np.stack(pixels) if pixels else np.empty((0, size, size, 3), np.uint8),
        readable=np.array([not isinstance(result, str) for result in results], dtype=np.bool_),
        rejected={path: result for path, result in zip(paths, results, strict=True) if isinstance(result, str)},
    )
