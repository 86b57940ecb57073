"""Deletion and insertion curves, which measure whether the areas that a map marks matter more than random ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from sneaker_core.inference.explanation.attributions import Maps, class_number
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import probabilities
from sneaker_core.number_text import percent

Progress = Callable[[int, int], None]

# The photo is covered by a grid of this many squares per side. Covering single pixels would act like noise, and no map
# could be distinguished from a random order.
_GRID = 16
_STEPS = 10
_RANDOM_ORDERS = 5
# Radius of the blur that an insertion starts with, relative to the photo's side.
_BLUR = 0.06
_BATCH = 32
# A map beats a random order if the area under the curve differs by more than this.
_MARGIN = 0.02


@dataclass(frozen=True)
class DeletionInsertion:
    """The answer as a photo is covered (deletion) or revealed (insertion), strongest areas of a map first.

    Attributes
    ----------
    label : str
        Class whose probability the curves show.
    versus : str or None
        If given, the curves show the target's share of the combined probability of both classes.
    shares : float array (S,)
        Share of the photo that is covered (deletion) or revealed (insertion), 0 to 1.
    deletion, insertion : float array (S,)
        Probabilities in the map's order.
    random_deletion, random_insertion : float array (S,)
        Probabilities in random order, averaged over several orders.
    """

    label: str
    versus: str | None
    shares: NDArray[np.float64]
    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]
    random_deletion: NDArray[np.float64]
    random_insertion: NDArray[np.float64]

    @property
    def areas(self) -> dict[str, float]:
        """Area under each curve, 0 to 1: a good map has a small one for deletion and a large one for insertion."""
        names = ("deletion", "random_deletion", "insertion", "random_insertion")
        return {name: float(np.trapezoid(getattr(self, name), self.shares)) for name in names}

    @property
    def gains(self) -> tuple[float, float]:
        """Difference in area between the map and a random order, for deletion and insertion; negative if worse."""
        areas = self.areas
        return areas["random_deletion"] - areas["deletion"], areas["insertion"] - areas["random_insertion"]

    @property
    def better(self) -> tuple[bool, bool]:
        """Whether the map clearly beats a random order, in deletion and in insertion."""
        deletion, insertion = self.gains
        return deletion > _MARGIN, insertion > _MARGIN

    @property
    def sentences(self) -> tuple[str, str, str]:
        """The results in three sentences: deletion, insertion, verdict."""
        areas, (less, more) = self.areas, self.gains
        versus = "" if self.versus is None else f" compared with {self.versus}"
        deletion = (
            f"While the photo is covered, the map's strongest areas first, the probability of {self.label}{versus} "
            f"averages {percent(areas['deletion'])}. That is {_compared(-less)} in random order "
            f"({percent(areas['random_deletion'])})."
        )
        insertion = (
            f"While the blurred photo comes into focus, the strongest areas first, it averages "
            f"{percent(areas['insertion'])}. That is {_compared(more)} in random order "
            f"({percent(areas['random_insertion'])})."
        )
        return deletion, insertion, self._verdict()

    def _verdict(self) -> str:
        if all(self.better):
            return "The areas that the map marks matter more than random ones, by both measures."
        if any(self.better):
            return "The areas that the map marks matter more than random ones by only one measure. Use it with caution."
        return "The areas that the map marks matter no more than random ones. Don't rely on this map."

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        curves = {name: value.round(4).tolist() for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        areas = {name: round(area, 4) for name, area in self.areas.items()}
        return {"label": self.label, "versus": self.versus, **curves, "areas": areas, "sentences": list(self.sentences)}


def _compared(difference: float) -> str:
    """How an average compares with another one, by the margin that the verdict uses."""
    if abs(difference) <= _MARGIN:
        return "about the same as"
    return "higher than" if difference > 0 else "lower than"


def deletion_insertion(
    model: SneakerModel,
    photo: Image.Image,
    heat: Maps,
    target: str,
    versus: str | None = None,
    steps: int = _STEPS,
    random_orders: int = _RANDOM_ORDERS,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> DeletionInsertion:
    """Cover a photo, and reveal it, in the order of a map, and record the probability.

    The photo is divided into 16 x 16 squares, ordered by the map's mean in each. Deletion covers them with ImageNet's
    mean color; insertion starts with a blurred photo and restores them. Random orders of the same squares are the
    baseline. Probabilities are calibrated, as in answers.

    Parameters
    ----------
    model : SneakerModel
    photo : RGB image
    heat : float32 array (H, W)
        The map, at the network's input size.
    target : str
    versus : str, optional
    steps : int
        Number of steps from 0 to the whole photo.
    random_orders : int
    seed : int
    progress : callable, optional
        Called with the number of images classified and the total.

    Raises
    ------
    UnknownLabelError
        The model has no such class.

    References
    ----------
    Petsiuk, Das and Saenko (2018), RISE.
    """
    rng = np.random.default_rng(seed)
    orders = [_strongest_first(heat, rng), *(rng.permutation(_GRID**2) for _ in range(random_orders))]
    sharp, blurred = _sharp_and_blurred(model, photo)
    shares = np.linspace(0, 1, steps + 1)
    masks = torch.cat([_masks(order, shares, heat.shape) for order in orders])
    # The squares that a mask selects are covered (deletion), or in focus while the rest is blurred (insertion).
    shown = [(torch.zeros_like(sharp), sharp), (sharp, blurred)]
    total, values = len(shown) * len(masks), []
    for chosen, others in shown:
        for start in range(0, len(masks), _BATCH):
            mask = masks[start : start + _BATCH]
            values.append(_chances(model, chosen * mask + others * (1 - mask), target, versus))
            progress(sum(map(len, values)), total)
    curves = np.concatenate(values).reshape(2, len(orders), len(shares))
    mean = curves[:, 1:].mean(1)
    return DeletionInsertion(target, versus, shares, curves[0, 0], curves[1, 0], mean[0], mean[1])


def _strongest_first(heat: Maps, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of the squares, by descending mean of the map; ties in random order."""
    cells = _cell_of(heat.shape)
    means = np.bincount(cells.ravel(), heat.ravel(), _GRID**2) / np.maximum(np.bincount(cells.ravel()), 1)
    return np.lexsort((rng.random(_GRID**2), -means)).astype(np.int64)


def _cell_of(size: tuple[int, ...]) -> NDArray[np.int64]:
    """Index of the square that contains each pixel, (H, W)."""
    down, across = (np.arange(side) * _GRID // side for side in size)
    return np.asarray(down[:, None] * _GRID + across[None, :], dtype=np.int64)


def _masks(order: NDArray[np.int64], shares: NDArray[np.float64], size: tuple[int, ...]) -> Tensor:
    """For each share, 1 in the squares that come first in an order: float32 (S, 1, H, W)."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    counts = np.round(shares * len(order)).astype(np.int64)
    chosen = rank[_cell_of(size)][None] < counts[:, None, None]
    return torch.from_numpy(chosen[:, None].astype(np.float32))


def _sharp_and_blurred(model: SneakerModel, photo: Image.Image) -> tuple[Tensor, Tensor]:
    """The preprocessed photo, and the same photo blurred: float32 (3, H, W) each."""
    preprocessing = model.spec.preprocessing
    small = Image.fromarray(preprocessing.resize(photo))
    blurred = small.filter(ImageFilter.GaussianBlur(_BLUR * max(small.size)))
    both = preprocessing([small, blurred])
    return both[0], both[1]


def _chances(model: SneakerModel, images: Tensor, target: str, versus: str | None) -> NDArray[np.float64]:
    chances = probabilities(model.outputs(images).logits, model.spec.decision.temperature).astype(np.float64)
    wanted = chances[:, class_number(model, target)]
    if versus is None:
        return wanted
    return wanted / np.maximum(wanted + chances[:, class_number(model, versus)], 1e-12)
