"""How much a map is worth: two questions that a map must pass before anybody believes it.

Does it depend on what the network has learnt? And do the places that it marks matter to the answer, more than any
others do?
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from sneaker_core.inference.explanation.attributions import Maps, attribute, class_number
from sneaker_core.inference.explanation.explanation_request import Method, Question
from sneaker_core.inference.explanation.model_copies import shuffled_copy
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import probabilities

Progress = Callable[[int, int], None]

# Which layers are shuffled, as a share of all that have weights, counted from the output: the last, half, all.
SHARES = (0.0, 0.5, 1.0)
# Maps of few places can be alike by chance, so several shuffled networks are asked; maps of single pixels cannot.
_DRAWS = {Method.GRADCAM: 5, Method.GUIDED_GRADCAM: 2, Method.INTEGRATED_GRADIENTS: 1, Method.OCCLUSION: 1}
# A map that agrees this much with that of a network which knows nothing is no evidence of what the network knows.
_ALIKE = 0.5

# The photo is covered in squares, so many a side: single pixels strewn over a photo would spoil it like noise does,
# and no map could be told from a random order.
_CELLS = 16
_STEPS = 10
_RANDOM_ORDERS = 5
# Of the blur that an insertion begins with, as a share of the photo's side.
_BLUR = 0.06
_AT_ONCE = 32
# "The brightest fifth", the share that the sentence tells of.
_TOLD = 0.2
# So much better than a random order, in area under the curve, a map must be to be called worth something.
_BETTER = 0.02


@dataclass(frozen=True)
class SanityStep:
    """How alike the map is to those of networks whose last layers were shuffled.

    Attributes
    ----------
    share : float
        Of the layers with weights that were shuffled, counted from the output; 0 for the last alone.
    correlation : float
        Spearman's, over the map's pixels, mean over the draws: 1 the same map, 0 nothing in common. It is 0 where one
        of the maps is the same everywhere.
    """

    share: float
    correlation: float


@dataclass(frozen=True)
class SanityCheck:
    """Whether a map follows from what the network has learnt.

    Attributes
    ----------
    steps : tuple of SanityStep
        The last has the largest share.
    empty : bool
        Whether the map is the same everywhere, so that there is nothing to check.
    """

    steps: tuple[SanityStep, ...]
    empty: bool = False

    @property
    def passed(self) -> bool:
        """Whether the map changes when the weights do."""
        return not self.empty and self.steps[-1].correlation < _ALIKE

    @property
    def sentence(self) -> str:
        """The finding in plain words."""
        if self.empty:
            return "The map is the same everywhere, so there is nothing to check."
        value = self.steps[-1].correlation
        how = f"(rank correlation {value:.2f}; 1 would be the same map)"
        if self.passed:
            return (
                f"With its weights shuffled the network gives another map {how}, so the map depends on what it has "
                "learnt."
            )
        return (
            f"With its weights shuffled the network still gives nearly this map {how}, so the map says little about "
            "what it has learnt."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"passed": self.passed, "sentence": self.sentence, "steps": [asdict(step) for step in self.steps]}


def sanity_check(
    model: SneakerModel,
    photo: Image.Image,
    question: Question,
    heat: Maps | None = None,
    shares: Sequence[float] = SHARES,
    draws: int | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> SanityCheck:
    """Explain the photo again with networks whose weights were shuffled: the map must not stay.

    Parameters
    ----------
    model : SneakerModel
        Not changed: private copies are.
    photo : RGB image
    question : Question
        With its target.
    heat : float32 array (H, W), optional
        The map, where it is known already.
    shares : sequence of float
        How many layers are shuffled, rising.
    draws : int, optional
        Shuffled networks for each share; default: 5 for Grad-CAM, whose maps are coarse, down to 1 for slow methods.
    seed : int
    progress : callable, optional
        Called with maps made and maps to make.

    References
    ----------
    Adebayo et al. (2018), Sanity Checks for Saliency Maps. There weights are drawn anew; here each weight's own values
    are shuffled, and batch norms fitted to the photo, so that the map of a network which knows nothing is one.
    """
    target = _target(question)
    heat = (
        attribute(model, [photo], target, question.method, question.versus, question.layer)[0] if heat is None else heat
    )
    draws = draws or _DRAWS[question.method]
    images = model.spec.preprocessing([photo])
    steps = []
    for number, share in enumerate(shares):
        found = []
        for draw in range(draws):
            network = shuffled_copy(model.network, share, seed + draw, images)
            other = replace(model, network=network)  # type: ignore[arg-type]
            shuffled = attribute(other, [photo], target, question.method, question.versus, question.layer)[0]
            found.append(rank_correlation(heat, shuffled))
            progress(number * draws + draw + 1, len(shares) * draws)
        steps.append(SanityStep(share, float(np.mean(found))))
    return SanityCheck(tuple(steps), empty=bool(np.ptp(heat) == 0))


def rank_correlation(one: Maps, other: Maps) -> float:
    """Spearman's rank correlation of two maps, -1 to 1; 0 where one of them is the same everywhere."""
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


@dataclass(frozen=True)
class Curves:
    """What becomes of the answer when a photo is covered, or shown, in the order of a map.

    Attributes
    ----------
    label : str
        The class whose probability is told.
    versus : str or None
        Where given, it is the target's share of the two classes' probabilities together.
    shares : float array (S,)
        Of the photo that is covered (deletion) or shown (insertion), 0 to 1.
    deletion, insertion : float array (S,)
        Probabilities, brightest places first.
    random_deletion, random_insertion : float array (S,)
        The same places in random order; the mean over several orders.
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
        """Area under each curve, 0 to 1: small is good for a deletion, large for an insertion."""
        names = ("deletion", "random_deletion", "insertion", "random_insertion")
        return {name: float(np.trapezoid(getattr(self, name), self.shares)) for name in names}

    @property
    def gains(self) -> tuple[float, float]:
        """By how much area the map beats a random order, in deletion and in insertion; below 0 it is worse."""
        areas = self.areas
        return areas["random_deletion"] - areas["deletion"], areas["insertion"] - areas["random_insertion"]

    @property
    def better(self) -> tuple[bool, bool]:
        """Whether the map beats a random order by more than chance would, in deletion and in insertion."""
        deletion, insertion = self.gains
        return deletion > _BETTER, insertion > _BETTER

    @property
    def sentences(self) -> tuple[str, str, str]:
        """The findings in plain words: covering, showing, and what that means."""
        at = int(np.abs(self.shares - _TOLD).argmin())
        before, after = self.deletion[0], self.deletion[at]
        rather = "" if self.versus is None else f" rather than {self.versus}"
        of = f"the probability of {self.label}{rather}"
        covering = (
            f"Covering the brightest fifth of the map {_moves(of, before, after)}; covering a random fifth makes it "
            f"{self.random_deletion[at]:.2f}."
        )
        showing = (
            "Showing only the brightest fifth sharply, and the rest as a blur, gives "
            f"{self.insertion[at]:.2f}; a random fifth, {self.random_insertion[at]:.2f}."
        )
        return covering, showing, self._verdict()

    def _verdict(self) -> str:
        if all(self.better):
            return "The places that the map marks matter more than others, by both measures."
        if any(self.better):
            return "By one of the two measures the places that the map marks matter more than others: trust it half."
        return "The places that the map marks matter no more than random ones: do not rely on this map."

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        curves = {name: value.round(4).tolist() for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        areas = {name: round(area, 4) for name, area in self.areas.items()}
        return {"label": self.label, "versus": self.versus, **curves, "areas": areas, "sentences": list(self.sentences)}


def _moves(what: str, before: float, after: float) -> str:
    if round(after, 2) == round(before, 2):
        return f"leaves {what} at {after:.2f}"
    return f"{'raises' if after > before else 'drops'} {what} from {before:.2f} to {after:.2f}"


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
) -> Curves:
    """Cover a photo in the order of a map, and show it in that order, and see what becomes of the answer.

    The photo is cut into 16 x 16 squares, ordered by the map's mean over each. A deletion covers them with the mean
    colour of ImageNet; an insertion begins with a blurred photo and puts them back. Random orders of the very same
    squares tell how much of it any covering would do. The probabilities are the calibrated ones of an answer.

    Parameters
    ----------
    model : SneakerModel
    photo : RGB image
    heat : float32 array (H, W)
        Of the size the network sees.
    target : str
    versus : str, optional
    steps : int
        Parts that the way from 0 to all is cut into.
    random_orders : int
    seed : int
    progress : callable, optional
        Called with photos answered and photos to answer.

    Raises
    ------
    UnknownLabelError
        The model has no such class.

    References
    ----------
    Petsiuk, Das and Saenko (2018), RISE.
    """
    rng = np.random.default_rng(seed)
    orders = [_brightest_first(heat, rng), *(rng.permutation(_CELLS**2) for _ in range(random_orders))]
    sharp, blurred = _sharp_and_blurred(model, photo)
    shares = np.linspace(0, 1, steps + 1)
    masks = torch.cat([_masks(order, shares, heat.shape) for order in orders])
    # What a mask chooses is covered (deletion), or is sharp where all else is blurred (insertion).
    shown = [(torch.zeros_like(sharp), sharp), (sharp, blurred)]
    total, values = len(shown) * len(masks), []
    for chosen, others in shown:
        for start in range(0, len(masks), _AT_ONCE):
            mask = masks[start : start + _AT_ONCE]
            values.append(_chances(model, chosen * mask + others * (1 - mask), target, versus))
            progress(sum(map(len, values)), total)
    curves = np.concatenate(values).reshape(2, len(orders), len(shares))
    mean = curves[:, 1:].mean(1)
    return Curves(target, versus, shares, curves[0, 0], curves[1, 0], mean[0], mean[1])


def _brightest_first(heat: Maps, rng: np.random.Generator) -> NDArray[np.int64]:
    """The squares by the map's mean over each, the brightest first; equal ones in random order."""
    cells = _cell_of(heat.shape)
    means = np.bincount(cells.ravel(), heat.ravel(), _CELLS**2) / np.maximum(np.bincount(cells.ravel()), 1)
    return np.lexsort((rng.random(_CELLS**2), -means)).astype(np.int64)


def _cell_of(size: tuple[int, ...]) -> NDArray[np.int64]:
    """The number of the square that each pixel lies in, (H, W)."""
    down, across = (np.arange(side) * _CELLS // side for side in size)
    return np.asarray(down[:, None] * _CELLS + across[None, :], dtype=np.int64)


def _masks(order: NDArray[np.int64], shares: NDArray[np.float64], size: tuple[int, ...]) -> Tensor:
    """1 where a square is among the first so many of an order, for each share: float32 (S, 1, H, W)."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    counts = np.round(shares * len(order)).astype(np.int64)
    chosen = place[_cell_of(size)][None] < counts[:, None, None]
    return torch.from_numpy(chosen[:, None].astype(np.float32))


def _sharp_and_blurred(model: SneakerModel, photo: Image.Image) -> tuple[Tensor, Tensor]:
    """The photo as the network sees it, and a blur of it: float32 (3, H, W) each."""
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


@dataclass(frozen=True)
class Trust:
    """How much a map is worth.

    Attributes
    ----------
    sanity : SanityCheck
    curves : Curves
    """

    sanity: SanityCheck
    curves: Curves

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain words."""
        return (self.sanity.sentence, *self.curves.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"sanity": self.sanity.to_dict(), "curves": self.curves.to_dict()}


def check_trust(
    model: SneakerModel,
    photo: Image.Image,
    question: Question,
    heat: Maps,
    progress: Callable[[float], None] = lambda share: None,
) -> Trust:
    """Both checks of the map that answers a question about a photo.

    Parameters
    ----------
    model : SneakerModel
    photo : RGB image
    question : Question
        With its target.
    heat : float32 array (H, W)
    progress : callable, optional
        Called with the share that is done, 0 to 1.
    """
    sanity = sanity_check(model, photo, question, heat, progress=lambda done, total: progress(done / total / 2))
    curves = deletion_insertion(
        model,
        photo,
        heat,
        _target(question),
        question.versus,
        progress=lambda done, total: progress((done / total + 1) / 2),
    )
    return Trust(sanity, curves)


def _target(question: Question) -> str:
    assert question.target is not None, "a check needs the class that the map explains"
    return question.target
