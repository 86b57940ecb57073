"""Pool the outputs for several photos of one sneaker into one answer.

The logits of the photos are averaged and divided by a temperature of their own, which depends on the number of photos
n: the temperature for one photo times n to the power of -a. The exponent a says how much the photos tell beyond the
first. With a = 0 they are as good as copies of one photo: the average is no more certain than its photos. With a = 1
they are independent: the scores of the classes add up as in naive Bayes. Photos of one sneaker lie between the two, so
a is fitted to groups of validation photos (`evaluation.pooling_fit`), after averaging: averages of calibrated
probabilities are too cautious, and need a calibration of their own.

References
----------
Satopää et al. (2014), Combining multiple probability predictions using a simple logit model: averaged log-odds are
multiplied by a fitted factor. Rahaman and Thiery (2021), Uncertainty quantification and deep ensembles: pool first,
calibrate afterwards.
"""

from dataclasses import replace

import numpy as np

from sneaker_core.networks.decision import Decision, Floats, Outputs

# The exponent is fitted to groups of 2 to this many photos. More photos are as certain as this many.
MOST_POOLED = 5
# Below this ratio, photos more probably show different sneakers, even if nine of ten such sets show one.
LEAST_SAME_RATIO = 0.1


def pooled_temperature(decision: Decision, photos: int) -> float:
    """The temperature for the averaged logits of that many photos; for one, the model's own."""
    return float(decision.temperature * min(photos, MOST_POOLED) ** -decision.pooling_exponent)


def with_pooled_temperature(decision: Decision, photos: int) -> Decision:
    """The decision on the averaged outputs of that many photos."""
    return replace(decision, temperature=pooled_temperature(decision, photos))


def mean_row(values: Floats) -> Floats:
    """The mean of all rows, as one row; the same in every order of the rows."""
    # Rounding depends on the order of the sum.
    return np.asarray(np.sort(values.astype(np.float64), axis=0).mean(0, keepdims=True), dtype=np.float32)


def pooled(outputs: Outputs) -> Outputs:
    """The outputs for photos of one sneaker, averaged: one row."""
    return Outputs(
        logits=mean_row(outputs.logits),
        negatives_logit=None if outputs.negatives_logit is None else mean_row(outputs.negatives_logit),
        embeddings=mean_row(outputs.embeddings),
        footwear_logits=None if outputs.footwear_logits is None else mean_row(outputs.footwear_logits),
    )


def same_ratio(chances: Floats) -> Floats:
    """How well photos fit to one sneaker: the lowest Bayes factor, of any two photos, of "the same class" to "any two".

    With all classes equally probable beforehand, it is C times the sum of the products of their probabilities: 1 if one
    of the photos says nothing, C for two that are certain of the same class, and near 0 for two that are certain of
    different ones.

    Parameters
    ----------
    chances : float32 array (G, N, C)
        Calibrated probabilities of the photos of each group; rows sum to 1.

    Returns
    -------
    float32 array (G,)
        Infinite for groups of one photo.
    """
    ratios = chances.shape[2] * np.matmul(chances, chances.transpose(0, 2, 1), dtype=np.float64)
    ratios[:, np.eye(chances.shape[1], dtype=bool)] = np.inf
    return np.asarray(ratios.min(axis=(1, 2)), dtype=np.float32)
