"""The photos that a network finds most alike: what it may have learnt an answer from."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sneaker_core.errors import DatasetError
from sneaker_core.networks.decision import unit_length

Embeddings = NDArray[np.floating[Any]]


def nearest(
    embedding: Embeddings,
    neighbours: tuple[pd.DataFrame, Embeddings],
    label: str,
    k: int = 3,
    without: str | None = None,
) -> pd.DataFrame:
    """The photos of a class that are most alike in the eyes of a network.

    Parameters
    ----------
    embedding : float array (D,)
        Of the photo in question.
    neighbours : DataFrame, float array (N, D)
        Columns sample, path, label, and an embedding by the same model for each row, of any precision.
    label : str
        The class to look in.
    k : int
        At most so many.
    without : str, optional
        The photo's own sample, which is no neighbour of itself.

    Returns
    -------
    DataFrame
        Columns sample, path, label, similarity (cosine, -1 to 1), the most alike first; of equals the first. Empty
        where the class has no photos.

    Raises
    ------
    DatasetError
        The embeddings are not those of these photos, or are another network's.
    """
    photos, embeddings = neighbours
    if embeddings.shape != (len(photos), len(embedding)):
        raise DatasetError("The photos to compare with were embedded by another model; evaluate this one again.")
    rows = np.flatnonzero((photos["label"] == label) & (photos["sample"] != without))
    wanted = unit_length(np.asarray(embedding, dtype=np.float32)[None])[0]
    similarity = unit_length(np.asarray(embeddings[rows], dtype=np.float32)) @ wanted
    best = np.argsort(-similarity, kind="stable")[: max(k, 0)]
    found = photos.iloc[rows[best]][["sample", "path", "label"]].reset_index(drop=True)
    return found.assign(similarity=similarity[best].clip(-1, 1))
