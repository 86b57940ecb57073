"""Group near-duplicates: photos that are recompressed, resized, slightly cropped or mirrored copies of each other."""

import math
from collections.abc import Iterator

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Two photos are near-duplicates if their 256-bit perceptual hashes differ in at most this many bits …
HASH_SIZE = 16
MAX_HASH_DISTANCE = 24
# … where pairs that differ in more than this may show two colors of one shoe and must also have similar sketches …
MAX_SURE_HASH_DISTANCE = 16
MIN_SKETCH_LIKENESS = 0.965
# … or if their embeddings by general-purpose weights, averaged over photo and mirror image, are this similar …
MIN_COSINE = 0.95
# … or if their embeddings by any weights are this similar ("the same model") and their sketches correlate this much
# ("the same picture"), which finds cutouts and new crops.
MIN_MODEL_COSINE = 0.9
MIN_SKETCH_CORRELATION = 0.98
_BLOCK = 1024


def perceptual_hash(photo: Image.Image) -> NDArray[np.bool_]:
    """Return the DCT hash (pHash) of one photo: bool array (256,)."""
    return np.asarray(imagehash.phash(photo, hash_size=HASH_SIZE).hash.ravel(), dtype=np.bool_)


def perceptual_hashes(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the DCT hashes (pHash) of photos.

    Parameters
    ----------
    pixels : uint8 array (N, H, W, 3)

    Returns
    -------
    bool array (N, 256)
    """
    hashes = [perceptual_hash(Image.fromarray(photo)) for photo in pixels]
    return np.array(hashes, dtype=np.bool_).reshape(len(pixels), HASH_SIZE**2)


def _rows_of(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


def _pairs(found: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty((0, 2), np.int64), *found])


def _pairs_by_hash(
    hashes: NDArray[np.bool_], others: NDArray[np.bool_], most: int = MAX_HASH_DISTANCE
) -> NDArray[np.int64]:
    """Pairs (i, j) where hash i and other hash j differ in at most `most` bits."""
    bits, other_bits = hashes.astype(np.float32), others.astype(np.float32)
    ones, other_ones = bits.sum(1), other_bits.sum(1)
    found = []
    for block in _rows_of(len(bits)):
        distance = ones[block, None] + other_ones[None] - 2 * bits[block] @ other_bits.T
        found.append(np.argwhere(distance <= most) + np.array([block.start, 0]))
    return _pairs(found)


def _pairs_by_embedding(embeddings: NDArray[np.float32]) -> NDArray[np.int64]:
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    return _pairs(
        [np.argwhere(unit[block] @ unit.T >= MIN_COSINE) + np.array([block.start, 0]) for block in _rows_of(len(unit))]
    )


def _pairs_by_sketch(sketches: NDArray[np.uint8], embeddings: NDArray[np.float32]) -> NDArray[np.int64]:
    plain, mirrored = _centered(sketches), _centered(sketches[:, :, ::-1])
    found = []
    for block in _rows_of(len(plain)):
        alike = np.maximum(plain[block] @ plain.T, plain[block] @ mirrored.T) >= MIN_SKETCH_CORRELATION
        rows, columns = np.nonzero(alike)
        same = np.einsum("ij,ij->i", embeddings[block][rows], embeddings[columns]) >= MIN_MODEL_COSINE
        found.append(np.stack([rows[same] + block.start, columns[same]], axis=1))
    return _pairs(found)


def _centered(sketches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Vectors whose dot products are the correlations of the sketches."""
    values = sketches.reshape(len(sketches), math.prod(sketches.shape[1:])).astype(np.float32)
    values -= values.mean(1, keepdims=True)
    lengths = np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    return np.asarray(values / lengths, dtype=np.float32)


def _groups(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    ones = np.ones(len(pairs), dtype=np.bool_)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, dtype=np.int64)


def group_by_hash(hashes: NDArray[np.bool_], embeddings: NDArray[np.float32] | None = None) -> NDArray[np.int64]:
    """Group near-duplicates by hash, and by general-purpose embeddings where available.

    Two photos are in one group if a chain of near-duplicates connects them.

    Parameters
    ----------
    hashes : bool array (N, 256)
        From `perceptual_hashes`.
    embeddings : float32 array (N, D), optional
        By general-purpose weights. They find what hashes miss: mirrored and cropped photos.

    Returns
    -------
    int64 array (N,)
        Number of each photo's group; a photo without near-duplicates is a group of its own.
    """
    pairs = _pairs_by_hash(hashes, hashes)
    if embeddings is not None:
        pairs = np.concatenate([pairs, _pairs_by_embedding(embeddings)])
    return _groups(pairs, len(hashes))


def group_near_duplicates(
    hashes: NDArray[np.bool_],
    mirrored_hashes: NDArray[np.bool_],
    sketches: NDArray[np.uint8],
    embeddings: NDArray[np.float32] | None = None,
) -> NDArray[np.int64]:
    """Group the near-duplicates of a dataset by hashes and sketches, with embeddings by any weights.

    Parameters
    ----------
    hashes, mirrored_hashes : bool array (N, 256)
        Of the photos and of their mirror images.
    sketches : uint8 array (N, S, S, 3)
        Tiny pictures of what differs from the background; see `measures.sketch`.
    embeddings : float32 array (N, D), optional
        Unit length. A classifier's embeddings place all photos of a class close together, so they are only used to
        confirm similar sketches.

    Returns
    -------
    int64 array (N,)
        As from `group_by_hash`.
    """
    pairs = []
    for others, turned in ((hashes, sketches), (mirrored_hashes, sketches[:, :, ::-1])):
        pairs.append(_pairs_by_hash(hashes, others, MAX_SURE_HASH_DISTANCE))
        near = _pairs_by_hash(hashes, others)
        alike = np.einsum("ij,ij->i", _centered(sketches[near[:, 0]]), _centered(turned[near[:, 1]]))
        pairs.append(near[alike >= MIN_SKETCH_LIKENESS])
    if embeddings is not None:
        pairs.append(_pairs_by_sketch(sketches, embeddings))
    return _groups(_pairs(pairs), len(hashes))
