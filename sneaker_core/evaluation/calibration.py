"""Fit the temperature and thresholds of a model's decision on photos it was not trained on."""

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


def fit_temperature(logits: Floats, truth: NDArray[np.int64]) -> float:
    """The temperature, between 0.05 and 20, that minimizes the negative log-likelihood of the true classes.

    Parameters
    ----------
    logits : float32 array (N, C)
    truth : int array (N,)

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks.
    """
    from scipy.optimize import minimize_scalar

    def negative_log_likelihood(log_temperature: float) -> float:
        calibrated = probabilities(logits, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(calibrated[np.arange(len(truth)), truth], 1e-12)).mean())

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


def fit_ood_weights(known: Floats, negatives: Floats) -> tuple[float, float, float]:
    """The weights, at least 0 and 2 in sum, with which the terms of the OOD score best tell negatives from sneakers.

    Parameters
    ----------
    known, negatives : float32 arrays (N, 3) and (M, 3)
        From `ood_terms`. Known sneakers and negatives count alike, however many there are of each.
    """
    from sklearn.linear_model import LogisticRegression

    is_negative = np.repeat([0, 1], [len(known), len(negatives)])
    fitted = LogisticRegression(class_weight="balanced").fit(np.concatenate([known, negatives]), is_negative)
    weights = np.maximum(fitted.coef_[0], 0)
    distance, odds, logit = 2 * weights / weights.sum() if weights.sum() else (1.0, 1.0, 0.0)
    return float(distance), float(odds), float(logit)


def fit_decision(
    outputs: Outputs, truth: NDArray[np.int64], references: Floats, negatives: Outputs | None = None
) -> Decision:
    """Fit the temperature and both thresholds on validation photos of known sneakers.

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
    """
    distance = embedding_distance(outputs.embeddings, references)
    odds = negatives_log_odds(outputs)
    decision = Decision(
        temperature=fit_temperature(outputs.logits, truth),
        distance_mean=float(distance.mean()),
        distance_std=float(distance.std()) or 1.0,
        negatives_mean=0.0 if odds is None else float(odds.mean()),
        negatives_std=1.0 if odds is None else float(odds.std()) or 1.0,
        logit_mean=float(outputs.logits.max(1).mean()),
        logit_std=float(outputs.logits.max(1).std()) or 1.0,
    )
    if negatives is not None and len(negatives.logits) >= FEWEST_NEGATIVES:
        terms = (ood_terms(some, references, decision) for some in (outputs, negatives))
        distance_weight, odds_weight, logit_weight = fit_ood_weights(*terms)
        decision = replace(
            decision, distance_weight=distance_weight, negatives_weight=odds_weight, logit_weight=logit_weight
        )
    calibrated = probabilities(outputs.logits, decision.temperature)
    score = ood_score(outputs, references, decision)
    return replace(
        decision,
        confidence_threshold=fit_confidence_threshold(calibrated.max(1), calibrated.argmax(1) == truth),
        ood_threshold=float(np.quantile(score, 1 - FALSE_REJECTION_RATE)),
    )
