"""Which part of a network learns; the rest keeps its weights and its batch-norm statistics."""

from torch import nn

from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import SneakerNetwork, architecture

# The head alone; the backbone's last stage too; everything.
PARTS = ("head", "last_stage", "all")


def trainable(network: SneakerNetwork, name: str, part: str) -> list[nn.Parameter]:
    """Let a part of a network learn and freeze the rest; the head always learns.

    Parameters
    ----------
    network : SneakerNetwork
        Its parameters' `requires_grad` is set.
    name : str
        Its architecture.
    part : str
        One of `PARTS`.

    Returns
    -------
    list of parameters
        Those of the backbone that learn, none for "head".

    Raises
    ------
    RecipeError
        No such part or network.
    """
    network.backbone.requires_grad_(False)
    for weights in network.head_parameters():
        weights.requires_grad_(True)
    for module in _learning(network, name, part):
        module.requires_grad_(True)
    return [weights for weights in network.backbone.parameters() if weights.requires_grad]


def set_training_mode(network: SneakerNetwork, name: str, part: str) -> None:
    """Put what learns into training mode and what is frozen into evaluation mode.

    In training mode, batch norm would go on to change its statistics even where no weight learns.

    Raises
    ------
    RecipeError
        No such part or network.
    """
    network.train()
    network.backbone.eval()
    for module in _learning(network, name, part):
        module.train()


def _learning(network: SneakerNetwork, name: str, part: str) -> list[nn.Module]:
    """The modules of the backbone that learn."""
    if part == "head":
        return []
    if part == "last_stage":
        return [network.backbone.get_submodule(prefix) for prefix in architecture(name).last_stage]
    if part == "all":
        return [network.backbone]
    raise RecipeError(f"There is no part {part!r} to train; choose one of: {', '.join(PARTS)}.")
