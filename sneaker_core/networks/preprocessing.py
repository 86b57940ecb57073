"""Preprocessing of photos, the same in training, evaluation and inference; saved with every checkpoint."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """Resize the whole photo to a fixed size and standardize its colors.

    The aspect ratio is not kept: nothing is cropped (in a wide photo the toe and heel are at the edges), and no pixels
    are spent on borders.

    Attributes
    ----------
    height, width : int
        Size of the network's input, in pixels.
    mean, std : tuple of float
        Per channel (red, green, blue), for pixel values scaled to 0..1.
    mirrored : bool
        Whether outputs are averaged over the photo and its horizontal flip.
    """

    height: int
    width: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    mirrored: bool = True

    @property
    def shrink_to(self) -> int:
        """Size, in pixels per side, that photos may be decoded at: twice the input size, so that no detail is lost."""
        return 2 * max(self.height, self.width)

    def resize(self, image: Image.Image) -> NDArray[np.uint8]:
        """The photo at the input size: uint8, (height, width, 3)."""
        return resized(image, self.height, self.width)

    def standardize(self, pixels: Tensor) -> Tensor:
        """Standardized float32 images (B, 3, H, W), channels last in memory, from uint8 pixels (B, H, W, 3)."""
        images = pixels.permute(0, 3, 1, 2).float()
        scale = torch.tensor(self.std).view(1, 3, 1, 1) * 255
        shift = torch.tensor(self.mean).view(1, 3, 1, 1) * 255
        return (images - shift.to(images.device)) / scale.to(images.device)

    def __call__(self, images: list[Image.Image]) -> Tensor:
        """Preprocess RGB photos of any size into a float32 batch (B, 3, height, width)."""
        pixels = np.stack([self.resize(image) for image in images])
        return self.standardize(torch.from_numpy(pixels))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def resized(image: Image.Image, height: int, width: int) -> NDArray[np.uint8]:
    """Resize an RGB photo: uint8, (height, width, 3)."""
    small = image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)
    return np.array(small, dtype=np.uint8)
