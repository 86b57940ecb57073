"""From network outputs to an answer: calibrated probabilities, out-of-distribution (OOD) score, and status."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# The terms of the OOD score are z-scores; the score is clipped at this many standard deviations.
FARTHEST = 30.0


class Status(StrEnum):
    """The kind of answer to a photo."""

    KNOWN = "known"
    UNSURE = "unsure"
    UNKNOWN = "unknown"
    ERROR = "error"


class Reason(StrEnum):
    """Why an answer is "unknown"."""

    NOT_FOOTWEAR = "not_footwear"
    OTHER_FOOTWEAR = "other_footwear"


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
    footwear_logits : float32 array (B, F) or None
        One per type of other footwear (such as loafers), for networks trained to tell it from sneakers.
    """

    logits: Floats
    negatives_logit: Floats | None
    embeddings: Floats
    footwear_logits: Floats | None = None

    def take(self, rows: NDArray[np.int64]) -> "Outputs":
        """Select rows, in the given order."""
        negatives = None if self.negatives_logit is None else self.negatives_logit[rows]
        footwear = None if self.footwear_logits is None else self.footwear_logits[rows]
        return Outputs(self.logits[rows], negatives, self.embeddings[rows], footwear)

    @property
    def rejected_logits(self) -> Floats | None:
        """Logits of everything that is not a class: other footwear, then negatives: (B, F + 1), None without any."""
        negatives = [] if self.negatives_logit is None else [self.negatives_logit[:, None]]
        parts = [part for part in (self.footwear_logits, *negatives) if part is not None]
        return np.concatenate(parts, axis=1) if parts else None


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
        The same for the log-odds of what is not a class; 0 and 1 for networks that learned classes only.
    logit_mean, logit_std : float
        The same for the largest logit.
    distance_weight, negatives_weight, logit_weight : float
        Weights of the three terms of the OOD score.
    pooling_exponent : float
        How much several photos of one sneaker say together, 0 to 1; see `networks.pooling`.
    """

    temperature: float = 1.0
    confidence_threshold: float = 0.6
    ood_threshold: float = float("inf")
    distance_mean: float = 0.0
    distance_std: float = 1.0
    negatives_mean: float = 0.0
    negatives_std: float = 1.0
    logit_mean: float = 0.0
    logit_std: float = 1.0
    distance_weight: float = 1.0
    negatives_weight: float = 1.0
    logit_weight: float = 0.0
    pooling_exponent: float = 0.0

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
    """Log-odds of everything that is not a class against all classes: float32 (B,), None if there are only classes."""
    rejected = outputs.rejected_logits
    if rejected is None:
        return None
    return np.asarray(_log_sum_exp(rejected) - _log_sum_exp(outputs.logits), dtype=np.float32)


def _log_sum_exp(logits: Floats) -> NDArray[np.float64]:
    wide = logits.astype(np.float64)
    highest = wide.max(axis=1)
    return np.asarray(highest + np.log(np.exp(wide - highest[:, None]).sum(axis=1)))


def ood_score(outputs: Outputs, references: Floats, decision: Decision) -> Floats:
    """Out-of-distribution score: float32 (B,), about 0 for a typical known sneaker, higher the less it looks like one.

    The weighted sum of `ood_terms`.
    """
    weights = np.array([decision.distance_weight, decision.negatives_weight, decision.logit_weight], np.float32)
    return np.asarray(
        np.clip(ood_terms(outputs, references, decision) @ weights, -FARTHEST, FARTHEST), dtype=np.float32
    )


def ood_terms(outputs: Outputs, references: Floats, decision: Decision) -> Floats:
    """The terms of the OOD score, standardized: float32 (B, 3).

    The embedding distance to the nearest reference; the log-odds of what is not a class (0 for networks that learned
    classes only); and how far the largest logit lies below its mean.
    """
    distance = embedding_distance(outputs.embeddings, references)
    odds = negatives_log_odds(outputs)
    terms = (
        (distance - decision.distance_mean) / decision.distance_std,
        np.zeros(len(distance)) if odds is None else (odds - decision.negatives_mean) / decision.negatives_std,
        (decision.logit_mean - outputs.logits.max(axis=1)) / decision.logit_std,
    )
    return np.stack(terms, axis=1).astype(np.float32)


def reasons(outputs: Outputs) -> list[Reason | None]:
    """Why each photo would be unknown: what is more probable, a shoe or none; None where the network can't tell."""
    if outputs.footwear_logits is None or outputs.negatives_logit is None:
        return [None] * len(outputs.logits)
    shoe = _log_sum_exp(np.concatenate([outputs.logits, outputs.footwear_logits], axis=1))
    return [
        Reason.OTHER_FOOTWEAR if one >= none else Reason.NOT_FOOTWEAR
        for one, none in zip(shoe, outputs.negatives_logit, strict=True)
    ]


def footwear_types(outputs: Outputs, at_least: float) -> list[int | None]:
    """The type of other footwear that each photo shows, by number; None where no type has that probability.

    Parameters
    ----------
    outputs : Outputs
    at_least : float
        Probability among all types and classes, 0 to 1.
    """
    if outputs.footwear_logits is None:
        return [None] * len(outputs.logits)
    every = probabilities(np.concatenate([outputs.footwear_logits, outputs.logits], axis=1), 1.0)
    types = every[:, : outputs.footwear_logits.shape[1]]
    return [int(row.argmax()) if row.max() >= at_least else None for row in types]


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
