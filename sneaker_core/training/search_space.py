"""Search space of a hyperparameter search, and the recipes of its trials."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sneaker_core.errors import RunError
from sneaker_core.networks.architectures import ARCHITECTURES
from sneaker_core.training.recipe import RANGES, Recipe
from sneaker_core.training.recipe_fields import AUGMENTATIONS, expanded_fields

if TYPE_CHECKING:
    from sneaker_core.training.study_collection import Study

# A trial has a third of the epochs and four fifths of the photo size of a full training. Head-only trainings take
# seconds, so their trials are full trainings.
_EPOCHS_SHARE, _SIZE_SHARE, _SIZE_STEP = 1 / 3, 0.8, 32


@dataclass(frozen=True)
class Span:
    """Range of a numeric setting.

    Attributes
    ----------
    low, high : float
    log : bool
        Whether to sample on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = True


def search_space(
    full: Recipe, fixed: Collection[str], networks: tuple[str, ...] = ()
) -> dict[str, Span | tuple[str, ...]]:
    """Settings that a study searches.

    Parameters
    ----------
    full : Recipe
        Recipe of the full training.
    fixed : collection of str
        Settings that are not searched.
    networks : tuple of str
        Architectures to choose from.

    Returns
    -------
    dict
        Setting -> range of a number, or values to choose from.
    """
    lowest, highest = RANGES["learning_rate"]
    rate, head_only = full.learning_rate, full.trainable == "head"
    space: dict[str, Span | tuple[str, ...]] = {
        "learning_rate": Span(max(rate / 10, lowest), min(rate * 5, highest)),
        "weight_decay": Span(1e-3, 0.3),
        "label_smoothing": Span(0.0, 0.2, log=False),
    }
    if not expanded_fields(["augmentation"]) & expanded_fields(fixed):
        # Embeddings of a head-only training include crops and flips only, so "strong" would equal "standard".
        space["augmentation"] = tuple(name for name in AUGMENTATIONS if not (head_only and name == "strong"))
    if not head_only and full.init != "none":
        space["trainable"] = ("last_stage", "all")
        space["backbone_rate"] = Span(0.05, 1.0)
    if len(networks) > 1:
        space["network"] = networks
    return {name: choice for name, choice in space.items() if name not in fixed}


def with_values(base: Recipe, fixed: Collection[str], values: Mapping[str, Any]) -> Recipe:
    """A study's recipe with other values; its fixed settings stay as they are, even for another network."""
    kept = {field: getattr(base, field) for field in expanded_fields(fixed) - {"network"}}
    return base.changed({**kept, **values})


def study_recipe(study: "Study", values: Mapping[str, Any] | None = None) -> Recipe:
    """Recipe of a full training with a study's fixed settings.

    Parameters
    ----------
    study : Study
    values : mapping, optional
        Values of searched settings.
    """
    network = {"network": study.networks[0]} if study.networks else {}
    return with_values(Recipe.from_dict(study.recipe), study.fixed, {**network, **(values or {})})


def best_recipe(study: "Study") -> Recipe:
    """Recipe of a full training with the best values found so far.

    Raises
    ------
    RunError
        No trial is complete yet.
    """
    best = study.best
    if best is None:
        raise RunError(f"No trial of the study {study.name!r} is complete yet. Resume it and give it more time.")
    return study_recipe(study, {key: best[key] for key in study.searched if key in best})


def trial_recipe(full: Recipe, epochs: int | None = None, size: int | None = None) -> Recipe:
    """Recipe of a trial: a shorter training with smaller photos.

    Parameters
    ----------
    full : Recipe
        Recipe of the full training.
    epochs, size : int, optional
        Of the trial; by default a share of the full training's. A network with a fixed input size keeps it.
    """
    network, head_only = ARCHITECTURES[full.network], full.trainable == "head"
    if epochs is None:
        epochs = full.epochs if head_only else math.ceil(_EPOCHS_SHARE * full.epochs)
    if size is None:
        smaller = max(_SIZE_STEP, _SIZE_STEP * round(_SIZE_SHARE * full.size / _SIZE_STEP))
        size = full.size if head_only else min(full.size, smaller)
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
