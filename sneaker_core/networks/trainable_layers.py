"""Trainable layers: which layers of a network are trained; the others keep their weights and batch-norm statistics."""

from torch import nn

from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import SneakerNetwork, architecture

# The head only; the head and the backbone's last stage; every layer.
TRAINABLE = ("head", "last_stage", "all")


def set_trainable(network: SneakerNetwork, name: str, trainable: str) -> list[nn.Parameter]:
    """Unfreeze the trainable layers and freeze the others; the head is always trainable.

    Parameters
    ----------
    network : SneakerNetwork
        The `requires_grad` of its parameters is set.
    name : str
        Its architecture.
    trainable : str
        One of `TRAINABLE`.

    Returns
    -------
    list of parameters
        Trainable parameters of the backbone, none for "head".

    Raises
    ------
    RecipeError
        `trainable` or the architecture is unknown.
    """
    network.backbone.requires_grad_(False)
    for weights in network.head_parameters():
        weights.requires_grad_(True)
    for module in _trainable_modules(network, name, trainable):
        module.requires_grad_(True)
    return [weights for weights in network.backbone.parameters() if weights.requires_grad]


def set_training_mode(network: SneakerNetwork, name: str, trainable: str) -> None:
    """Put trainable layers into training mode and frozen layers into evaluation mode.

    In training mode, batch norm would keep updating its statistics even where all weights are frozen.

    Raises
    ------
    RecipeError
        `trainable` or the architecture is unknown.
    """
    network.train()
    network.backbone.eval()
    for module in _trainable_modules(network, name, trainable):
        module.train()


def _trainable_modules(network: SneakerNetwork, name: str, trainable: str) -> list[nn.Module]:
    if trainable == "head":
        return []
    if trainable == "last_stage":
        return [network.backbone.get_submodule(prefix) for prefix in architecture(name).last_stage]
    if trainable == "all":
        return [network.backbone]
    raise RecipeError(f"trainable is {trainable!r}; choose one of: {', '.join(TRAINABLE)}.")
