"""Where a network looks on the whole: mean maps of many photos, of each class, where it is right and where it is wrong.

Photos are fitted to one size, so places add up as far as sneakers stand alike in their photos; the mean photo, which
comes along, shows how far that is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from sneaker_core import images
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.inference.explanation.attributions import Maps, attribute
from sneaker_core.inference.explanation.explanation_request import MEAN_OF, Method
from sneaker_core.inference.explanation.heat_maps import hottest_place
from sneaker_core.networks.checkpoint import SneakerModel

_BATCH = 8


@dataclass
class MeanMap:
    """The mean map of photos of one class.

    Attributes
    ----------
    label : str
    right : bool
        Whether it is of photos that were answered right; else of those that were taken for another class.
    heat : float32 array (H, W)
        Mean of the photos' maps, each 0 to 1, of the class that was answered.
    picture : uint8 array (H, W, 3)
        Mean of the photos.
    n : int
        Photos in the mean; 0 leaves `heat` and `picture` all zero.
    of : int
        Photos there are, of which `n` were drawn.
    rejected : dict of str to str
        Path -> why it could not be read.
    """

    label: str
    right: bool
    heat: Maps
    picture: NDArray[np.uint8]
    n: int
    of: int
    rejected: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The ninth of the photo that is hottest, for people: "centre left"."""
        return hottest_place(self.heat)[0]


def mean_maps(
    model: SneakerModel,
    table: pd.DataFrame,
    labels: Sequence[str],
    method: Method = Method.GRADCAM,
    layer: str | None = None,
    cap: int = MEAN_OF,
    seed: int = 0,
    report: Callable[..., None] = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[MeanMap]:
    """Mean maps over the photos of classes that were answered right, and over those that were not.

    Each photo's map is of the class that was answered: of a wrong one it tells what misled the network.

    Parameters
    ----------
    model : SneakerModel
        The one that made the table.
    table : DataFrame
        A prediction table: columns sample, path, label, predicted. Rows without a photo on this machine are left out.
    labels : sequence of str
    method, layer
        As in `attribute`.
    cap : int
        At most so many photos for each mean, drawn by seed.
    seed : int
    report : callable, optional
        Called with photos done, photos to do and what is being done.
    stopped : callable, optional
        Asked after each few photos; what has been summed up until then is returned.

    Returns
    -------
    list of MeanMap
        Two for each label, in order: right, then wrong.

    Raises
    ------
    DatasetError
        No photo of these classes is on this machine.
    SneakerError
        There is no such layer.
    """
    groups = [
        (label, right, table[(table["label"] == label) & ((table["predicted"] == label) == right)])
        for label in labels
        for right in (True, False)
    ]
    drawn = [(label, right, *_drawn(rows, cap, seed)) for label, right, rows in groups]
    total = sum(len(rows) for _, _, rows, _ in drawn)
    if total == 0:
        raise DatasetError("The photos of these classes are not on this machine, so there is nothing to look at.")
    means, done = [], 0
    for label, right, rows, count in drawn:
        mean = _Mean(model)
        for start in range(0, len(rows), _BATCH):
            if stopped():
                break
            part = rows.iloc[start : start + _BATCH]
            mean.add(list(part["path"]), list(part["predicted"]), method, layer)
            done += len(part)
            report(done, total, "Explaining photos")
        means.append(mean.result(label, right, count))
    return means


def _drawn(rows: pd.DataFrame, cap: int, seed: int) -> tuple[pd.DataFrame, int]:
    """At most so many of the rows whose photo is here, and how many of those there are."""
    here = rows[[isinstance(path, str) and Path(path).is_file() for path in rows["path"]]]
    return (here if len(here) <= cap else here.sample(cap, random_state=seed)), len(here)


class _Mean:
    """Sums of maps and photos."""

    def __init__(self, model: SneakerModel) -> None:
        self.model = model
        size = (model.spec.preprocessing.height, model.spec.preprocessing.width)
        self.heat = np.zeros(size)
        self.picture = np.zeros((*size, 3))
        self.n = 0
        self.rejected: dict[str, str] = {}

    def add(self, paths: Sequence[str], targets: Sequence[str], method: Method, layer: str | None) -> None:
        photos, asked = [], []
        for path, target in zip(paths, targets, strict=True):
            try:
                photos.append(images.load(Path(path), shrink_to=self.model.spec.preprocessing.shrink_to))
                asked.append(target)
            except ImageError as error:
                self.rejected[path] = str(error)
        self.heat += attribute(self.model, photos, asked, method, layer=layer).sum(0)
        self.picture += _summed(self.model, photos)
        self.n += len(photos)

    def result(self, label: str, right: bool, count: int) -> MeanMap:
        shared = max(self.n, 1)
        heat = (self.heat / shared).astype(np.float32)
        return MeanMap(label, right, heat, (self.picture / shared).astype(np.uint8), self.n, count, self.rejected)


def _summed(model: SneakerModel, photos: Sequence[Image.Image]) -> NDArray[Any]:
    return sum((model.spec.preprocessing.resize(photo).astype(float) for photo in photos), np.zeros(()))
