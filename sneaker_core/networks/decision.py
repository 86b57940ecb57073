"""From a network's outputs to an answer: probabilities, how far from all known sneakers, and one of three answers."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# The two halves of the unknown score are z-scores; beyond this many standard deviations they say nothing more.
_FAR = 30.0


class Status(StrEnum):
    """The kind of answer to a photo."""

    KNOWN = "known"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    ERROR = "error"


@dataclass(frozen=True)
class Outputs:
    """What a network says of a batch, averaged over views.

    Attributes
    ----------
    logits : float32 array (B, C)
        One a class.
    other : float32 array (B,) or None
        Logit of "something else", where the network was trained with photos of other things.
    embeddings : float32 array (B, D)
    """

    logits: Floats
    other: Floats | None
    embeddings: Floats

    def take(self, rows: NDArray[np.int64]) -> "Outputs":
        """Those rows, in that order."""
        return Outputs(self.logits[rows], None if self.other is None else self.other[rows], self.embeddings[rows])


@dataclass(frozen=True)
class Decision:
    """The fitted numbers that turn outputs into an answer.

    Attributes
    ----------
    temperature : float
        Logits are divided by it before the softmax, so that a probability of 0.8 is right 80 times in 100.
    confidence_threshold : float
        From here on the answer is "known".
    ood_threshold : float
        Unknown scores above it are answered "not a sneaker I know".
    distance_mean, distance_std : float
        Of the embedding distances of known sneakers, to bring distances of any network to one scale.
    other_mean, other_std : float
        The same for the log-odds of "something else"; 0 and 1 where the network has no such output.
    """

    temperature: float = 1.0
    confidence_threshold: float = 0.6
    ood_threshold: float = float("inf")
    distance_mean: float = 0.0
    distance_std: float = 1.0
    other_mean: float = 0.0
    other_std: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def probabilities(logits: Floats, temperature: float) -> Floats:
    """Softmax of logits / temperature: float32 (B, C), rows sum to 1."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    exponents = np.exp(scaled)
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)


def unit_length(vectors: Floats) -> Floats:
    """Each row divided by its Euclidean length."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def embedding_distance(embeddings: Floats, references: Floats) -> Floats:
    """Cosine distance, 0 to 2, from each embedding (B, D) to the nearest of the known sneakers' references (R, D)."""
    nearest = (unit_length(embeddings) @ unit_length(references).T).max(axis=1)
    return np.asarray(1 - nearest, dtype=np.float32)


def other_log_odds(outputs: Outputs) -> Floats | None:
    """Log-odds of "something else" against all classes together, (B,)."""
    if outputs.other is None:
        return None
    highest = outputs.logits.max(axis=1)
    together = highest + np.log(np.exp(outputs.logits - highest[:, None]).sum(axis=1))
    return np.asarray(outputs.other - together, dtype=np.float32)


def ood_score(outputs: Outputs, references: Floats, decision: Decision) -> Floats:
    """How unlike every known sneaker a photo is: float32 (B,), about 0 for an ordinary sneaker, larger is stranger.

    The embedding distance to the nearest reference, in standard deviations of known sneakers; where the network was
    trained with photos of other things, its own log-odds of them, likewise scaled, are added.
    """
    distance = embedding_distance(outputs.embeddings, references)
    score = (distance - decision.distance_mean) / decision.distance_std
    odds = other_log_odds(outputs)
    if odds is not None:
        score = score + (odds - decision.other_mean) / decision.other_std
    return np.asarray(np.clip(score, -_FAR, _FAR), dtype=np.float32)


def statuses(top_probability: Floats, score: Floats, decision: Decision) -> list[Status]:
    """One of the three answers for each photo.

    Parameters
    ----------
    top_probability : float32 array (B,)
    score : float32 array (B,)
        From `ood_score`.
    """
    return [
        Status.UNKNOWN
        if strange > decision.ood_threshold
        else Status.KNOWN
        if sure >= decision.confidence_threshold
        else Status.UNSURE
        for sure, strange in zip(top_probability, score, strict=True)
    ]
