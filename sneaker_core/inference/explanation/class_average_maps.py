"""Class-average attribution maps: the mean map of many photos of a class, separately for right and wrong predictions.

Photos are resized to one size, so the average is meaningful only if the sneakers have similar positions in the photos.
The average photo, which is computed too, shows how similar they are.
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
from sneaker_core.inference.explanation.explanation_request import CLASS_AVERAGE_PHOTOS, Method
from sneaker_core.inference.explanation.heat_maps import strongest_area
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.workspace.clean_names import clean_name

_BATCH = 8


@dataclass
class ClassAverageMap:
    """The average map of photos of one class.

    Attributes
    ----------
    label : str
    right : bool
        Whether it averages photos that were predicted correctly; otherwise those predicted as another class.
    heat : float32 array (H, W)
        Mean of the photos' maps for their predicted class, each 0 to 1.
    picture : uint8 array (H, W, 3)
        Mean of the photos, at the network's input size.
    count : int
        Number of photos averaged; if 0, `heat` and `picture` are all zero.
    available : int
        Number of photos on this machine; `count` and `rejected` are a sample of them.
    rejected : dict of str to str
        Path -> why the photo couldn't be read.
    """

    label: str
    right: bool
    heat: Maps
    picture: NDArray[np.uint8]
    count: int
    available: int
    rejected: dict[str, str] = field(default_factory=dict)

    @property
    def area(self) -> str:
        """The area where the map is strongest, for example "center left"."""
        return strongest_area(self.heat)[0]


def class_average_maps(
    model: SneakerModel,
    table: pd.DataFrame,
    labels: Sequence[str],
    method: Method = Method.GRADCAM,
    layer: str | None = None,
    cap: int = CLASS_AVERAGE_PHOTOS,
    seed: int = 0,
    report: Callable[..., None] = lambda done, total, step: None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[ClassAverageMap]:
    """Average maps of classes, over photos that were predicted correctly and over those that were not.

    Each photo is explained for its predicted class, so for wrong predictions the map shows what misled the network.

    Parameters
    ----------
    model : SneakerModel
        The model that made the table.
    table : DataFrame
        A prediction table with columns path, label, predicted. Rows without a photo on this machine are skipped.
    labels : sequence of str
    method, layer
        As in `attribute`.
    cap : int
        Maximum number of photos per map, sampled with the seed.
    seed : int
    report : callable, optional
        Called with the number of photos done, the total, and a description of the step.
    stopped : callable, optional
        Called before each batch; if it returns True, the averages so far are returned.

    Returns
    -------
    list of ClassAverageMap
        Two per label, in order: right, then wrong.

    Raises
    ------
    DatasetError
        None of the photos of these classes is on this machine.
    SneakerError
        There is no such layer.
    """
    groups = [
        (label, right, table[(table["label"] == label) & ((table["predicted"] == label) == right)])
        for label in map(clean_name, labels)
        for right in (True, False)
    ]
    sampled = [(label, right, *_sample(rows, cap, seed)) for label, right, rows in groups]
    total = sum(len(rows) for _, _, rows, _ in sampled)
    if total == 0:
        raise DatasetError("None of the photos of these classes is on this machine.")
    maps, done = [], 0
    for label, right, rows, available in sampled:
        average = _Average(model)
        for start in range(0, len(rows), _BATCH):
            if stopped():
                break
            part = rows.iloc[start : start + _BATCH]
            average.add(list(part["path"]), list(part["predicted"]), method, layer)
            done += len(part)
            report(done, total, "Explaining photos")
        maps.append(average.result(label, right, available))
    return maps


def _sample(rows: pd.DataFrame, cap: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Up to `cap` of the rows whose photo is on this machine, and the number of such rows."""
    here = rows[[isinstance(path, str) and Path(path).is_file() for path in rows["path"]]]
    return (here if len(here) <= cap else here.sample(cap, random_state=seed)), len(here)


class _Average:
    """Running sums of maps and photos."""

    def __init__(self, model: SneakerModel) -> None:
        self.model = model
        size = (model.spec.preprocessing.height, model.spec.preprocessing.width)
        self.heat = np.zeros(size)
        self.picture = np.zeros((*size, 3))
        self.count = 0
        self.rejected: dict[str, str] = {}

    def add(self, paths: Sequence[str], targets: Sequence[str], method: Method, layer: str | None) -> None:
        photos, labels = [], []
        for path, target in zip(paths, targets, strict=True):
            try:
                photos.append(images.load(Path(path), shrink_to=self.model.spec.preprocessing.shrink_to))
                labels.append(target)
            except ImageError as error:
                self.rejected[path] = str(error)
        self.heat += attribute(self.model, photos, labels, method, layer=layer).sum(0)
        self.picture += _summed(self.model, photos)
        self.count += len(photos)

    def result(self, label: str, right: bool, available: int) -> ClassAverageMap:
        divisor = max(self.count, 1)
        heat = (self.heat / divisor).astype(np.float32)
        picture = (self.picture / divisor).astype(np.uint8)
        return ClassAverageMap(label, right, heat, picture, self.count, available, self.rejected)


def _summed(model: SneakerModel, photos: Sequence[Image.Image]) -> NDArray[Any]:
    return sum((model.spec.preprocessing.resize(photo).astype(float) for photo in photos), np.zeros(()))
