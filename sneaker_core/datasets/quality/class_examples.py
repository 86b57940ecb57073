"""Photos of a class to compare a photo with."""

import numpy as np
import pandas as pd

from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.datasets.quality.findings import LABEL_KINDS, read_findings, read_near_duplicate_groups
from sneaker_core.datasets.quality.stored_measures import read_embeddings


def class_examples(dataset: Dataset, sample: str, label: str, count: int = 6) -> pd.DataFrame:
    """The photos of a class that look most like a photo, one of each near-duplicate group.

    Photos whose own label is in doubt and near-duplicates of the photo itself are left out.

    Parameters
    ----------
    dataset : Dataset
    sample : str
        The photo to compare with; it needs no embedding.
    label : str
    count : int
        At most.

    Returns
    -------
    DataFrame
        Rows of `index.read_samples`, most similar first.
    """
    findings = read_findings(dataset)
    doubtful = findings.loc[findings["kind"].isin([kind.value for kind in LABEL_KINDS]), "sample"]
    groups = read_near_duplicate_groups(dataset)
    photos = read_samples(dataset)
    photos = photos[(photos["label"] == label) & ~photos["excluded"] & ~photos["sample"].isin([*doubtful, sample])]
    group = photos["sample"].map(groups).fillna(pd.Series(-1 - np.arange(len(photos)), index=photos.index))
    photos = photos[group != groups.get(sample)].assign(group=group)
    embedded = read_embeddings(dataset, pd.Series([sample, *photos["sample"]]))
    if sample in embedded.index:
        own = embedded.at[sample, "vector"]
        vectors = embedded["vector"].reindex(photos["sample"])
        cosine = [float(vector @ own) if isinstance(vector, np.ndarray) else -1.0 for vector in vectors]
        photos = photos.iloc[np.argsort(-np.array(cosine), kind="stable")]
    return photos.drop_duplicates("group").drop(columns="group").head(count).reset_index(drop=True)
