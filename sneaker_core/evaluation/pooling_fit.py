"""Fit how much several photos of one sneaker say together, on groups of validation photos."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sneaker_core.evaluation.calibration import world_weights
from sneaker_core.networks.decision import Decision, Floats, probabilities
from sneaker_core.networks.pooling import MOST_POOLED, pooled_temperature

# Each photo is in about this many groups of each size.
_ROUNDS = 10
# With fewer groups of a size, there is nothing to fit.
FEWEST_GROUPS = 100


def photo_groups(
    truth: NDArray[np.int64], worlds: NDArray[np.int64], size: int, seed: int, rounds: int = _ROUNDS
) -> NDArray[np.int64]:
    """Random groups of photos of the same class and the same world.

    Parameters
    ----------
    truth : int64 array (N,)
        Class of each photo.
    worlds : int64 array (N,)
        From `calibration.world_numbers`.
    size : int
        Photos per group. No photo is twice in a group.
    seed : int
    rounds : int
        How often the photos are divided into groups.

    Returns
    -------
    int64 array (G, size)
        Rows of the photos. Photos of a class with fewer in their world are in no group.
    """
    rng = np.random.default_rng([seed, size])
    _, cells = np.unique(np.stack([truth, worlds]), axis=1, return_inverse=True)
    groups = [np.zeros((0, size), np.int64)]
    for cell in range(int(cells.max(initial=-1)) + 1):
        members = np.flatnonzero(cells == cell)
        whole = len(members) // size * size
        groups += [rng.permutation(members)[:whole].reshape(-1, size) for _ in range(rounds)]
    return np.concatenate(groups)


def fit_pooling_exponent(
    logits: Floats, truth: NDArray[np.int64], worlds: NDArray[np.int64], temperature: float, seed: int = 0
) -> float:
    """The exponent, 0 to 1, that minimizes the negative log-likelihood of the true classes of groups of photos.

    Groups of 2 to `MOST_POOLED` photos count alike, and so do all worlds. A smooth function of the number of photos
    with one parameter, not a temperature for each number: few classes have many validation photos. The photos of a
    group show the same model, and often different pairs, in other colors and by other photographers. Photos of one pair
    have more in common, so that their mistakes agree more often than those of these groups.

    Parameters
    ----------
    logits : float32 array (N, C)
        Of validation photos of known sneakers.
    truth : int64 array (N,)
    worlds : int64 array (N,)
    temperature : float
        Of one photo.
    seed : int
        Of the groups.

    Returns
    -------
    float
        0, which treats several photos as cautiously as one, if there are fewer than `FEWEST_GROUPS` groups of a size.
    """
    from scipy.optimize import minimize_scalar

    sets = [photo_groups(truth, worlds, size, seed) for size in range(2, MOST_POOLED + 1)]
    if min(map(len, sets)) < FEWEST_GROUPS:
        return 0.0
    parts = [(logits[rows].mean(1), truth[rows[:, 0]], world_weights(worlds[rows[:, 0]])) for rows in sets]

    def negative_log_likelihood(exponent: float) -> float:
        decision = replace(Decision(), temperature=temperature, pooling_exponent=exponent)
        losses = []
        for size, (means, labels, weights) in enumerate(parts, start=2):
            chances = probabilities(means, pooled_temperature(decision, size))[np.arange(len(labels)), labels]
            losses.append(np.average(-np.log(np.maximum(chances, 1e-12)), weights=weights))
        return float(np.mean(losses))

    return float(minimize_scalar(negative_log_likelihood, bounds=(0, 1), method="bounded").x)
