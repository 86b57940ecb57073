"""How alike photos are by what the network saw in them: outliers, and a map of the whole dataset."""

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 5
_BLOCK = 1024
_COMPONENTS = 50
_PERPLEXITY = 30
# A standard deviation as the median absolute deviation tells it, undisturbed by the outliers themselves.
_MAD_TO_DEVIATION = 1.4826


def neighbour_distance(embeddings: NDArray[np.float32], families: NDArray[np.int64]) -> NDArray[np.float64]:
    """How far each photo is from those most like it, in the dataset's own standard deviations.

    Parameters
    ----------
    embeddings : float32 array (N, D)
        Unit length.
    families : int64 array (N,)
        Equal for copies: a photo's own copies are not counted as its neighbours.

    Returns
    -------
    float64 array (N,)
        Mean cosine distance to the 5 nearest photos, less the median of all, over a robust standard deviation; zeros
        for fewer than 7 photos.
    """
    count = len(embeddings)
    if count < _NEIGHBOURS + 2:
        return np.zeros(count)
    distance = np.empty(count)
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        cosine = embeddings[block] @ embeddings.T
        cosine[families[block, None] == families[None]] = -1
        nearest = np.partition(cosine, -_NEIGHBOURS, axis=1)[:, -_NEIGHBOURS:]
        distance[block] = 1 - nearest.mean(axis=1)
    middle = np.median(distance)
    spread = _MAD_TO_DEVIATION * np.median(np.abs(distance - middle))
    return np.asarray((distance - middle) / max(float(spread), 1e-9), dtype=np.float64)


def lay_out_map(embeddings: NDArray[np.float32], seed: int = 0) -> NDArray[np.float32]:
    """Places on a map on which photos that look alike lie together.

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

    count = len(embeddings)
    if count < 3:
        return np.zeros((count, 2), dtype=np.float32)
    components = PCA(min(_COMPONENTS, count - 1, embeddings.shape[1]), random_state=seed).fit_transform(embeddings)
    perplexity = min(_PERPLEXITY, (count - 1) / 3)
    places = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=-1).fit_transform(components)
    return np.asarray(places / max(float(np.abs(places).max()), 1e-9), dtype=np.float32)
