"""The networks that SoleScope trains: name -> builder, sizes, Grad-CAM layer, size of the embedding."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor, nn

from sneaker_core.errors import RecipeError
from sneaker_core.networks.backbones import (
    AUXILIARY_PREFIX,
    SNEAKER_CNN_SIZE,
    InceptionBackbone,
    SneakerCnn,
    VggBackbone,
    mobilenet_v3_backbone,
    torchvision_backbone,
)

# Share of the auxiliary classifier's loss in training, as in the reference implementation of Inception v3.
# Szegedy et al. (2015), Rethinking the Inception Architecture for Computer Vision, section 4.
AUXILIARY_WEIGHT = 0.4
HEAD_KINDS = ("linear", "hidden")
_HIDDEN_UNITS = 64


def make_head(kind: str, inputs: int, outputs: int) -> nn.Module:
    """A head with random weights.

    Parameters
    ----------
    kind : str
        "linear", or "hidden": 64 units, ReLU and batch norm before the last layer.
    inputs, outputs : int
        Size of the embedding, number of logits.

    Raises
    ------
    RecipeError
        No head of that kind.
    """
    if kind == "linear":
        return nn.Linear(inputs, outputs)
    if kind == "hidden":
        last = nn.Linear(_HIDDEN_UNITS, outputs)
        return nn.Sequential(nn.Linear(inputs, _HIDDEN_UNITS), nn.ReLU(), nn.BatchNorm1d(_HIDDEN_UNITS), last)
    raise RecipeError(f"There is no head {kind!r}; choose one of: {', '.join(HEAD_KINDS)}.")


class SneakerNetwork(nn.Module):
    """A backbone that makes embeddings and a head that makes logits of them.

    Parameters
    ----------
    backbone : nn.Module
        Maps images (B, 3, H, W) to embeddings (B, D).
    embedding_size : int
        D.
    outputs : int
        Number of logits: the classes, and one more where the model was trained with photos of other things.
    head_kind : str
        One of `HEAD_KINDS`.
    dropout : float
        Share of the embedding that is dropped in training.

    Attributes
    ----------
    outputs, embedding_size, head_kind
        As given.
    head : nn.Module
    auxiliary_head : nn.Linear or None
        Of a backbone with an auxiliary branch.
    """

    auxiliary_head: nn.Linear | None

    def __init__(
        self, backbone: nn.Module, embedding_size: int, outputs: int, head_kind: str = "linear", dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        self.head_kind = head_kind
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.new_head(outputs)

    def new_head(self, outputs: int) -> None:
        """Replace the head, and that of the auxiliary branch, by random ones of the same kind."""
        branch = isinstance(self.backbone, InceptionBackbone) and self.backbone.has_auxiliary
        device = next(self.backbone.parameters()).device
        self.outputs = outputs
        # Drawn on the processor, so that a seed gives the same weights on any device.
        self.head = make_head(self.head_kind, self.embedding_size, outputs).to(device)
        self.auxiliary_head = nn.Linear(InceptionBackbone.AUXILIARY_SIZE, outputs).to(device) if branch else None

    def head_parameters(self) -> list[nn.Parameter]:
        """What learns whatever part of the backbone does: the head, and that of the auxiliary branch."""
        auxiliary = [] if self.auxiliary_head is None else list(self.auxiliary_head.parameters())
        return [*self.head.parameters(), *auxiliary]

    def embed(self, images: Tensor) -> Tensor:
        """Embeddings (B, D) of images (B, 3, H, W)."""
        embeddings: Tensor = self.backbone(images)
        return embeddings

    def classify(self, embeddings: Tensor) -> Tensor:
        """Logits (B, outputs) of embeddings (B, D)."""
        logits: Tensor = self.head(self.dropout(embeddings))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, outputs) of images (B, 3, H, W)."""
        return self.classify(self.embed(images))

    def forward_training(self, images: Tensor, backbone_gradients: bool = True) -> tuple[Tensor, Tensor | None]:
        """Logits, and those of the auxiliary classifier, whose loss counts `AUXILIARY_WEIGHT`.

        Parameters
        ----------
        images : tensor (B, 3, H, W)
        backbone_gradients : bool
            False where the heads alone learn: the backbone then keeps nothing for a backward pass.

        Returns
        -------
        tensor (B, outputs), tensor (B, outputs) or None
            None for a network without an auxiliary classifier.
        """
        with torch.set_grad_enabled(backbone_gradients and torch.is_grad_enabled()):
            if isinstance(self.backbone, InceptionBackbone):
                embeddings, branch = self.backbone.with_auxiliary(images)
            else:
                embeddings, branch = self.embed(images), None
        logits = self.classify(embeddings)
        if branch is None or self.auxiliary_head is None:
            return logits, None
        return logits, self.auxiliary_head(branch)

    def answering_state(self) -> dict[str, Tensor]:
        """The state dict without what only training asks: all that an answer needs."""
        training_only = (f"backbone.{AUXILIARY_PREFIX}", "auxiliary_head.")
        return {name: value for name, value in self.state_dict().items() if not name.startswith(training_only)}


@dataclass(frozen=True)
class Architecture:
    """What must be known of a network to choose, build, load and explain it.

    Attributes
    ----------
    name : str
    title : str
        Its name for people.
    about : str
        How large and fast it is and what it is good for, in one sentence.
    build_backbone : callable
        Makes the backbone with random weights; its parameter names are torchvision's, so that torchvision's
        weights fit.
    embedding_size : int
    explained_layer : str
        Dotted name, inside the backbone, of the layer whose activations Grad-CAM weighs: the last that has a
        height and a width.
    last_stage : tuple of str
        Dotted names, inside the backbone, of what learns beside the head when only the last stage does.
    size : int
        Height and width in pixels that it usually sees.
    smallest : int
        Fewest pixels that it works with.
    fixed_size : bool
        Whether it works with photos of `size` only.
    head : str
        Its usual head, one of `HEAD_KINDS`.
    dropout : float
        Share of the embedding that is dropped in training.
    imagenet : bool
        Whether torchvision has ImageNet weights of it.
    """

    name: str
    title: str
    about: str
    build_backbone: Callable[[], nn.Module]
    embedding_size: int
    explained_layer: str
    last_stage: tuple[str, ...]
    size: int = 224
    smallest: int = 32
    fixed_size: bool = False
    head: str = "linear"
    dropout: float = 0.2
    imagenet: bool = True


def _resnet(layers: int, embedding_size: int, about: str) -> Architecture:
    name = f"resnet{layers}"
    build = partial(torchvision_backbone, name, "fc")
    return Architecture(name, f"ResNet-{layers}", about, build, embedding_size, "layer4", ("layer4",))


def _mobilenet_v3(size: str, embedding_size: int, last: int, about: str) -> Architecture:
    name = f"mobilenet_v3_{size}"
    return Architecture(
        name,
        f"MobileNetV3 {size}",
        about,
        partial(mobilenet_v3_backbone, name),
        embedding_size,
        explained_layer=f"features.{last}",
        last_stage=(f"features.{last - 1}", f"features.{last}", "classifier"),
    )


def _sneaker_cnn(name: str, title: str, batch_norm: bool, about: str) -> Architecture:
    return Architecture(
        name,
        title,
        about,
        partial(SneakerCnn, batch_norm),
        embedding_size=256,
        explained_layer="block3",
        last_stage=("block3", "dense"),
        size=SNEAKER_CNN_SIZE,
        smallest=SNEAKER_CNN_SIZE,
        fixed_size=True,
        dropout=0.0,
        imagenet=False,
    )


ARCHITECTURES: dict[str, Architecture] = {
    found.name: found
    for found in (
        Architecture(
            "mobilenet_v2",
            "MobileNetV2",
            "Small and fast, and the network of the models that come with SoleScope: the first one to try.",
            partial(torchvision_backbone, "mobilenet_v2", "classifier"),
            embedding_size=1280,
            explained_layer="features.18",
            last_stage=("features.17", "features.18"),
            size=160,
        ),
        _mobilenet_v3(
            "small", 1024, 12, "The fastest of all, for a quick look or a weak computer; a little less exact."
        ),
        _mobilenet_v3("large", 1280, 16, "Small and about as fast as MobileNetV2, and a newer design."),
        Architecture(
            "efficientnet_b0",
            "EfficientNet-B0",
            "Small, and often the most exact for its size; trains slower than its size suggests.",
            partial(torchvision_backbone, "efficientnet_b0", "classifier"),
            embedding_size=1280,
            explained_layer="features.8",
            last_stage=("features.7", "features.8"),
        ),
        _resnet(18, 512, "The smallest of a classic family: robust, of middle size and speed, good to compare with."),
        _resnet(34, 512, "A deeper ResNet-18, with twice the work for each photo."),
        _resnet(50, 2048, "The classic that others are measured by: large, and slow without a graphics card."),
        _resnet(101, 2048, "Very large and slow; worth it only with many photos and a graphics card."),
        Architecture(
            "inception_v3",
            "Inception v3",
            "Large and slow, sees photos at 299 pixels, and learns with the help of a second classifier.",
            InceptionBackbone,
            embedding_size=2048,
            explained_layer="Mixed_7c",
            last_stage=("Mixed_7a", "Mixed_7b", "Mixed_7c"),
            size=299,
            smallest=75,
        ),
        Architecture(
            "vgg16",
            "VGG16",
            "An old and simple design and the slowest of all; here to compare with studies that use it.",
            VggBackbone,
            embedding_size=512,
            # The last pooling comes after it, so its map is the finer one.
            explained_layer="features.29",
            last_stage=("features.24", "features.26", "features.28"),
            head="hidden",
        ),
        _sneaker_cnn(
            "sneaker_cnn", "SneakerCNN", True, "A plain network of three convolutions, to learn from photos alone."
        ),
        _sneaker_cnn(
            "sneaker_cnn_plain",
            "SneakerCNN without batch norm",
            False,
            "SneakerCNN without batch norm, to see what batch norm brings.",
        ),
    )
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


def build_network(name: str, outputs: int, head: str | None = None, auxiliary: bool = True) -> SneakerNetwork:
    """Make a network with random weights.

    Parameters
    ----------
    name : str
        A name of `ARCHITECTURES`.
    outputs : int
        Number of logits.
    head : str, optional
        One of `HEAD_KINDS`; default: the network's usual one.
    auxiliary : bool
        False for a network that only answers: it does without the parts that only training asks.

    Raises
    ------
    RecipeError
        No network or head of that name.
    """
    found = architecture(name)
    backbone = found.build_backbone()
    if not auxiliary and isinstance(backbone, InceptionBackbone):
        backbone.drop_auxiliary()
    network = SneakerNetwork(backbone, found.embedding_size, outputs, head or found.head, found.dropout)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@cache
def parameter_count(name: str) -> int:
    """Number of weights of a backbone, without what only training asks."""
    with torch.device("meta"):
        backbone = architecture(name).build_backbone()
    return sum(value.numel() for key, value in backbone.named_parameters() if not key.startswith(AUXILIARY_PREFIX))


def explained_layer(name: str, network: SneakerNetwork) -> nn.Module:
    """The layer of this network that Grad-CAM looks at."""
    return network.backbone.get_submodule(architecture(name).explained_layer)
