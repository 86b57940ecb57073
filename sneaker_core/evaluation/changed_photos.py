"""A model's predictions for photos before and after changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from sneaker_core import images
from sneaker_core.errors import DatasetError, ImageError
from sneaker_core.evaluation.photo_changes import PHOTO_CHANGES, PhotoChange
from sneaker_core.evaluation.photo_uses import counting_rows
from sneaker_core.evaluation.robustness import ORIGINAL
from sneaker_core.evaluation.table_columns import check_known_labels
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import probabilities

# More photos than this are sampled: every photo goes through the network once for each change.
MOST_PHOTOS = 300
_BATCH = 8
_SEED = 0


def changed_photo(path: Path, change: PhotoChange, sample: str, shrink_to: int) -> Image.Image | None:
    """A photo after a change, always the same for the same sample; None if it can't be changed in this way.

    Raises
    ------
    ImageError
        The photo can't be read.
    """
    return change.apply(images.load(path, shrink_to=shrink_to), _generator(sample))


def _generator(sample: str) -> np.random.Generator:
    return np.random.default_rng([_SEED, *sample.encode()])


def robustness_table(
    model: SneakerModel,
    samples: pd.DataFrame,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Predictions for photos, original and after every change.

    Parameters
    ----------
    model : SneakerModel
    samples : DataFrame
        Columns sample, path and label; at most `MOST_PHOTOS` photos of classes that the model knows are used.
    progress : callable, optional
        Called with the number of photos done and their total.

    Returns
    -------
    DataFrame
        Columns sample, path, label, change ("original" or a key of `PHOTO_CHANGES`), predicted and probability. Photos
        that can't be changed in a way have no row for that change.

    Raises
    ------
    DatasetError
        None of the photos can be read, or the model knows none of their classes.
    """
    check_known_labels(samples["label"], model.spec.classes)
    known = samples[samples["label"].isin(model.spec.classes)]
    known = counting_rows(known, known)
    known = known[known["path"].notna()]
    chosen = known.sample(min(MOST_PHOTOS, len(known)), random_state=_SEED).sort_index()
    rows: list[dict[str, Any]] = []
    for done, row in enumerate(chosen[["sample", "path", "label"]].to_dict("records")):
        progress(done, len(chosen))
        rows += _predictions(model, row)
    progress(len(chosen), len(chosen))
    if not rows:
        raise DatasetError("None of the photos can be read.")
    return pd.DataFrame(rows)


def _predictions(model: SneakerModel, row: dict[Any, Any]) -> list[dict[str, Any]]:
    """One row for the original and each change of a photo; none if it can't be read."""
    try:
        photo = images.load(Path(row["path"]), shrink_to=model.spec.preprocessing.shrink_to)
    except ImageError:
        return []
    changed = {change.key: change.apply(photo, _generator(str(row["sample"]))) for change in PHOTO_CHANGES}
    pictures = {ORIGINAL: photo, **{key: picture for key, picture in changed.items() if picture is not None}}
    keys = list(pictures)
    found = []
    for start in range(0, len(keys), _BATCH):
        part = keys[start : start + _BATCH]
        outputs = model.outputs(model.spec.preprocessing([pictures[key] for key in part]))
        chances = probabilities(outputs.logits, model.spec.decision.temperature)
        for key, chance in zip(part, chances, strict=True):
            best = int(chance.argmax())
            found.append(
                {**row, "change": key, "predicted": model.spec.classes[best], "probability": float(chance[best])}
            )
    return found
