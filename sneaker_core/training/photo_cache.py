"""Photo cache: photos are decoded and resized once, and stored as uint8 arrays that every training maps."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core import images
from sneaker_core.errors import ImageError
from sneaker_core.networks.preprocessing import resized
from sneaker_core.training.array_cache import ArrayCache

_CHUNK = 256
# Part of the key: raise it when photos are decoded or resized differently.
_VERSION = 1


@dataclass(frozen=True)
class LoadedPhotos:
    """Decoded photos, and the files that could not be read.

    Attributes
    ----------
    pixels : uint8 array (N, H, W, 3)
        The readable photos, in the requested order; memory-mapped, read-only.
    readable : bool array (M,)
        Which of the M requested samples could be read.
    rejected : dict of str to str
        Path -> why it could not be read.
    """

    pixels: NDArray[np.uint8]
    readable: NDArray[np.bool_]
    rejected: dict[str, str]


def load_photos(
    samples: pd.DataFrame, size: int, workspace: Path, progress: Callable[[int], None] = lambda done: None
) -> LoadedPhotos:
    """Decode photos and resize them to size x size pixels, or read them from the cache.

    Parameters
    ----------
    samples : DataFrame
        Columns sample (identifies the file's contents) and path.
    size : int
        Height and width of the result, in pixels.
    workspace : Path
    progress : callable, optional
        Called with the number of photos done.

    Raises
    ------
    SpaceError
        The disk is full.
    """
    cache = ArrayCache(workspace, "photos")
    names, paths = list(samples["sample"]), list(samples["path"])
    key = cache.key(_VERSION, size, *names)
    stored = cache.read(key)
    if stored is None or any(
        name in stored[1]["rejected"] and _is_readable(path) for name, path in zip(names, paths, strict=True)
    ):
        about: dict[str, dict[str, str]] = {"rejected": {}}
        parts = _decoded(names, paths, size, about["rejected"], progress)
        stored = cache.write(key, parts, (size, size, 3), np.uint8, about)
    pixels, about = stored
    rejected: dict[str, str] = about["rejected"]
    return LoadedPhotos(
        pixels=pixels,
        readable=np.array([name not in rejected for name in names], dtype=np.bool_),
        rejected={path: rejected[name] for name, path in zip(names, paths, strict=True) if name in rejected},
    )


def _is_readable(path: str) -> bool:
    """Whether a rejected photo can be read now: its disk may be back, or a limit may have been raised."""
    try:
        images.load(Path(path))
    except ImageError:
        return False
    return True


def _decoded(
    names: Sequence[str], paths: Sequence[str], size: int, rejected: dict[str, str], progress: Callable[[int], None]
) -> Iterator[NDArray[np.uint8]]:
    """Yield the readable photos in chunks; adds the others to `rejected`, by name."""

    def load(path: str) -> NDArray[np.uint8] | str:
        try:
            return resized(images.load(Path(path), shrink_to=2 * size), size, size)
        except ImageError as error:
            return str(error)

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), _CHUNK):
            results = list(pool.map(load, paths[start : start + _CHUNK]))
            rejected.update({names[start + n]: why for n, why in enumerate(results) if isinstance(why, str)})
            readable = [result for result in results if not isinstance(result, str)]
            if readable:
                yield np.stack(readable)
            progress(start + len(results))
