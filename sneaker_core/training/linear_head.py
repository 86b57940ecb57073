"""A head that is trained in one step: linear discriminant analysis on embeddings, from sums that can be updated.

All that it needs of the photos are their number and sum in each class, and the sum of the outer products of all
embeddings. A photo with another label, or left out, changes these sums a little, so nothing is trained again from the
start, and the result depends on the photos alone: not on the order of changes, a seed or a first guess.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.floating]
Labels = Sequence[str]

# Share of the average variance that each direction gets; chosen on validation photos of real datasets.
_SHRINKAGE = 0.02
# Keeps the covariance invertible if all photos are the same.
_FLOOR = 1e-9


@dataclass(frozen=True)
class ClassSums:
    """What a head is trained on.

    Attributes
    ----------
    classes : tuple of str
        May include classes without photos.
    counts : float64 array (C,)
        Photos per class.
    sums : float64 array (C, D)
        Sum of the embeddings of each class.
    products : float64 array (D, D)
        Sum of the outer products of all embeddings.
    """

    classes: tuple[str, ...]
    counts: NDArray[np.float64]
    sums: NDArray[np.float64]
    products: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Iterable[tuple[Vectors, Labels]]) -> "ClassSums | None":
        """The sums of photos that arrive in parts: embeddings (n, D) and n labels; None if there are none."""
        total: ClassSums | None = None
        for vectors, labels in parts:
            size = vectors.shape[1]
            total = total or cls((), np.zeros(0), np.zeros((0, size)), np.zeros((size, size)))
            total = total.plus(vectors, labels)
        return total

    def plus(self, vectors: Vectors, labels: Labels, sign: float = 1.0) -> "ClassSums":
        """The sums with more photos, or, with a negative sign, with fewer."""
        classes = (*self.classes, *sorted(set(labels) - set(self.classes)))
        place = {label: number for number, label in enumerate(classes)}
        members = np.zeros((len(labels), len(classes)), np.float32)
        members[np.arange(len(labels)), [place[label] for label in labels]] = sign
        more = len(classes) - len(self.classes)
        # Products of single precision are twice as fast, and exact enough for a sum of unit vectors.
        single = np.asarray(vectors, dtype=np.float32)
        return ClassSums(
            classes,
            np.pad(self.counts, (0, more)) + members.sum(0),
            np.pad(self.sums, ((0, more), (0, 0))) + members.T @ single,
            self.products + sign * (single.T @ single),
        )


@dataclass(frozen=True)
class LinearHead:
    """Scores of classes from embeddings.

    Attributes
    ----------
    classes : object array (C,)
    weights : float32 array (D, C)
    bias : float32 array (C,)
    """

    classes: NDArray[np.object_]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def predict(self, vectors: Vectors) -> NDArray[np.object_]:
        """The class of each embedding: (n, D) -> (n,)."""
        best = (np.asarray(vectors, dtype=np.float32) @ self.weights + self.bias).argmax(1)
        return np.asarray(self.classes[best], dtype=object)


def fit_head(sums: ClassSums) -> LinearHead:
    """Train a head; all classes count alike, however many photos they have.

    Parameters
    ----------
    sums : ClassSums
        With at least one photo.

    References
    ----------
    Fisher, "The use of multiple measurements in taxonomic problems", 1936; the covariance within classes is shrunk
    towards a multiple of the identity as by Friedman, "Regularized discriminant analysis", JASA 84, 1989.
    """
    kept = np.flatnonzero(sums.counts > 0.5)
    counts, means = sums.counts[kept, None], sums.sums[kept] / sums.counts[kept, None]
    within = (sums.products - (means * counts).T @ means) / counts.sum()
    size = len(within)
    variance = max(float(np.trace(within)) / size, _FLOOR)
    within = (1 - _SHRINKAGE) * within
    within[np.diag_indices(size)] += _SHRINKAGE * variance + _FLOOR
    weights = np.linalg.solve(within, means.T)
    bias = -0.5 * np.einsum("cd,dc->c", means, weights)
    # Sorted, so that equal scores don't depend on the order in which classes came up.
    order = sorted(range(len(kept)), key=lambda row: sums.classes[kept[row]])
    classes = np.array([sums.classes[kept[row]] for row in order], dtype=object)
    return LinearHead(classes, weights[:, order].astype(np.float32), bias[order].astype(np.float32))
