"""The prediction table: one row a photo, from which every figure derives."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import images, processes
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Outputs, probabilities, statuses, unknown_score

PROBABILITY_PREFIX = "p:"
_BATCH = 32


def read_outputs(
    model: SneakerModel, paths: Sequence[str], progress: Callable[[int], None] = lambda done: None
) -> tuple[Outputs, dict[str, str]]:
    """Run a model over photo files.

    Parameters
    ----------
    model : SneakerModel
    paths : sequence of str
    progress : callable, optional
        Called with the number of photos done.

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
    # Of several processes each reads every so-manyth photo; everyone gets all outputs, in order.
    own = range(processes.rank(), len(paths), processes.count())
    parts, rejected, rows = [], {}, []
    for start in range(0, len(own), _BATCH):
        readable: list[Image.Image] = []
        for row in own[start : start + _BATCH]:
            try:
                readable.append(images.load(Path(paths[row]), shrink_to=model.spec.preprocessing.shrink_to))
                rows.append(row)
            except ImageError as error:
                rejected[paths[row]] = str(error)
        if readable:
            parts.append(model.outputs(model.spec.preprocessing(readable)))
        progress(min((start + _BATCH) * processes.count(), len(paths)))
    gathered = processes.of_all((rows, parts, rejected))
    parts = [part for _, theirs, _ in gathered for part in theirs]
    if not parts:
        raise DatasetError("None of the photos could be read.")
    order = np.argsort([row for theirs, _, _ in gathered for row in theirs])
    return concatenated(parts).take(order), {path: why for *_, theirs in gathered for path, why in theirs.items()}


def concatenated(parts: Sequence[Outputs]) -> Outputs:
    """Outputs of several batches as one."""
    others = [part.other for part in parts if part.other is not None]
    return Outputs(
        logits=np.concatenate([part.logits for part in parts]),
        other=np.concatenate(others) if others else None,
        embeddings=np.concatenate([part.embeddings for part in parts]),
    )


def prediction_table(model: SneakerModel, samples: pd.DataFrame, outputs: Outputs) -> pd.DataFrame:
    """What a model says of each photo, beside the truth.

    Parameters
    ----------
    model : SneakerModel
    samples : DataFrame
        Columns sample, path, label; one row for each row of `outputs`. A label that the model does not know, or
        None, is allowed: the photo counts for the three answers but not for accuracy.
    outputs : Outputs

    Returns
    -------
    DataFrame
        Columns sample, path, label, predicted, probability (of the predicted class), status, unknown_score, loss
        (cross-entropy, nan where the label is not known to the model), embedding_row, and one column ``p:<class>``
        for each class.
    """
    spec = model.spec
    table = samples[["sample", "path", "label"]].reset_index(drop=True)
    chances = probabilities(outputs.logits, spec.decision.temperature)
    score = unknown_score(outputs, model.references, spec.decision)
    number = {name: index for index, name in enumerate(spec.classes)}
    truth = table["label"].map(number).to_numpy(dtype=float, na_value=np.nan)
    of_truth = np.full(len(table), np.nan)
    known = ~np.isnan(truth)
    of_truth[known] = chances[known, truth[known].astype(int)]
    table["predicted"] = [spec.classes[index] for index in chances.argmax(1)]
    table["probability"] = chances.max(1)
    table["status"] = [status.value for status in statuses(chances.max(1), score, spec.decision)]
    table["unknown_score"] = score
    table["loss"] = -np.log(np.maximum(of_truth, 1e-12))
    table["embedding_row"] = np.arange(len(table))
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
    outputs, rejected = read_outputs(model, list(samples["path"]), progress)
    return prediction_table(model, samples[~samples["path"].isin(rejected)], outputs), rejected


def class_columns(table: pd.DataFrame) -> Iterator[str]:
    """The classes of a prediction table, in the model's order."""
    names = map(str, table.columns)
    return (name.removeprefix(PROBABILITY_PREFIX) for name in names if name.startswith(PROBABILITY_PREFIX))
