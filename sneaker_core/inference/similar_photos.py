"""Similar photos: the nearest neighbors of a photo in a model's embedding space."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.errors import DatasetError
from sneaker_core.networks.decision import unit_length

Embeddings = NDArray[np.floating[Any]]


def nearest(
    embedding: Embeddings,
    candidates: tuple[pd.DataFrame, Embeddings],
    label: str,
    k: int = 3,
    exclude: str | None = None,
) -> pd.DataFrame:
    """The photos of a class that are most similar to a photo, by a model's embeddings.

    Parameters
    ----------
    embedding : float array (D,)
        Embedding of the photo.
    candidates : DataFrame, float array (N, D)
        Columns sample, path, label, and an embedding by the same model for each row, of any precision.
    label : str
        Class to search in.
    k : int
        Maximum number of photos.
    exclude : str, optional
        Sample to leave out: the photo itself.

    Returns
    -------
    DataFrame
        Columns sample, path, label, similarity (cosine, -1 to 1), most similar first; ties in the order of
        `candidates`. Empty if the class has no photos.

    Raises
    ------
    DatasetError
        The embeddings belong to other photos or to another model.
    """
    photos, embeddings = candidates
    if embeddings.shape != (len(photos), len(embedding)):
        raise DatasetError("The photos to compare with were embedded by another model. Evaluate this model again.")
    rows = np.flatnonzero((photos["label"] == label) & (photos["sample"] != exclude))
    query = unit_length(np.asarray(embedding, dtype=np.float32)[None])[0]
    similarity = unit_length(np.asarray(embeddings[rows], dtype=np.float32)) @ query
    best = np.argsort(-similarity, kind="stable")[: max(k, 0)]
    found = photos.iloc[rows[best]][["sample", "path", "label"]].reset_index(drop=True)
    return found.assign(similarity=similarity[best].clip(-1, 1))
