"""What every training begins with: a network with its starting weights, and the photos that a recipe asks for."""

from collections.abc import Sequence
from pathlib import Path

import torch

from sneaker_core import processes
from sneaker_core.datasets.library import open_samples
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.training.initial import initialise
from sneaker_core.training.materials import Materials, Progress, prepare
from sneaker_core.training.recipe import Recipe


def begin(
    dataset: str,
    recipe: Recipe,
    workspace: Path,
    only: Sequence[str] = (),
    others: Path | None = None,
    progress: Progress = lambda done, total, step: None,
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

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used.
    SpaceError
        The disk is full.
    """
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network, 2, recipe.head_kind)
    tells_copies = False
    # What has to be fetched is fetched once on each machine.
    for first_here in (True, False):
        if (processes.local_rank() == 0) == first_here:
            tells_copies = initialise(network, recipe.network, recipe.init, workspace)
        processes.wait_for_all()
    samples = open_samples(dataset, workspace, tuple(only))
    materials = prepare(dataset, samples, recipe, network if tells_copies else None, workspace, others, progress)
    torch.manual_seed(recipe.seed)
    network.new_head(materials.training_data().outputs)
    return network.cpu(), materials
