"""What every training begins with: a network with its starting weights, and the photos that a recipe asks for."""

from collections.abc import Sequence
from pathlib import Path

import torch

from sneaker_core import process_group
from sneaker_core.datasets.dataset_collection import open_samples
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.training.prepared_data import Materials, Progress, prepare
from sneaker_core.training.pretrained_weights import initialise
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.training_jobs import check_space, needed_bytes


def starting_network(recipe: Recipe, workspace: Path) -> tuple[SneakerNetwork, bool]:
    """The network of a recipe with its starting weights and a head for two classes, and whether it tells copies.

    Raises
    ------
    RecipeError
        The weights are not there or belong to another network.
    """
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network, 2, recipe.head_kind)
    tells_copies = False
    # What has to be fetched is fetched once on each machine.
    for first_here in (True, False):
        if (process_group.local_rank() == 0) == first_here:
            tells_copies = initialise(network, recipe.network, recipe.init, workspace)
        process_group.wait_for_all()
    return network, tells_copies


def fresh_head(network: SneakerNetwork, recipe: Recipe, outputs: int) -> SneakerNetwork:
    """The network with a random head for so many logits; the same recipe gives the same."""
    torch.manual_seed(recipe.seed)
    network.new_head(outputs)
    return network.cpu()


def begin(
    dataset: str,
    recipe: Recipe,
    workspace: Path,
    only: Sequence[str] = (),
    others: Path | None = None,
    progress: Progress = lambda done, total, step: None,
    resumed: bool = False,
) -> tuple[SneakerNetwork, Materials]:
    """The network and the photos of a training; the same recipe gives the same.

    Parameters
    ----------
    dataset : str
        The name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
    workspace : Path
    only : sequence of str
        Classes to use; all when empty.
    others : Path, optional
        A folder with photos of anything but sneakers.
    progress : callable, optional
        Called with the photos done, their number and what is done to them.
    resumed : bool
        Most of what it needs of the disk is there already.

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used.
    SpaceError
        The disk is too full.
    """
    network, tells_copies = starting_network(recipe, workspace)
    samples = open_samples(workspace, dataset, tuple(only))
    if not resumed:
        check_space(workspace, needed_bytes(recipe, len(samples), samples["label"].nunique() + 1))
    materials = prepare(dataset, samples, recipe, network if tells_copies else None, workspace, others, progress)
    return fresh_head(network, recipe, materials.training_data().outputs), materials
