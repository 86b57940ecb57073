"""From network outputs to an answer: calibrated probabilities, out-of-distribution (OOD) score, and status."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Both terms of the OOD score are z-scores; the score is clipped at this many standard deviations.
_FAR = 30.0


class Status(StrEnum):
    """The kind of answer to a photo."""

    KNOWN = "known"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    ERROR = "error"


@dataclass(frozen=True)
class Outputs:
    """Network outputs for a batch, averaged over views.

    Attributes
    ----------
    logits : float32 array (B, C)
        One per class.
    negatives_logit : float32 array (B,) or None
        Logit of the negatives class, for networks trained with negatives (photos that show no sneaker).
    embeddings : float32 array (B, D)
    """

    logits: Floats
    negatives_logit: Floats | None
    embeddings: Floats

    def take(self, rows: NDArray[np.int64]) -> "Outputs":
        """Select rows, in the given order."""
        negatives = None if self.negatives_logit is None else self.negatives_logit[rows]
        return Outputs(self.logits[rows], negatives, self.embeddings[rows])


@dataclass(frozen=True)
class Decision:
    """Fitted values that turn outputs into an answer.

    Attributes
    ----------
    temperature : float
        Logits are divided by it before the softmax, so that answers with probability 0.8 are right 80% of the time.
    confidence_threshold : float
        The answer is "known" from this probability on.
    ood_threshold : float
        The answer is "unknown" when the OOD score is above it.
    distance_mean, distance_std : float
        Mean and standard deviation of known sneakers' embedding distances; they standardize the distance.
    negatives_mean, negatives_std : float
        The same for the log-odds of the negatives class; 0 and 1 for networks without it.
    """

    temperature: float = 1.0
    confidence_threshold: float = 0.6
    ood_threshold: float = float("inf")
    distance_mean: float = 0.0
    distance_std: float = 1.0
    negatives_mean: float = 0.0
    negatives_std: float = 1.0

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


def negatives_log_odds(outputs: Outputs) -> Floats | None:
    """Log-odds of the negatives class against all sneaker classes together: float32 (B,), None without that class."""
    if outputs.negatives_logit is None:
        return None
    highest = outputs.logits.max(axis=1)
    combined = highest + np.log(np.exp(outputs.logits - highest[:, None]).sum(axis=1))
    return np.asarray(outputs.negatives_logit - combined, dtype=np.float32)


def ood_score(outputs: Outputs, references: Floats, decision: Decision) -> Floats:
    """Out-of-distribution score: float32 (B,), about 0 for a typical known sneaker, higher the less it looks like one.

    The standardized embedding distance to the nearest reference, plus, for networks trained with negatives, the
    standardized log-odds of the negatives class.
    """
    distance = embedding_distance(outputs.embeddings, references)
    score = (distance - decision.distance_mean) / decision.distance_std
    odds = negatives_log_odds(outputs)
    if odds is not None:
        score = score + (odds - decision.negatives_mean) / decision.negatives_std
    return np.asarray(np.clip(score, -_FAR, _FAR), dtype=np.float32)


def statuses(top_probability: Floats, score: Floats, decision: Decision) -> list[Status]:
    """Status of each photo: unknown, known or unsure.

    Parameters
    ----------
    top_probability : float32 array (B,)
    score : float32 array (B,)
        From `ood_score`.
    """
    return [
        Status.UNKNOWN
        if ood > decision.ood_threshold
        else Status.KNOWN
        if confidence >= decision.confidence_threshold
        else Status.UNSURE
        for confidence, ood in zip(top_probability, score, strict=True)
    ]
