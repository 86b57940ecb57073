"""Evaluation of a model on labelled photos: a dataset or a folder."""

from pathlib import Path
from typing import Any

import pandas as pd

from sneaker_core.datasets.library import open_samples
from sneaker_core.datasets.split import read_split
from sneaker_core.errors import DatasetError
from sneaker_core.evaluation.metrics import summary
from sneaker_core.evaluation.predictions import evaluate_photos
from sneaker_core.networks.checkpoint import load_model


def evaluate_folder(
    model_folder: Path, data: str | Path, workspace: Path, split: str | None = None
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Measure a model on labelled photos.

    Parameters
    ----------
    model_folder : Path
    data : str or Path
        The name of a dataset, or a folder laid out as ``<class>/*``. Classes are matched by name; photos of classes
        that the model does not know are counted, not judged.
    workspace : Path
        Where the dataset is looked up.
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
    samples = open_samples(str(data), workspace).drop(columns="split")
    if split is not None:
        kept = read_split(model_folder)
        samples = samples.merge(kept.loc[kept["split"] == split, ["sample", "label"]], on=["sample", "label"])
        if samples.empty:
            raise DatasetError(f"None of the model's {split} photos are in {data}.")
    table, rejected = evaluate_photos(model, samples)
    return {**summary(table), "rejected": rejected}, table
