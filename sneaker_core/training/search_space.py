"""What a hyperparameter search tries, and the short trainings it tries it with."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from sneaker_core.networks.architectures import ARCHITECTURES
from sneaker_core.training.recipe import RANGES, Recipe
from sneaker_core.training.recipe_fields import AUGMENTATIONS

# A trial is shorter and sees smaller photos than the full run: a third of the epochs, four fifths of the pixels a
# side. One that trains the head alone takes seconds, and is as the full run.
_EPOCHS_SHARE, _SIZE_SHARE, _SIZE_STEP = 1 / 3, 0.8, 32


@dataclass(frozen=True)
class Span:
    """Numbers to search between.

    Attributes
    ----------
    low, high : float
    log : bool
        Whether their sizes count rather than their differences.
    """

    low: float
    high: float
    log: bool = True


def search_space(
    full: Recipe, fixed: Collection[str], networks: tuple[str, ...] = ()
) -> dict[str, Span | tuple[str, ...]]:
    """What a study tries.

    Parameters
    ----------
    full : Recipe
        The full run that it begins with.
    fixed : collection of str
        Settings that were chosen already.
    networks : tuple of str
        To choose from.

    Returns
    -------
    dict
        Setting -> numbers to search between, or words to choose from.
    """
    lowest, highest = RANGES["learning_rate"]
    rate, head = full.learning_rate, full.trainable == "head"
    space: dict[str, Span | tuple[str, ...]] = {
        "learning_rate": Span(max(rate / 10, lowest), min(rate * 5, highest)),
        "weight_decay": Span(1e-3, 0.3),
        "label_smoothing": Span(0.0, 0.2, log=False),
    }
    if not {"augmentation", *AUGMENTATIONS["none"]} & set(fixed):
        # The head learns from embeddings, which know crops and mirror images only.
        space["augmentation"] = tuple(word for word in AUGMENTATIONS if not (head and word == "strong"))
    if not head and full.init != "none":
        space["trainable"] = ("last_stage", "all")
        space["backbone_rate"] = Span(0.05, 1.0)
    if len(networks) > 1:
        space["network"] = networks
    return {name: choice for name, choice in space.items() if name not in fixed}


def short(full: Recipe, epochs: int | None = None, size: int | None = None) -> Recipe:
    """The recipe of a trial for that of a full run.

    Parameters
    ----------
    full : Recipe
    epochs, size : int, optional
        Of the trial; what is usual when left out. A network that sees one size only keeps it.
    """
    network, head = ARCHITECTURES[full.network], full.trainable == "head"
    if epochs is None:
        epochs = full.epochs if head else math.ceil(_EPOCHS_SHARE * full.epochs)
    if size is None:
        smaller = max(_SIZE_STEP, _SIZE_STEP * round(_SIZE_SHARE * full.size / _SIZE_STEP))
        size = full.size if head else min(full.size, smaller)
    size = network.size if network.fixed_size else max(network.smallest, size)
    return replace(
        full,
        epochs=epochs,
        head_epochs=max(0, min(full.head_epochs, epochs - 1)),
        size=size,
        small_size=size,
        small_share=0.0,
        patience=0,
    )
