"""Fits the numbers that turn a network's outputs into an honest answer, on photos it was not trained on."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.cluster import KMeans

from sneaker_core.networks.decision import (
    Decision,
    Floats,
    Outputs,
    embedding_distance,
    ood_score,
    other_log_odds,
    probabilities,
    unit_length,
)

REFERENCES_PER_CLASS = 6
# Share of known sneakers that may be answered "not a sneaker I know".
REFUSED_SHARE = 0.03
# "Known" answers shall be right this often.
SURE_ACCURACY = 0.95
# … but a chance of less than six in ten is never called "known", and one of 0.95 always is.
SURE_RANGE = (0.6, 0.95)


def fit_temperature(logits: Floats, truth: NDArray[np.int64]) -> float:
    """The temperature, 0.05 to 20, that makes the true classes most likely.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks.
    """

    def negative_log_likelihood(log_temperature: float) -> float:
        chances = probabilities(logits, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-12)).mean())

    best = minimize_scalar(negative_log_likelihood, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(best.x))


def fit_references(embeddings: Floats, truth: NDArray[np.int64], seed: int) -> Floats:
    """Unit embeddings that stand for the known sneakers: a few cluster centres a class.

    Parameters
    ----------
    embeddings : float32 array (N, D)
        Of training photos of sneakers.
    truth : int array (N,)
    seed : int

    Returns
    -------
    float32 array (R, D)
        At most `REFERENCES_PER_CLASS` rows a class.
    """
    unit = unit_length(embeddings)
    centres = []
    for label in np.unique(truth):
        members = unit[truth == label]
        clusters = min(REFERENCES_PER_CLASS, len(members))
        centres.append(KMeans(clusters, n_init=2, random_state=seed).fit(members).cluster_centers_)
    return unit_length(np.concatenate(centres).astype(np.float32))


def fit_confidence_threshold(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """The smallest probability from which answers are right `SURE_ACCURACY` of the time, within `SURE_RANGE`."""
    order = np.argsort(-confidence)
    accuracy = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Equal probabilities are answered alike, so a threshold takes in all of them.
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)
    lowest, highest = SURE_RANGE
    good = np.flatnonzero((accuracy >= SURE_ACCURACY) & last_of_equals & (confidence[order] >= lowest))
    return float(min(highest, confidence[order][good[-1]])) if len(good) else highest


def fit_decision(outputs: Outputs, truth: NDArray[np.int64], references: Floats) -> Decision:
    """Fit temperature and thresholds on validation photos of known sneakers.

    Parameters
    ----------
    outputs : Outputs
        Of N validation photos.
    truth : int array (N,)
    references : float32 array (R, D)
    """
    distance = embedding_distance(outputs.embeddings, references)
    odds = other_log_odds(outputs)
    decision = Decision(
        temperature=fit_temperature(outputs.logits, truth),
        distance_mean=float(distance.mean()),
        distance_std=float(distance.std()) or 1.0,
        other_mean=0.0 if odds is None else float(odds.mean()),
        other_std=1.0 if odds is None else float(odds.std()) or 1.0,
    )
    chances = probabilities(outputs.logits, decision.temperature)
    score = ood_score(outputs, references, decision)
    return replace(
        decision,
        confidence_threshold=fit_confidence_threshold(chances.max(1), chances.argmax(1) == truth),
        ood_threshold=float(np.quantile(score, 1 - REFUSED_SHARE)),
    )
