"""The prediction table: one row per photo, from which every metric is computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import images, process_group
from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.quality.measures import measure
from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE, make_thumbnail
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.evaluation.photo_uses import USED_FOR
from sneaker_core.evaluation.table_columns import (
    PHOTO_PROPERTIES,
    PROBABILITY_PREFIX,
    class_columns,
    class_indices,
    ranks,
    top_classes,
)
from sneaker_core.images import DecodedPhoto
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Outputs, ood_score, probabilities, statuses

__all__ = [
    "PROBABILITY_PREFIX",
    "PhotoOutputs",
    "class_columns",
    "concatenate_outputs",
    "evaluate_photos",
    "prediction_table",
    "read_outputs",
    "run_on_photos",
]

_BATCH = 32


@dataclass(frozen=True)
class PhotoOutputs:
    """A model's outputs for photo files, and the properties of the photos.

    Attributes
    ----------
    outputs : Outputs
        One row per photo that could be read, in order.
    properties : DataFrame
        Of the same photos: width and height (in pixels, after EXIF orientation), brightness and sharpness (0 to 1).
    rejected : dict of str to str
        Path -> why the photo could not be read.
    """

    outputs: Outputs
    properties: pd.DataFrame
    rejected: dict[str, str]


def run_on_photos(
    model: SneakerModel,
    paths: Sequence[str],
    progress: Callable[[int], None] = lambda done: None,
    *,
    with_measures: bool = True,
) -> PhotoOutputs:
    """Run a model on photo files. In a process group each process reads its share, and all get the whole result.

    Parameters
    ----------
    model : SneakerModel
    paths : sequence of str
    progress : callable, optional
        Called with the number of photos done.
    with_measures : bool
        Whether to measure brightness and sharpness as well; they are nan otherwise.

    Raises
    ------
    DatasetError
        None of the photos could be read.
    """
    own = range(process_group.rank(), len(paths), process_group.count())
    parts: list[Outputs] = []
    properties: list[tuple[float, ...]] = []
    rejected, rows = {}, []
    for start in range(0, len(own), _BATCH):
        readable: list[Image.Image] = []
        for row in own[start : start + _BATCH]:
            try:
                photo = images.load_photo(Path(paths[row]), shrink_to=model.spec.preprocessing.shrink_to)
                properties.append(_properties(Path(paths[row]), photo, with_measures))
            except ImageError as error:
                rejected[paths[row]] = str(error)
                continue
            readable.append(photo.image)
            rows.append(row)
        if readable:
            parts.append(model.outputs(model.spec.preprocessing(readable)))
        progress(min((start + _BATCH) * process_group.count(), len(paths)))
    return _gathered(rows, parts, properties, rejected)


def _gathered(
    rows: list[int], parts: list[Outputs], properties: list[tuple[float, ...]], rejected: dict[str, str]
) -> PhotoOutputs:
    """The results of all processes, in the order of the photos."""
    everyone = process_group.gather((rows, parts, properties, rejected))
    outputs = [part for _, theirs, *_ in everyone for part in theirs]
    if not outputs:
        raise DatasetError("None of the photos could be read.")
    order = np.argsort([row for theirs, *_ in everyone for row in theirs])
    table = pd.DataFrame([row for *_, theirs, _ in everyone for row in theirs], columns=list(PHOTO_PROPERTIES))
    return PhotoOutputs(
        concatenate_outputs(outputs).take(order),
        table.iloc[order].reset_index(drop=True),
        {path: reason for *_, theirs in everyone for path, reason in theirs.items()},
    )


def _properties(path: Path, photo: DecodedPhoto, with_measures: bool) -> tuple[float, ...]:
    """The values of the columns `PHOTO_PROPERTIES`; brightness and sharpness are measured on the thumbnail."""
    if not with_measures:
        return (photo.width, photo.height, np.nan, np.nan)
    picture = photo.image
    if max(picture.size) < min(THUMBNAIL_SIDE, max(photo.width, photo.height)):
        # The network's input is smaller than a thumbnail, so the photo is decoded again.
        picture = images.load(path, shrink_to=2 * THUMBNAIL_SIDE)
    measures = measure(images.decode(make_thumbnail(picture)))
    return (photo.width, photo.height, measures.brightness, measures.sharpness)


def read_outputs(
    model: SneakerModel, paths: Sequence[str], progress: Callable[[int], None] = lambda done: None
) -> tuple[Outputs, dict[str, str]]:
    """Run a model on photo files, without measuring them.

    Parameters
    ----------
    model, paths, progress
        See `run_on_photos`.

    Returns
    -------
    outputs : Outputs
        One row per photo that could be read, in order.
    rejected : dict of str to str
        Path -> why the photo could not be read.

    Raises
    ------
    DatasetError
        None of the photos could be read.
    """
    found = run_on_photos(model, paths, progress, with_measures=False)
    return found.outputs, found.rejected


def concatenate_outputs(parts: Sequence[Outputs]) -> Outputs:
    """Concatenate the outputs of several batches."""
    negatives = [part.negatives_logit for part in parts if part.negatives_logit is not None]
    footwear = [part.footwear_logits for part in parts if part.footwear_logits is not None]
    return Outputs(
        logits=np.concatenate([part.logits for part in parts]),
        negatives_logit=np.concatenate(negatives) if negatives else None,
        embeddings=np.concatenate([part.embeddings for part in parts]),
        footwear_logits=np.concatenate(footwear) if footwear else None,
    )


def prediction_table(
    model: SneakerModel, samples: pd.DataFrame, outputs: Outputs, properties: pd.DataFrame | None = None
) -> pd.DataFrame:
    """A model's prediction for each photo, with its label.

    Parameters
    ----------
    model : SneakerModel
    samples : DataFrame
        Columns sample, path, label and, if there are several sources, world; one row for each row of `outputs`. A
        label that the model doesn't know, or None, is allowed: the photo has a prediction and a status but does not
        count toward accuracy.
    outputs : Outputs
    properties : DataFrame, optional
        From `PhotoOutputs`, of the same photos.

    Returns
    -------
    DataFrame
        Columns sample, path, label, world (if `samples` has it), predicted, probability (of the predicted class),
        status, ood_score, loss (cross-entropy; nan if the model doesn't know the label), rank (of the true class, 1 is
        first; nan likewise), top (list of the 5 most probable classes), embedding_row, width, height, brightness,
        sharpness (nan without `properties`), and one column ``p:<class>`` for each class.
    """
    spec = model.spec
    kept = [name for name in ("sample", "path", "label", WORLD, USED_FOR) if name in samples]
    table = samples[kept].reset_index(drop=True)
    predicted = probabilities(outputs.logits, spec.decision.temperature)
    score = ood_score(outputs, model.references, spec.decision)
    truth = class_indices(table["label"], spec.classes)
    of_truth = np.full(len(table), np.nan)
    known = ~np.isnan(truth)
    of_truth[known] = predicted[known, truth[known].astype(int)]
    table["predicted"] = [spec.classes[index] for index in predicted.argmax(1)]
    table["probability"] = predicted.max(1)
    table["status"] = [status.value for status in statuses(predicted.max(1), score, spec.decision)]
    table["ood_score"] = score
    table["loss"] = -np.log(np.maximum(of_truth, 1e-12))
    table["rank"] = ranks(predicted, truth)
    table["top"] = top_classes(predicted, spec.classes)
    table["embedding_row"] = np.arange(len(table))
    for name in PHOTO_PROPERTIES:
        table[name] = np.nan if properties is None else properties[name].to_numpy(dtype=float)
    columns = pd.DataFrame(predicted, columns=[PROBABILITY_PREFIX + name for name in spec.classes])
    return pd.concat([table, columns], axis=1)


def evaluate_photos(
    model: SneakerModel, samples: pd.DataFrame, progress: Callable[[int], None] = lambda done: None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Run a model on photo files and make a prediction table of its outputs.

    Parameters
    ----------
    model, progress
        See `run_on_photos`.
    samples : DataFrame
        Columns sample, path, label.

    Returns
    -------
    table : DataFrame
        From `prediction_table`, with the photos that could be read.
    rejected : dict of str to str
        Path -> why the photo could not be read.
    """
    found = run_on_photos(model, list(samples["path"]), progress)
    readable = samples[~samples["path"].isin(found.rejected)]
    return prediction_table(model, readable, found.outputs, found.properties), found.rejected
