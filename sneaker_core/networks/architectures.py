"""The networks that SoleScope trains: name -> builder, Grad-CAM layer, size of the embedding."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sneaker_core.errors import RecipeError
from sneaker_core.networks import vision_ops  # noqa: F401  (first: it makes the next import possible)

import torchvision  # isort: skip


class SneakerNetwork(nn.Module):
    """A backbone that makes embeddings and a linear head that makes logits of them.

    Parameters
    ----------
    backbone : nn.Module
        Maps images (B, 3, H, W) to embeddings (B, D).
    embedding_size : int
        D.
    outputs : int
        Number of logits: the classes, and one more where the model was trained with photos of other things.
    dropout : float
        Share of the embedding that is dropped in training.
    """

    def __init__(self, backbone: nn.Module, embedding_size: int, outputs: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(embedding_size, outputs)

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings (B, D) of images (B, 3, H, W)."""
        embeddings: Tensor = self.backbone(images)
        return embeddings

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, outputs) of images (B, 3, H, W)."""
        logits: Tensor = self.head(self.dropout(self.embed(images)))
        return logits


@dataclass(frozen=True)
class Architecture:
    """What must be known of a network to build, load and explain it.

    Attributes
    ----------
    name : str
    build_backbone : callable
        Makes the backbone with random weights; its parameter names are torchvision's, so that torchvision's
        weights fit.
    embedding_size : int
    explained_layer : str
        Dotted name, inside the backbone, of the layer whose activations Grad-CAM weighs: the last that has a
        height and a width.
    """

    name: str
    build_backbone: Callable[[], nn.Module]
    embedding_size: int
    explained_layer: str


def _mobilenet_v2() -> nn.Module:
    network: nn.Module = torchvision.models.mobilenet_v2(weights=None)
    network.classifier = nn.Identity()
    return network


ARCHITECTURES: dict[str, Architecture] = {
    "mobilenet_v2": Architecture("mobilenet_v2", _mobilenet_v2, embedding_size=1280, explained_layer="features.18"),
}


def architecture(name: str) -> Architecture:
    """Look up a network by its name.

    Raises
    ------
    RecipeError
        No network of that name; the message lists those there are.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise RecipeError(f"There is no network {name!r}; choose one of: {', '.join(sorted(ARCHITECTURES))}.") from None


def build_network(name: str, outputs: int) -> SneakerNetwork:
    """Make a network with random weights.

    Raises
    ------
    RecipeError
        No network of that name.
    """
    found = architecture(name)
    network = SneakerNetwork(found.build_backbone(), found.embedding_size, outputs)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def explained_layer(name: str, network: SneakerNetwork) -> nn.Module:
    """The layer of this network that Grad-CAM looks at."""
    return network.backbone.get_submodule(architecture(name).explained_layer)
