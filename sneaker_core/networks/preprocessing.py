"""What is done to a photo before a network sees it: the one place, saved with every checkpoint."""

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
    """Shrink the whole photo to one size and standardise its colours.

    The photo is fitted without keeping its aspect: nothing is cut off (a sneaker's toe and heel lie at the edges of
    a wide photo) and no pixel is spent on borders.

    Attributes
    ----------
    height, width : int
        Size in pixels that the network sees.
    mean, std : tuple of float
        Per channel (red, green, blue), for values scaled to 0..1.
    mirrored : bool
        Whether the answer is the average over the photo and its mirror image.
    """

    height: int
    width: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    mirrored: bool = True

    @property
    def shrink_to(self) -> int:
        """Pixels a side that a photo may be decoded at: twice what the network sees, so that nothing is lost."""
        return 2 * max(self.height, self.width)

    def resize(self, image: Image.Image) -> NDArray[np.uint8]:
        """The photo at the network's size: uint8, (height, width, 3)."""
        return resized(image, self.height, self.width)

    def standardise(self, pixels: Tensor) -> Tensor:
        """Float32 images (B, 3, H, W) of uint8 pixels (B, H, W, 3), standardised, in channels-last memory."""
        images = pixels.permute(0, 3, 1, 2).float()
        scale = torch.tensor(self.std).view(1, 3, 1, 1) * 255
        shift = torch.tensor(self.mean).view(1, 3, 1, 1) * 255
        return (images - shift.to(images.device)) / scale.to(images.device)

    def __call__(self, images: list[Image.Image]) -> Tensor:
        """Float32 batch (B, 3, height, width) of RGB photos of any size."""
        pixels = np.stack([self.resize(image) for image in images])
        return self.standardise(torch.from_numpy(pixels))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocessing":
        """The inverse of `to_dict`."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


def resized(image: Image.Image, height: int, width: int) -> NDArray[np.uint8]:
    """An RGB photo fitted to height x width: uint8, (height, width, 3)."""
    small = image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)
    return np.array(small, dtype=np.uint8)
