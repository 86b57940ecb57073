"""Learning-rate finder: a short training whose learning rate increases from far too low to far too high.

References
----------
Smith (2017), Cyclical Learning Rates for Training Neural Networks, section 3.3.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import SneakerNetwork
from sneaker_core.training.head_training import CROPPED_VIEWS, HeadTraining, embed_views
from sneaker_core.training.prepared_photos import PreparedPhotos
from sneaker_core.training.recipe import RANGES, Recipe
from sneaker_core.training.trainer import Trainer, TrainingData
from sneaker_core.training.training_setup import set_up_training
from sneaker_core.workspace.jobs import Worker

MIN_STEPS = 20
# Smoothing factor of the running mean, and the factor above its minimum at which the loss has diverged.
_SMOOTHING = 0.9
_DIVERGED = 4.0
# Width in steps of the Gaussian that smooths the loss before its steepest slope is found.
_BLUR = 4
# Smallest significant decrease, as a share of the initial loss.
_MIN_DECREASE = 0.03

# Loss of a step -> whether to continue.
_OnLoss = Callable[[float], bool]


@dataclass(frozen=True)
class LearningRateCurve:
    """Result of the learning-rate finder.

    Attributes
    ----------
    rates : float64 array (S,)
        Learning rates that were tried, in increasing order.
    losses : float64 array (S,)
        Running mean of the loss at each rate.
    suggestion : float or None
        Rate at which the loss falls fastest; None if it never fell, or the search was stopped too early.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    suggestion: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"rates": self.rates.tolist(), "losses": self.losses.tolist(), "suggestion": self.suggestion}


def find_learning_rate(
    dataset: str,
    recipe: Recipe,
    workspace: Path,
    worker: Worker,
    only: Sequence[str] = (),
    negatives: Path | None = None,
    steps: int = 80,
) -> LearningRateCurve:
    """Try increasing learning rates, one per batch, until the loss diverges.

    Parameters
    ----------
    dataset : str
        Name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
        Its learning rate is ignored.
    workspace : Path
    worker : Worker
        Receives the progress; when asked to stop, the partial result is returned.
    only : sequence of str
        Classes to use; empty for all.
    negatives : Path, optional
        Folder of photos that show no sneaker.
    steps : int
        Number of rates to try, `MIN_STEPS` or more.

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used.
    SpaceError
        The disk is full.
    """
    if steps < MIN_STEPS:
        raise RecipeError(f"steps is {steps}; the learning-rate finder needs at least {MIN_STEPS}.")
    lowest, highest = RANGES["learning_rate"]
    rates = np.geomspace(lowest, highest, steps)
    network, photos = set_up_training(dataset, recipe, workspace, only, negatives, worker.report)
    curve = LossCurve(steps, worker)
    if recipe.trainable == "head":
        _train_head(network, photos, recipe, rates, workspace, curve.add, worker)
    else:
        _train_network(network, photos.training_data(), recipe, rates, curve.add)
    tried = rates[: len(curve.losses)]
    return LearningRateCurve(tried, np.array(curve.smoothed), suggested_rate(tried, np.array(curve.losses)))


def suggested_rate(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> float | None:
    """The learning rate at which the loss falls fastest, before its minimum.

    Parameters
    ----------
    rates : float64 array (S,)
        Increasing by a constant factor.
    losses : float64 array (S,)
        Loss at each rate, not smoothed.

    Returns
    -------
    float or None
        None if the loss does not fall.
    """
    if len(losses) < MIN_STEPS // 2:
        return None
    # A symmetric kernel: a running mean would find the slope too late.
    distance = np.arange(-3 * _BLUR, 3 * _BLUR + 1)
    weights = np.exp(-((distance / _BLUR) ** 2) / 2)
    smooth = np.convolve(np.pad(losses, 3 * _BLUR, mode="edge"), weights / weights.sum(), "valid")
    end = int(smooth.argmin())
    if smooth[: end + 1].max() - smooth[end] <= _MIN_DECREASE * smooth[0]:
        return None
    steepest = int(np.gradient(smooth)[: end + 1].argmin())
    lowest, highest = RANGES["learning_rate"]
    return float(np.clip(rates[steepest], lowest, highest))


class LossCurve:
    """Losses of the finder so far, and when to stop.

    Attributes
    ----------
    losses, smoothed : list of float
        Loss of each step, and its running mean.
    """

    def __init__(self, steps: int, worker: Worker) -> None:
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._steps = steps
        self._worker = worker
        self._mean = 0.0

    def add(self, loss: float) -> bool:
        """Add the loss of the next step; returns whether to continue."""
        if not math.isfinite(loss):
            return False
        self.losses.append(loss)
        self._mean = _SMOOTHING * self._mean + (1 - _SMOOTHING) * loss
        # Correct the bias from starting the mean at 0.
        self.smoothed.append(self._mean / (1 - _SMOOTHING ** len(self.losses)))
        self._worker.report(len(self.losses), self._steps, "Trying learning rates", loss=self.smoothed[-1])
        return self.smoothed[-1] <= _DIVERGED * min(self.smoothed) and not self._worker.stopped()


class _LrRangeTrainer(Trainer):
    """A training of one epoch with its own learning rate for each step."""

    def __init__(self, network: SneakerNetwork, data: TrainingData, recipe: Recipe, rates: NDArray[np.float64]) -> None:
        super().__init__(network, data, recipe)
        self.rates = rates
        self.steps_per_epoch = len(rates)

    def rate_at(self, step: int) -> float:
        """Learning rate of the head at a step."""
        return float(self.rates[step])


def _train_network(
    network: SneakerNetwork, data: TrainingData, recipe: Recipe, rates: NDArray[np.float64], on_loss: _OnLoss
) -> None:
    """Train all trainable layers at full size."""
    one_epoch = replace(recipe, epochs=1, head_epochs=0, small_share=0.0)
    trainer, before = _LrRangeTrainer(network, data, one_epoch, rates), 0.0

    def on_step(done: int, mean: float, speed: float) -> bool:
        nonlocal before
        loss, before = mean * done - before, mean * done
        return on_loss(loss)

    try:
        trainer.train_epoch(on_step)
    except RecipeError:
        # The loss is infinite or NaN: the end of the search, unless it happened in the first step.
        if not before:
            raise


def _train_head(
    network: SneakerNetwork,
    photos: PreparedPhotos,
    recipe: Recipe,
    rates: NDArray[np.float64],
    workspace: Path,
    on_loss: _OnLoss,
    worker: Worker,
) -> None:
    """Train the head on embeddings, which stay cached for the training itself."""
    data = photos.training_data()
    assert data.rows is not None
    views = embed_views(network, photos, data.rows, CROPPED_VIEWS, recipe, workspace, worker.report)
    network.head.train()
    training = HeadTraining(network, views, data, recipe)
    for rate in rates:
        loss, _ = training.step(float(rate))
        if not on_loss(loss):
            return
