"""Set-up of a training: the network with its pretrained weights, and the photos that a recipe needs."""

from collections.abc import Sequence
from pathlib import Path

import torch

from sneaker_core import process_group
from sneaker_core.datasets.dataset_collection import find_source, open_samples
from sneaker_core.datasets.vanished_sources import check_there, told_if_vanished
from sneaker_core.networks.architectures import SneakerNetwork, build_network
from sneaker_core.training.prepared_photos import PreparedPhotos, Progress, prepare_photos
from sneaker_core.training.pretrained_weights import earlier_split, load_pretrained, split_of
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.training_jobs import check_space, needed_bytes
from sneaker_core.workspace.paths import run_model_folder


def build_pretrained(recipe: Recipe, workspace: Path) -> tuple[SneakerNetwork, bool]:
    """Build a recipe's network with its pretrained weights.

    Returns
    -------
    SneakerNetwork
        With a head for two classes.
    bool
        Whether its embeddings can find near-duplicates; see `load_pretrained`.

    Raises
    ------
    RecipeError
        The weights are missing or belong to another architecture.
    """
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network, 2, recipe.head_kind)
    finds_duplicates = False
    # One process per machine downloads the weights, if needed; the others load them afterwards.
    for first_here in (True, False):
        if (process_group.local_rank() == 0) == first_here:
            finds_duplicates = load_pretrained(network, recipe.network, recipe.init, workspace)
        process_group.wait_for_all()
    return network, finds_duplicates


def reset_head(network: SneakerNetwork, recipe: Recipe, outputs: int) -> SneakerNetwork:
    """Give a network a random head with this many outputs; the recipe's seed determines the weights."""
    torch.manual_seed(recipe.seed)
    network.new_head(outputs)
    return network.cpu()


def set_up_training(
    dataset: str,
    recipe: Recipe,
    workspace: Path,
    only: Sequence[str] = (),
    negatives: Path | None = None,
    progress: Progress = lambda done, total, step: None,
    resumes: Path | None = None,
    repeats: Path | None = None,
) -> tuple[SneakerNetwork, PreparedPhotos]:
    """Build the network and prepare the photos of a training; the same recipe gives the same result.

    Parameters
    ----------
    dataset : str
        Name of a dataset, or a folder laid out as ``<class>/*``.
    recipe : Recipe
    workspace : Path
    only : sequence of str
        Classes to use; empty for all.
    negatives : Path, optional
        Folder of photos that show no sneaker.
    progress : callable, optional
        Called with the number of photos done, their total and the current step.
    resumes : Path, optional
        Folder of the run if it read its photos before: it has most of the disk space it needs, and its own split.
    repeats : Path, optional
        Folder of a run whose split is kept.

    Raises
    ------
    DatasetError, RecipeError
        The photos or the recipe cannot be used.
    SpaceError
        There is not enough free disk space.
    """
    network, finds_duplicates = build_pretrained(recipe, workspace)
    samples = open_samples(workspace, dataset, tuple(only))
    if resumes is None:
        check_space(workspace, needed_bytes(recipe, len(samples), samples["label"].nunique() + 1))
    embedder = network if finds_duplicates else None
    source = find_source(workspace, dataset)
    with told_if_vanished([source]):
        earlier = _split_so_far(recipe, workspace, resumes, repeats)
        photos = prepare_photos(source.name, samples, recipe, embedder, workspace, negatives, progress, earlier)
    if photos.rejected:
        check_there([source])
    return reset_head(network, recipe, photos.training_data().outputs), photos


def _split_so_far(recipe: Recipe, workspace: Path, resumes: Path | None, repeats: Path | None) -> dict[str, str]:
    """Sample -> split of the photos that have one already; see `set_up_training`."""
    own, repeated = ({} if run is None else split_of(run_model_folder(run)) for run in (resumes, repeats))
    # The runs and models that its own split came from may be gone. Where the other two differ, what the model to start
    # from was trained with must not be tested on.
    return own or repeated | earlier_split(recipe.init, workspace)
