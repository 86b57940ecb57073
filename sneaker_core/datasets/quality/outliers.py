"""Distances between embeddings: outliers and a map of the dataset."""

import numpy as np
from numpy.typing import NDArray

_NEIGHBORS = 5
_COMPONENTS = 50
_PERPLEXITY = 30
# Threads wait for each other in every small step: below this many photos, one thread is fastest.
_ALONE_BELOW = 2000
_NO_SPREAD = 1e-6
# Median absolute deviation -> standard deviation of a normal distribution; robust against the outliers themselves.
_MAD_TO_DEVIATION = 1.4826


def neighbor_distance(
    embeddings: NDArray[np.float32], labels: NDArray[np.object_], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the distance of each photo to its nearest photos of the same class, in robust standard deviations.

    Parameters
    ----------
    embeddings : float32 array (N, D)
        Unit length.
    labels : object array (N,)
    groups : int64 array (N,)
        Near-duplicate groups. Photos of the same group don't count as neighbors.

    Returns
    -------
    float64 array (N,)
        Mean cosine distance to the 5 nearest photos of the class, minus the dataset's median, divided by a robust
        standard deviation; 0 for classes with fewer than 6 other photos.
    """
    distance = np.full(len(embeddings), np.nan)
    for label in set(labels):
        members = np.flatnonzero(labels == label)
        cosine = embeddings[members] @ embeddings[members].T
        cosine[groups[members, None] == groups[None, members]] = np.nan
        others = (~np.isnan(cosine)).sum(axis=1)
        judged = others > _NEIGHBORS
        nearest = -np.sort(-cosine[judged], axis=1)[:, :_NEIGHBORS]  # nan sorts last
        distance[members[judged]] = 1 - nearest.mean(axis=1)
    known = ~np.isnan(distance)
    result = np.zeros(len(embeddings))
    if known.any():
        result[known] = in_deviations(distance[known])
    return result


def in_deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return distances above the median in robust standard deviations (from the median absolute deviation)."""
    middle = np.median(values)
    spread = _MAD_TO_DEVIATION * np.median(np.abs(values - middle))
    return np.asarray((values - middle) / max(float(spread), 1e-9), dtype=np.float64)


def lay_out_map(embeddings: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Place photos on a map so that similar photos are close together.

    Parameters
    ----------
    embeddings : float32 array (N, D)
    seed : int

    Returns
    -------
    float32 array (N, 2)
        From -1 to 1.

    References
    ----------
    van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008; of the first 50 principal components.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    count = len(embeddings)
    # t-SNE would divide by zero if all photos were the same.
    if count < 3 or embeddings.std(axis=0).max() < _NO_SPREAD:
        return np.zeros((count, 2), dtype=np.float32)
    components = PCA(min(_COMPONENTS, count - 1, embeddings.shape[1]), random_state=seed).fit_transform(embeddings)
    perplexity = min(_PERPLEXITY, (count - 1) / 3)
    threads = 1 if count < _ALONE_BELOW else None
    with threadpool_limits(threads):
        lay_out = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=threads or -1)
        places = lay_out.fit_transform(components)
    return np.asarray(places / max(float(np.abs(places).max()), 1e-9), dtype=np.float32)
