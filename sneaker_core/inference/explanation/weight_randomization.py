"""Weight randomization test, which measures whether a map depends on what the network has learned."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from sneaker_core.inference.explanation.attributions import Maps, attribute
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.explanation.model_copies import shuffled_copy
from sneaker_core.networks.checkpoint import SneakerModel

Progress = Callable[[int, int], None]

# Shares of the layers with weights to shuffle, counted from the output: the last layer, half of them, all.
SHARES = (0.0, 0.5, 1.0)
# Shuffled networks per share. Coarse maps can be similar by chance, so they need several; pixel-level maps don't.
_DRAWS = {Method.GRADCAM: 5, Method.GUIDED_GRADCAM: 2, Method.INTEGRATED_GRADIENTS: 1, Method.OCCLUSION: 1}
# From this correlation with the map of a fully shuffled network on, a map doesn't reflect what the network learned.
_SIMILAR = 0.5


@dataclass(frozen=True)
class RandomizationStep:
    """Similarity between the map and those of networks whose last layers were shuffled.

    Attributes
    ----------
    share : float
        Share of the layers with weights that were shuffled, counted from the output; 0 for the last layer only.
    correlation : float
        Spearman's rank correlation over the map's pixels, averaged over the draws: 1 for identical maps, 0 for
        unrelated ones, and 0 if one of the maps is uniform.
    """

    share: float
    correlation: float


@dataclass(frozen=True)
class RandomizationTest:
    """Whether a map depends on what the network has learned.

    Attributes
    ----------
    steps : tuple of RandomizationStep
        By ascending share.
    empty : bool
        Whether the map is uniform, which leaves nothing to test.
    """

    steps: tuple[RandomizationStep, ...]
    empty: bool = False

    @property
    def passed(self) -> bool:
        """Whether the map changes with the weights."""
        return not self.empty and self.steps[-1].correlation < _SIMILAR

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if self.empty:
            return "The map is the same everywhere, so there is nothing to check."
        value = self.steps[-1].correlation
        how = f"(rank correlation {value:.2f}, where 1 means identical)"
        if self.passed:
            return f"With shuffled weights the map changes {how}, so it depends on what the model learned."
        return f"With shuffled weights the map hardly changes {how}, so it says little about what the model learned."

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"passed": self.passed, "sentence": self.sentence, "steps": [asdict(step) for step in self.steps]}


def randomization_test(
    model: SneakerModel,
    photo: Image.Image,
    request: ExplanationRequest,
    heat: Maps | None = None,
    shares: Sequence[float] = SHARES,
    draws: int | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> RandomizationTest:
    """Explain a photo again with shuffled weights: the map should change.

    Parameters
    ----------
    model : SneakerModel
        Not modified; copies are.
    photo : RGB image
    request : ExplanationRequest
        With a target.
    heat : float32 array (H, W), optional
        The map, if it is known already.
    shares : sequence of float
        Shares of the layers to shuffle, ascending.
    draws : int, optional
        Shuffled networks per share; default: 5 for Grad-CAM, whose maps are coarse, down to 1 for slow methods.
    seed : int
    progress : callable, optional
        Called with the number of maps done and the total.

    References
    ----------
    Adebayo et al. (2018), Sanity Checks for Saliency Maps. They draw new weights; here each layer's own weights are
    shuffled and batch norms are refitted to the photo, so that an untrained network has a map at all.
    """
    heat = _map(model, photo, request) if heat is None else heat
    draws = draws or _DRAWS[request.method]
    images = model.spec.preprocessing([photo])
    steps = []
    for number, share in enumerate(shares):
        correlations = []
        for draw in range(draws):
            network = shuffled_copy(model.network, share, seed + draw, images)
            shuffled = _map(replace(model, network=network), photo, request)  # type: ignore[arg-type]
            correlations.append(rank_correlation(heat, shuffled))
            progress(number * draws + draw + 1, len(shares) * draws)
        steps.append(RandomizationStep(share, float(np.mean(correlations))))
    return RandomizationTest(tuple(steps), empty=bool(np.ptp(heat) == 0))


def _map(model: SneakerModel, photo: Image.Image, request: ExplanationRequest) -> Maps:
    assert request.target is not None, "the randomization test needs a target"
    heat: Maps = attribute(model, [photo], request.target, request.method, request.versus, request.layer)[0]
    return heat


def rank_correlation(one: Maps, other: Maps) -> float:
    """Spearman's rank correlation of two maps, -1 to 1; 0 if one of them is uniform."""
    from scipy.stats import spearmanr

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)
