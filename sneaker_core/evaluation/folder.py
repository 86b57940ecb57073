"""Evaluation of a model on a folder of labelled photos."""

from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.folder import scan_classes
from sneaker_core.datasets.split import read_split
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.predictions import evaluate_photos
from sneaker_core.networks.checkpoint import load_model


def evaluate_folder(model_folder: Path, data: Path, split: str | None = None) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure a model on photos laid out as ``<class>/*``.

    Parameters
    ----------
    model_folder : Path
    data : Path
        Classes are matched by name; photos of classes that the model does not know are counted, not judged.
    split : str, optional
        Only the photos that served the model as "train", "val" or "test", found again by their bytes.

    Returns
    -------
    figures : dict
        As `metrics.summary`, and rejected: path -> why it could not be read.
    table : DataFrame
        The prediction table.

    Raises
    ------
    DatasetError
        There are no such photos, or no class is known to the model.
    CheckpointError
        The model is damaged.
    """
    model = load_model(model_folder)
    samples = scan_classes(data)
    if split is not None:
        kept = read_split(model_folder)
        samples = samples.merge(kept.loc[kept["split"] == split, ["sample", "label"]], on=["sample", "label"])
        if samples.empty:
            raise DatasetError(f"None of the model's {split} photos are in {data}.")
    table, rejected = evaluate_photos(model, samples)
    return {**summary(table), "rejected": rejected}, table
