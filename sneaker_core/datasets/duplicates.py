"""Which photos are copies of one another: recompressed, resized, cropped a little or mirrored."""

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Two photos are copies when their 256-bit perceptual hashes differ in at most this many bits …
HASH_SIZE = 16
MAX_HASH_DISTANCE = 24
# … or when their embeddings, averaged over the photo and its mirror image, are at least this alike.
MIN_COSINE = 0.95
_BLOCK = 1024


def perceptual_hashes(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """DCT hashes (pHash) of photos.

    Parameters
    ----------
    pixels : uint8 array (N, H, W, 3)

    Returns
    -------
    bool array (N, 256)
    """
    hashes = [imagehash.phash(Image.fromarray(photo), hash_size=HASH_SIZE).hash.ravel() for photo in pixels]
    return np.array(hashes, dtype=np.bool_).reshape(len(pixels), HASH_SIZE**2)


def _pairs_by_hash(hashes: NDArray[np.bool_]) -> NDArray[np.int64]:
    bits = hashes.astype(np.float32)
    ones = bits.sum(1)
    found = []
    for start in range(0, len(bits), _BLOCK):
        block = slice(start, start + _BLOCK)
        distance = ones[block, None] + ones[None] - 2 * bits[block] @ bits.T
        found.append(np.argwhere(distance <= MAX_HASH_DISTANCE) + np.array([start, 0]))
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def _pairs_by_embedding(embeddings: NDArray[np.float32]) -> NDArray[np.int64]:
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    found = []
    for start in range(0, len(unit), _BLOCK):
        cosine = unit[start : start + _BLOCK] @ unit.T
        found.append(np.argwhere(cosine >= MIN_COSINE) + np.array([start, 0]))
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def duplicate_groups(hashes: NDArray[np.bool_], embeddings: NDArray[np.float32] | None = None) -> NDArray[np.int64]:
    """Number the groups of photos that are copies of one another, directly or through others.

    Parameters
    ----------
    hashes : bool array (N, 256)
        From `perceptual_hashes`.
    embeddings : float32 array (N, D), optional
        Finds the copies that a hash misses: mirrored and cropped ones.

    Returns
    -------
    int64 array (N,)
        The same number for photos of one group; a photo without a copy is a group of its own.
    """
    pairs = _pairs_by_hash(hashes)
    if embeddings is not None:
        pairs = np.concatenate([pairs, _pairs_by_embedding(embeddings)])
    ones = np.ones(len(pairs), dtype=np.bool_)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(len(hashes), len(hashes)))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, dtype=np.int64)
