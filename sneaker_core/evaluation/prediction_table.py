"""The prediction table: one row a photo, from which every figure derives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import images, process_group
from sneaker_core.datasets.quality.measures import measure
from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE, make_thumbnail
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.evaluation.table_columns import (
    FACTS,
    PROBABILITY_PREFIX,
    class_columns,
    class_numbers,
    ranks,
    top_names,
)
from sneaker_core.images import Photo
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Outputs, ood_score, probabilities, statuses
from sneaker_core.settings import ImageLimits

__all__ = [
    "PROBABILITY_PREFIX",
    "Reading",
    "class_columns",
    "concatenated",
    "evaluate_photos",
    "prediction_table",
    "read_outputs",
    "read_photos",
]

_BATCH = 32


@dataclass(frozen=True)
class Reading:
    """What a model says of photo files, and what they are like.

    Attributes
    ----------
    outputs : Outputs
        One row for each photo that could be read, in order.
    facts : DataFrame
        For the same photos: width, height (of the upright file, in pixels), brightness, sharpness (0 to 1).
    rejected : dict of str to str
        Path -> why it could not be read.
    """

    outputs: Outputs
    facts: pd.DataFrame
    rejected: dict[str, str]


def read_photos(
    model: SneakerModel,
    paths: Sequence[str],
    progress: Callable[[int], None] = lambda done: None,
    *,
    measured: bool = True,
) -> Reading:
    """Run a model over photo files; of several processes each reads its share, and everyone gets all.

    Parameters
    ----------
    model : SneakerModel
    paths : sequence of str
    progress : callable, optional
        Called with the number of photos done.
    measured : bool
        Whether to measure brightness and sharpness too; they are nan otherwise.

    Raises
    ------
    DatasetError
        No photo at all could be read.
    """
    own = range(process_group.rank(), len(paths), process_group.count())
    parts: list[Outputs] = []
    facts: list[tuple[float, ...]] = []
    rejected, rows = {}, []
    for start in range(0, len(own), _BATCH):
        readable: list[Image.Image] = []
        for row in own[start : start + _BATCH]:
            try:
                photo = _opened(Path(paths[row]), model.spec.preprocessing.shrink_to)
                facts.append(_facts(Path(paths[row]), photo, measured))
            except ImageError as error:
                rejected[paths[row]] = str(error)
                continue
            readable.append(photo.image)
            rows.append(row)
        if readable:
            parts.append(model.outputs(model.spec.preprocessing(readable)))
        progress(min((start + _BATCH) * process_group.count(), len(paths)))
    return _gathered(rows, parts, facts, rejected)


def _gathered(
    rows: list[int], parts: list[Outputs], facts: list[tuple[float, ...]], rejected: dict[str, str]
) -> Reading:
    """What all processes read, in the order of the photos."""
    everyone = process_group.of_all((rows, parts, facts, rejected))
    outputs = [part for _, theirs, *_ in everyone for part in theirs]
    if not outputs:
        raise DatasetError("None of the photos could be read.")
    order = np.argsort([row for theirs, *_ in everyone for row in theirs])
    table = pd.DataFrame([fact for *_, theirs, _ in everyone for fact in theirs], columns=list(FACTS))
    return Reading(
        concatenated(outputs).take(order),
        table.iloc[order].reset_index(drop=True),
        {path: why for *_, theirs in everyone for path, why in theirs.items()},
    )


def _opened(path: Path, shrink_to: int) -> Photo:
    """A photo file as the decoder gives it, with the size of the whole photo."""
    limits = ImageLimits.from_environment()
    try:
        if not path.is_file() or path.stat().st_size > limits.max_bytes:
            images.load(path, limits)  # it says what is wrong
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)  # it may have grown since
    except OSError as error:
        raise ImageError("The file cannot be opened.") from error
    return images.read(data, limits, shrink_to=shrink_to)


def _facts(path: Path, photo: Photo, measured: bool) -> tuple[float, ...]:
    """What the columns `FACTS` hold; the measures are of a thumbnail, as everywhere."""
    if not measured:
        return (photo.width, photo.height, np.nan, np.nan)
    picture = photo.image
    if max(picture.size) < min(THUMBNAIL_SIDE, max(photo.width, photo.height)):
        # A network that sees very little was given less than a thumbnail has.
        picture = images.load(path, shrink_to=2 * THUMBNAIL_SIDE)
    measures = measure(images.decode(make_thumbnail(picture)))
    return (photo.width, photo.height, measures.brightness, measures.sharpness)


def read_outputs(
    model: SneakerModel, paths: Sequence[str], progress: Callable[[int], None] = lambda done: None
) -> tuple[Outputs, dict[str, str]]:
    """Run a model over photo files, whatever they are like.

    Parameters
    ----------
    model, paths, progress
        As for `read_photos`.

    Returns
    -------
    outputs : Outputs
        One row for each photo that could be read, in order.
    rejected : dict of str to str
        Path -> why it could not be read.

    Raises
    ------
    DatasetError
        No photo at all could be read.
    """
    reading = read_photos(model, paths, progress, measured=False)
    return reading.outputs, reading.rejected


def concatenated(parts: Sequence[Outputs]) -> Outputs:
    """Outputs of several batches as one."""
    others = [part.other for part in parts if part.other is not None]
    return Outputs(
        logits=np.concatenate([part.logits for part in parts]),
        other=np.concatenate(others) if others else None,
        embeddings=np.concatenate([part.embeddings for part in parts]),
    )


def prediction_table(
    model: SneakerModel, samples: pd.DataFrame, outputs: Outputs, facts: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What a model says of each photo, beside the truth.

    Parameters
    ----------
    model : SneakerModel
    samples : DataFrame
        Columns sample, path, label; one row for each row of `outputs`. A label that the model does not know, or
        None, is allowed: the photo counts for the three answers but not for accuracy.
    outputs : Outputs
    facts : DataFrame, optional
        From `Reading`, for the same photos.

    Returns
    -------
    DataFrame
        Columns sample, path, label, predicted, probability (of the predicted class), status, ood_score, loss
        (cross-entropy, nan where the label is not known to the model), rank (place of the true class, 1 is first; nan
        likewise), top (list of the 5 most probable classes), embedding_row, width, height, brightness, sharpness
        (nan without `facts`), and one column ``p:<class>`` for each class.
    """
    spec = model.spec
    table = samples[["sample", "path", "label"]].reset_index(drop=True)
    chances = probabilities(outputs.logits, spec.decision.temperature)
    score = ood_score(outputs, model.references, spec.decision)
    truth = class_numbers(table["label"], spec.classes)
    of_truth = np.full(len(table), np.nan)
    known = ~np.isnan(truth)
    of_truth[known] = chances[known, truth[known].astype(int)]
    table["predicted"] = [spec.classes[index] for index in chances.argmax(1)]
    table["probability"] = chances.max(1)
    table["status"] = [status.value for status in statuses(chances.max(1), score, spec.decision)]
    table["ood_score"] = score
    table["loss"] = -np.log(np.maximum(of_truth, 1e-12))
    table["rank"] = ranks(chances, truth)
    table["top"] = top_names(chances, spec.classes)
    table["embedding_row"] = np.arange(len(table))
    for fact in FACTS:
        table[fact] = np.nan if facts is None else facts[fact].to_numpy(dtype=float)
    columns = pd.DataFrame(chances, columns=[PROBABILITY_PREFIX + name for name in spec.classes])
    return pd.concat([table, columns], axis=1)


def evaluate_photos(
    model: SneakerModel, samples: pd.DataFrame, progress: Callable[[int], None] = lambda done: None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Predict photo files and lay the answers out as a prediction table.

    Returns
    -------
    table : DataFrame
        As `prediction_table`, for the photos that could be read.
    rejected : dict of str to str
        Path -> why it could not be read.
    """
    reading = read_photos(model, list(samples["path"]), progress)
    readable = samples[~samples["path"].isin(reading.rejected)]
    return prediction_table(model, readable, reading.outputs, reading.facts), reading.rejected
