"""Backbones, which compute embeddings. Parameters are named as in torchvision, so its weights can be loaded."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from sneaker_core.errors import RecipeError
from sneaker_core.networks import vision_ops  # noqa: F401  (makes the next import possible)
from sneaker_core.networks.preprocessing import IMAGENET_MEAN, IMAGENET_STD

import torchvision  # isort: skip

SNEAKER_CNN_SIZE = 224
# Prefix of the auxiliary classifier's parameters in a backbone; it is used only in training.
AUXILIARY_PREFIX = "AuxLogits."


def torchvision_backbone(name: str, classifier: str) -> nn.Module:
    """One of torchvision's networks with random weights and without its classifier.

    Parameters
    ----------
    name : str
        Name of the builder in torchvision.
    classifier : str
        Name of the attribute that holds the classifier.
    """
    network: nn.Module = torchvision.models.get_model(name, weights=None)
    setattr(network, classifier, nn.Identity())
    return network


def mobilenet_v3_backbone(name: str) -> nn.Module:
    """A MobileNetV3 without its last classifier layer; the layer before it is part of the embedding."""
    network: nn.Module = torchvision.models.get_model(name, weights=None)
    classifier = network.classifier
    assert isinstance(classifier, nn.Sequential)
    network.classifier = classifier[:2]
    return network


class SneakerCnn(nn.Module):
    """Three blocks of convolution and pooling, and a dense layer of 256 units.

    Parameters
    ----------
    batch_norm : bool
        Whether batch norm follows each convolution.
    """

    def __init__(self, batch_norm: bool) -> None:
        super().__init__()
        self.block1 = _block(3, 32, batch_norm)
        self.block2 = _block(32, 64, batch_norm)
        self.block3 = _block(64, 128, batch_norm)
        side = SNEAKER_CNN_SIZE // 8
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(side * side * 128, 256), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, 256) of images (B, 3, 224, 224).

        Raises
        ------
        RecipeError
            The images have an unsupported size.
        """
        if tuple(images.shape[2:]) != (SNEAKER_CNN_SIZE, SNEAKER_CNN_SIZE):
            height, width = images.shape[2:]
            raise RecipeError(
                f"The photos are {width} x {height} pixels, but this network needs {SNEAKER_CNN_SIZE} x "
                f"{SNEAKER_CNN_SIZE}. Set size to {SNEAKER_CNN_SIZE}."
            )
        embeddings: Tensor = self.dense(self.block3(self.block2(self.block1(images))))
        return embeddings


def _block(inputs: int, outputs: int, batch_norm: bool) -> nn.Sequential:
    norm = [nn.BatchNorm2d(outputs)] if batch_norm else []
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), *norm, nn.ReLU(), nn.MaxPool2d(2))


class VggBackbone(nn.Module):
    """The convolutions of VGG16, averaged over all positions.

    Torchvision's builder would also initialize the hundred million weights of a classifier that isn't used.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features: nn.Module = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"])
        for layer in self.features.modules():
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, 512) of images (B, 3, H, W)."""
        activations: Tensor = self.features(images)
        return activations.mean((2, 3))


class InceptionBackbone(nn.Module):
    """Torchvision's Inception v3, with access to the auxiliary classifier's embedding.

    Torchvision's forward method returns different types in training and evaluation mode, and its auxiliary branch fails
    on photos smaller than 299 pixels. Here both work alike.
    """

    AUXILIARY_SIZE = 768
    # Side of the auxiliary branch's input for photos of 299 pixels.
    _DEFAULT_SIDE = 17

    def __init__(self) -> None:
        super().__init__()
        built: nn.Module = torchvision.models.inception_v3(weights=None, init_weights=True)
        for name, layer in built.named_children():
            if name not in ("dropout", "fc"):
                self.add_module(name, layer)
        assert isinstance(self.AuxLogits, nn.Module)
        self.AuxLogits.fc = nn.Identity()

    @property
    def has_auxiliary(self) -> bool:
        """Whether the backbone has its auxiliary branch."""
        return self.AuxLogits is not None

    def drop_auxiliary(self) -> None:
        """Remove the auxiliary branch, which is used only in training."""
        self.add_module("AuxLogits", None)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, 2048) of images (B, 3, H, W)."""
        return self._run(images, auxiliary=False)[0]

    def with_auxiliary(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Embeddings (B, 2048), and those of the auxiliary branch (B, 768) if the backbone has one."""
        return self._run(images, auxiliary=True)

    def _run(self, images: Tensor, auxiliary: bool) -> tuple[Tensor, Tensor | None]:
        """Run the layers in the order in which they are registered."""
        side, activations = None, _as_inception_expects(images)
        for name, layer in self.named_children():
            if name != "AuxLogits":
                activations = layer(activations)
            elif auxiliary:
                side = self._auxiliary(activations)
        return activations.flatten(1), side

    def _auxiliary(self, activations: Tensor) -> Tensor:
        branch = self.AuxLogits
        assert isinstance(branch, nn.Module)
        if min(activations.shape[2:]) >= self._DEFAULT_SIDE:
            pooled = functional.avg_pool2d(activations, kernel_size=5, stride=3)
        else:
            # The second convolution needs an input of 5 x 5.
            pooled = functional.adaptive_avg_pool2d(activations, 5)
        embeddings: Tensor = branch.get_submodule("conv1")(branch.get_submodule("conv0")(pooled))
        return embeddings.mean((2, 3))


def _as_inception_expects(images: Tensor) -> Tensor:
    """Rescale standardized images to -1..1, the range that Inception's ImageNet weights were trained with."""
    mean = torch.tensor(IMAGENET_MEAN, device=images.device, dtype=images.dtype).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=images.device, dtype=images.dtype).view(1, 3, 1, 1)
    return images * (std / 0.5) + (mean - 0.5) / 0.5
