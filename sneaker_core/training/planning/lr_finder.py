"""Which learning rate to train with: a short training whose rate grows from next to nothing to far too much.

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
from sneaker_core.training.head_training import CROPPED_VIEWS, HeadTraining, embedded_views
from sneaker_core.training.network_setup import begin
from sneaker_core.training.prepared_data import Materials
from sneaker_core.training.recipe import RANGES, Recipe
from sneaker_core.training.trainer import Trainer, TrainingData
from sneaker_core.workspace.jobs import Worker

FEWEST_STEPS = 20
# Share of the old mean in the new one, and how far that mean may rise above its best.
_SMOOTHING = 0.9
_DIVERGED = 4.0
# To find where the loss falls, it is averaged over about so many steps on either side.
_BLUR = 4
# Share of the loss at the start; a fall below this is the luck of the draw.
_LEAST_FALL = 0.03

# The loss of a step -> whether to go on.
_OnLoss = Callable[[float], bool]


@dataclass(frozen=True)
class RateSearch:
    """What a search for the learning rate found.

    Attributes
    ----------
    rates : float64 array (S,)
        Those that were tried, growing.
    losses : float64 array (S,)
        The loss at each, smoothed over the steps before it.
    suggestion : float or None
        Where the loss falls fastest; None where it never fell, or the search was stopped before it could.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    suggestion: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"rates": self.rates.tolist(), "losses": self.losses.tolist(), "suggestion": self.suggestion}


def find_rates(
    dataset: str,
    recipe: Recipe,
    workspace: Path,
    worker: Worker,
    only: Sequence[str] = (),
    others: Path | None = None,
    steps: int = 80,
) -> RateSearch:
    """Try growing learning rates, one a batch, until the loss runs away.

    Parameters
    ----------
    dataset : str
        The name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
        Its learning rate plays no part.
    workspace : Path
    worker : Worker
        Hears how far it is; asked to stop, the search gives what it has.
    only : sequence of str
        Classes to use; all when empty.
    others : Path, optional
        A folder with photos of anything but sneakers.
    steps : int
        Rates to try, `FEWEST_STEPS` or more.

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used.
    SpaceError
        The disk is full.
    """
    if steps < FEWEST_STEPS:
        raise RecipeError(f"steps is {steps}; a search for the learning rate needs at least {FEWEST_STEPS}.")
    lowest, highest = RANGES["learning_rate"]
    rates = np.geomspace(lowest, highest, steps)
    network, materials = begin(dataset, recipe, workspace, only, others, worker.report)
    curve = LossCurve(steps, worker)
    if recipe.trainable == "head":
        _try_on_head(network, materials, recipe, rates, workspace, curve.add, worker)
    else:
        _try_on_network(network, materials.training_data(), recipe, rates, curve.add)
    tried = rates[: len(curve.losses)]
    return RateSearch(tried, np.array(curve.smoothed), suggested_rate(tried, np.array(curve.losses)))


def suggested_rate(rates: NDArray[np.float64], losses: NDArray[np.float64]) -> float | None:
    """The rate at which the loss falls fastest, before it is at its lowest.

    Parameters
    ----------
    rates : float64 array (S,)
        Growing by the same factor from each to the next.
    losses : float64 array (S,)
        The loss at each, as it came.

    Returns
    -------
    float or None
        None where the loss does not fall.
    """
    if len(losses) < FEWEST_STEPS // 2:
        return None
    # Averaged over both sides: a mean of the past alone would find every fall too late.
    distance = np.arange(-3 * _BLUR, 3 * _BLUR + 1)
    weights = np.exp(-((distance / _BLUR) ** 2) / 2)
    blurred = np.convolve(np.pad(losses, 3 * _BLUR, mode="edge"), weights / weights.sum(), "valid")
    end = int(blurred.argmin())
    if blurred[: end + 1].max() - blurred[end] <= _LEAST_FALL * blurred[0]:
        return None
    steepest = int(np.gradient(blurred)[: end + 1].argmin())
    lowest, highest = RANGES["learning_rate"]
    return float(np.clip(rates[steepest], lowest, highest))


class LossCurve:
    """The losses of a search as they come, and when they have said enough.

    Attributes
    ----------
    losses, smoothed : list of float
        As they came, and as a running mean.
    """

    def __init__(self, steps: int, worker: Worker) -> None:
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self._steps = steps
        self._worker = worker
        self._mean = 0.0

    def add(self, loss: float) -> bool:
        """Take the loss of the next step; says whether to go on."""
        if not math.isfinite(loss):
            return False
        self.losses.append(loss)
        self._mean = _SMOOTHING * self._mean + (1 - _SMOOTHING) * loss
        # The mean began at 0; what that weighs is taken out again.
        self.smoothed.append(self._mean / (1 - _SMOOTHING ** len(self.losses)))
        self._worker.report(len(self.losses), self._steps, "Trying learning rates", loss=self.smoothed[-1])
        return self.smoothed[-1] <= _DIVERGED * min(self.smoothed) and not self._worker.stopped()


class _GrowingTrainer(Trainer):
    """A training of one epoch, with a rate for each of its steps."""

    def __init__(self, network: SneakerNetwork, data: TrainingData, recipe: Recipe, rates: NDArray[np.float64]) -> None:
        super().__init__(network, data, recipe)
        self.rates = rates
        self.steps_per_epoch = len(rates)

    def rate_at(self, step: int) -> float:
        """Of the head."""
        return float(self.rates[step])


def _try_on_network(
    network: SneakerNetwork, data: TrainingData, recipe: Recipe, rates: NDArray[np.float64], on_loss: _OnLoss
) -> None:
    """As in the epochs at full size in which all that is to learn learns."""
    once = replace(recipe, epochs=1, head_epochs=0, small_share=0.0)
    trainer, before = _GrowingTrainer(network, data, once, rates), 0.0

    def on_step(done: int, mean: float, speed: float) -> bool:
        nonlocal before
        loss, before = mean * done - before, mean * done
        return on_loss(loss)

    try:
        trainer.epoch(on_step)
    except RecipeError:
        # The loss is no number any more: the end of the search, unless it never began.
        if not before:
            raise


def _try_on_head(
    network: SneakerNetwork,
    materials: Materials,
    recipe: Recipe,
    rates: NDArray[np.float64],
    workspace: Path,
    on_loss: _OnLoss,
    worker: Worker,
) -> None:
    """On the embeddings that the head will learn from; a training after this finds them ready."""
    data = materials.training_data()
    assert data.rows is not None
    views = embedded_views(network, materials, data.rows, CROPPED_VIEWS, recipe, workspace, worker.report)
    network.head.train()
    training = HeadTraining(network, views, data, recipe)
    for rate in rates:
        loss, _ = training.step(float(rate))
        if not on_loss(loss):
            return
