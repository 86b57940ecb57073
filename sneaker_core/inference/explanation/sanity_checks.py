"""Sanity checks, which measure whether an attribution map can be relied on.

A map should depend on what the network has learned, and the areas it marks should matter to the answer more than
random ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from sneaker_core.inference.explanation.attributions import Maps
from sneaker_core.inference.explanation.deletion_insertion import DeletionInsertion, deletion_insertion
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.explanation.weight_randomization import RandomizationTest, randomization_test
from sneaker_core.networks.checkpoint import SneakerModel


@dataclass(frozen=True)
class SanityCheck:
    """Results of the sanity checks of one map.

    Attributes
    ----------
    randomization : RandomizationTest
    curves : DeletionInsertion
    """

    randomization: RandomizationTest
    curves: DeletionInsertion

    @property
    def sentences(self) -> tuple[str, ...]:
        """The results, one sentence or two each."""
        if self.randomization.empty:  # a map that marks nothing has no strongest areas
            return (self.randomization.sentence,)
        return (self.randomization.sentence, *self.curves.sentences)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"sanity": self.randomization.to_dict(), "curves": self.curves.to_dict()}


def run_sanity_check(
    model: SneakerModel,
    photo: Image.Image,
    request: ExplanationRequest,
    heat: Maps,
    progress: Callable[[float], None] = lambda share: None,
) -> SanityCheck:
    """Run all sanity checks of a map.

    Parameters
    ----------
    model : SneakerModel
        Not modified.
    photo : RGB image
    request : ExplanationRequest
        The request that the map answers, with its target.
    heat : float32 array (H, W)
        The map.
    progress : callable, optional
        Called with the share that is done, 0 to 1.
    """
    assert request.target is not None, "a sanity check needs a target"

    def first_half(done: int, total: int) -> None:
        progress(done / total / 2)

    def second_half(done: int, total: int) -> None:
        progress((done / total + 1) / 2)

    return SanityCheck(
        randomization_test(model, photo, request, heat, progress=first_half),
        deletion_insertion(model, photo, heat, request.target, request.versus, progress=second_half),
    )
