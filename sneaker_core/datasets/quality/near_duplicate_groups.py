"""The near-duplicate groups of a dataset."""

import numpy as np
import pandas as pd

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.near_duplicates import group_near_duplicates
from sneaker_core.datasets.quality.findings import read_near_duplicate_groups, store_near_duplicate_groups
from sneaker_core.datasets.quality.measures import SKETCH_SIDE
from sneaker_core.datasets.quality.stored_measures import measure_new_photos, read_embeddings, read_measures


def find_near_duplicate_groups(dataset: Dataset) -> pd.Series:
    """Return the group of every photo, indexed by sample; searches again if photos were added since the last search."""
    samples = read_samples(dataset)
    known = read_near_duplicate_groups(dataset)
    if samples["sample"].isin(known.index).all():
        return known
    measure_new_photos(dataset, samples)
    samples, measures = read_measures(dataset)
    embedded = read_embeddings(dataset, samples["sample"])
    groups = group_photos(samples, measures, embedded if len(embedded) else None)
    with dataset.changing() as db:
        store_near_duplicate_groups(db, groups)
    return groups


def group_photos(samples: pd.DataFrame, measures: pd.DataFrame, embedded: pd.DataFrame | None) -> pd.Series:
    """Return the near-duplicate group of each photo, indexed by sample.

    Parameters
    ----------
    samples, measures : DataFrame
        From `read_measures`.
    embedded : DataFrame or None
        From `read_embeddings`.
    """
    hashes, mirrored = (
        np.unpackbits(np.frombuffer(b"".join(measures[column]), np.uint8).reshape(len(measures), -1), axis=1) == 1
        for column in ("hash", "mirrored_hash")
    )
    sketches = np.frombuffer(b"".join(measures["sketch"]), np.uint8).reshape(-1, SKETCH_SIDE, SKETCH_SIDE, 3)
    embeddings = None
    if embedded is not None:
        # Photos without an embedding get zeros, which are similar to nothing.
        zeros = np.zeros_like(embedded["vector"].iloc[0]) if len(embedded) else np.zeros(1, np.float32)
        vectors = dict(zip(embedded.index, embedded["vector"], strict=True))
        embeddings = np.stack([vectors.get(sample, zeros) for sample in samples["sample"]])
    return pd.Series(group_near_duplicates(hashes, mirrored, sketches, embeddings), index=samples["sample"])
