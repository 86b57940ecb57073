"""Fit the temperature and thresholds of a model's decision on photos it was not trained on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sneaker_core.networks.decision import (
    Decision,
    Floats,
    Outputs,
    embedding_distance,
    negatives_log_odds,
    ood_score,
    ood_terms,
    probabilities,
    unit_length,
)

REFERENCES_PER_CLASS = 6
# Share of known sneakers that may be rejected as out-of-distribution.
FALSE_REJECTION_RATE = 0.03
# Target accuracy of answers with the status "known".
KNOWN_ACCURACY = 0.95
# An answer below 0.6 is never "known", and an answer of at least 0.95 always is.
CONFIDENCE_THRESHOLD_RANGE = (0.6, 0.95)
# With fewer negatives, the terms of the OOD score keep their default weights.
FEWEST_NEGATIVES = 50
# A world with fewer validation photos counts as part of the rest: a threshold can't be fitted to it.
FEWEST_OF_WORLD = 40


def world_numbers(worlds: Sequence[str | None]) -> NDArray[np.int64]:
    """A number for the world of each photo; all worlds with fewer than `FEWEST_OF_WORLD` photos share one.

    Parameters
    ----------
    worlds : sequence of str or None
        Of N photos; None where the world isn't known.
    """
    names = np.array([world or "" for world in worlds], dtype=object).astype(str)
    _, numbers, counts = np.unique(names, return_inverse=True, return_counts=True)
    return np.asarray(np.where(counts[numbers] < FEWEST_OF_WORLD, -1, numbers), dtype=np.int64)


def world_weights(worlds: NDArray[np.int64]) -> NDArray[np.float64]:
    """A weight for each photo, 1 on average, with which all worlds count alike: float64 (N,)."""
    _, numbers, counts = np.unique(worlds, return_inverse=True, return_counts=True)
    return np.asarray(len(worlds) / (len(counts) * counts[numbers]), dtype=np.float64)


def fit_temperature(logits: Floats, truth: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> float:
    """The temperature, between 0.05 and 20, that minimizes the negative log-likelihood of the true classes.

    Parameters
    ----------
    logits : float32 array (N, C)
    truth : int array (N,)
    weights : float64 array (N,), optional
        How much each photo counts.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks.
    """
    from scipy.optimize import minimize_scalar

    def negative_log_likelihood(log_temperature: float) -> float:
        calibrated = probabilities(logits, float(np.exp(log_temperature)))
        losses = -np.log(np.maximum(calibrated[np.arange(len(truth)), truth], 1e-12))
        return float(np.average(losses, weights=weights))

    best = minimize_scalar(negative_log_likelihood, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(best.x))


def fit_references(embeddings: Floats, truth: NDArray[np.int64], seed: int) -> Floats:
    """Cluster the embeddings of known sneakers into a few reference embeddings per class.

    Parameters
    ----------
    embeddings : float32 array (N, D)
        Of training photos of sneakers.
    truth : int array (N,)
    seed : int

    Returns
    -------
    float32 array (R, D)
        Unit length; at most `REFERENCES_PER_CLASS` rows per class.
    """
    from sklearn.cluster import KMeans

    unit = unit_length(embeddings)
    centers = []
    for label in np.unique(truth):
        members = unit[truth == label]
        clusters = min(REFERENCES_PER_CLASS, len(members))
        centers.append(KMeans(clusters, n_init=2, random_state=seed).fit(members).cluster_centers_)
    return unit_length(np.concatenate(centers).astype(np.float32))


def fit_confidence_threshold(confidence: Floats, correct: NDArray[np.bool_]) -> float:
    """The lowest confidence threshold whose answers reach `KNOWN_ACCURACY`, within `CONFIDENCE_THRESHOLD_RANGE`.

    Parameters
    ----------
    confidence : float32 array (N,)
        Probability of the predicted class.
    correct : bool array (N,)
    """
    order = np.argsort(-confidence)
    accuracy = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    # A threshold includes all photos of equal confidence.
    last_of_equals = np.append(np.diff(confidence[order]) != 0, True)
    lowest, highest = CONFIDENCE_THRESHOLD_RANGE
    good = np.flatnonzero((accuracy >= KNOWN_ACCURACY) & last_of_equals & (confidence[order] >= lowest))
    return float(min(highest, confidence[order][good[-1]])) if len(good) else highest


def fit_ood_weights(
    known: Floats, negatives: Floats, weights: NDArray[np.float64] | None = None
) -> tuple[float, float, float]:
    """The weights, at least 0 and 2 in sum, with which the terms of the OOD score best tell negatives from sneakers.

    Parameters
    ----------
    known, negatives : float32 arrays (N, 3) and (M, 3)
        From `ood_terms`. Known sneakers and negatives count alike, however many there are of each.
    weights : float64 array (N,), optional
        How much each known sneaker counts.
    """
    from sklearn.linear_model import LogisticRegression

    is_negative = np.repeat([0, 1], [len(known), len(negatives)])
    shares = np.concatenate([np.ones(len(known)) if weights is None else weights, np.ones(len(negatives))])
    model = LogisticRegression(class_weight="balanced")
    fitted = model.fit(np.concatenate([known, negatives]), is_negative, sample_weight=shares)
    weights = np.maximum(fitted.coef_[0], 0)
    distance, odds, logit = 2 * weights / weights.sum() if weights.sum() else (1.0, 1.0, 0.0)
    return float(distance), float(odds), float(logit)


def fit_decision(
    outputs: Outputs,
    truth: NDArray[np.int64],
    references: Floats,
    negatives: Outputs | None = None,
    worlds: NDArray[np.int64] | None = None,
) -> Decision:
    """Fit the temperature and both thresholds on validation photos of known sneakers.

    All worlds count alike for the temperature and the OOD score, and "known" answers are as accurate as they should be
    in each of them.

    Parameters
    ----------
    outputs : Outputs
        Of N validation photos.
    truth : int array (N,)
    references : float32 array (R, D)
        From `fit_references`.
    negatives : Outputs, optional
        Of validation photos that show none of the classes; from `FEWEST_NEGATIVES` on, the terms of the OOD score are
        weighted by how well they tell these from known sneakers.
    worlds : int64 array (N,), optional
        From `world_numbers`; one world by default.
    """
    worlds = np.zeros(len(truth), np.int64) if worlds is None else worlds
    weights = world_weights(worlds)
    distance = embedding_distance(outputs.embeddings, references)
    odds = negatives_log_odds(outputs)
    decision = Decision(
        temperature=fit_temperature(outputs.logits, truth, weights),
        distance_mean=float(distance.mean()),
        distance_std=float(distance.std()) or 1.0,
        negatives_mean=0.0 if odds is None else float(odds.mean()),
        negatives_std=1.0 if odds is None else float(odds.std()) or 1.0,
        logit_mean=float(outputs.logits.max(1).mean()),
        logit_std=float(outputs.logits.max(1).std()) or 1.0,
    )
    if negatives is not None and len(negatives.logits) >= FEWEST_NEGATIVES:
        known_terms, negatives_terms = (ood_terms(some, references, decision) for some in (outputs, negatives))
        distance_weight, odds_weight, logit_weight = fit_ood_weights(known_terms, negatives_terms, weights)
        decision = replace(
            decision, distance_weight=distance_weight, negatives_weight=odds_weight, logit_weight=logit_weight
        )
    calibrated = probabilities(outputs.logits, decision.temperature)
    score, confidence = ood_score(outputs, references, decision), calibrated.max(1)
    correct = calibrated.argmax(1) == truth
    thresholds = [fit_confidence_threshold(confidence[part], correct[part]) for part in _parts(worlds)]
    return replace(
        decision,
        confidence_threshold=max(thresholds),
        ood_threshold=_quantile(score, 1 - FALSE_REJECTION_RATE, weights),
    )


def _parts(worlds: NDArray[np.int64]) -> list[NDArray[np.bool_]]:
    """Which photos belong to each world, and all photos."""
    return [np.ones(len(worlds), dtype=bool), *(worlds == world for world in np.unique(worlds))]


def _quantile(values: Floats, share: float, weights: NDArray[np.float64]) -> float:
    """The value below which that share of the weight lies, interpolated linearly, as `numpy.quantile` without weights.

    The lowest value is the quantile of 0 and the highest that of 1.
    """
    order = np.argsort(values)
    mass = np.cumsum(weights[order])
    places = (mass - mass[0]) / max(mass[-1] - mass[0], 1e-12)
    return float(np.interp(share, places, values[order].astype(np.float64)))
