"""Augmentation: random changes to batches of training photos."""

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.recipe import Recipe

# Weights of red, green and blue in luma (ITU-R BT.601).
_LUMA = torch.tensor([0.299, 0.587, 0.114])


def _uniform(rng: Generator, count: int, low: float, high: float) -> Tensor:
    return torch.empty(count).uniform_(low, high, generator=rng)


def _chance(rng: Generator, count: int, probability: float) -> Tensor:
    return torch.rand(count, generator=rng) < probability


def augment(pixels: Tensor, preprocessing: Preprocessing, recipe: Recipe, rng: Generator) -> Tensor:
    """Apply all augmentations except mixing, which also changes the targets.

    Parameters
    ----------
    pixels : uint8 tensor (B, H, W, 3)
        At their stored size, a little larger than the network input.
    preprocessing : Preprocessing
    recipe : Recipe
    rng : Generator
        On the CPU. TrivialAugment uses torch's global generator.

    Returns
    -------
    float tensor (B, 3, height, width), standardized
    """
    images = trivial_augment(pixels.permute(0, 3, 1, 2), recipe.trivial_augment, rng).float()
    images = random_views(images, preprocessing.height, recipe, rng)
    if recipe.color_jitter:
        images = color_jitter(images, recipe.color_jitter, rng)
    standardized = preprocessing.standardize(images.permute(0, 2, 3, 1))
    return random_erasing(standardized, recipe.random_erasing, rng) if recipe.random_erasing else standardized


def trivial_augment(images: Tensor, probability: float, rng: Generator) -> Tensor:
    """Apply one random operation of random strength to some photos (TrivialAugment, Müller and Hutter, 2021).

    Parameters
    ----------
    images : uint8 tensor (B, 3, H, W)
    """
    if not probability:
        return images
    # Imported on use: it imports torch's compiler, which takes a second.
    from sneaker_core.networks import vision_ops  # noqa: F401  (first: it makes the next import possible)
    import torchvision.transforms.v2 as transforms  # isort: skip

    change = transforms.TrivialAugmentWide(interpolation=transforms.InterpolationMode.BILINEAR)
    chosen = _chance(rng, len(images), probability)
    return torch.stack([change(image) if hit else image for image, hit in zip(images, chosen, strict=True)])


def random_views(images: Tensor, size: int, recipe: Recipe, rng: Generator) -> Tensor:
    """Crop, zoom, rotate, stretch and flip each photo by one affine map.

    Parameters
    ----------
    images : float tensor (B, 3, H, W)
    size : int
        Height and width of the result, in pixels.
    recipe : Recipe
        Uses `crop`, `rotation` and `horizontal_flip`.
    rng : Generator

    Returns
    -------
    float tensor (B, 3, size, size)
    """
    count = len(images)
    side = _uniform(rng, count, recipe.crop, 1.0).sqrt()
    # Aspect ratio up to 4:3, but no side longer than the photo's, so the area stays as sampled.
    stretch = (_uniform(rng, count, -1, 1) * (-side.log()).clamp(max=math.log(4 / 3) / 2)).exp()
    width, height = side * stretch, side / stretch
    flip = 1 - 2 * _chance(rng, count, recipe.horizontal_flip).float()
    angle = _uniform(rng, count, -recipe.rotation, recipe.rotation).deg2rad()
    # The crop stays inside the photo.
    shift_x = (1 - width) * _uniform(rng, count, -1, 1)
    shift_y = (1 - height) * _uniform(rng, count, -1, 1)
    theta = torch.stack(
        [
            torch.stack([width * flip * angle.cos(), -height * angle.sin(), shift_x], 1),
            torch.stack([width * flip * angle.sin(), height * angle.cos(), shift_y], 1),
        ],
        1,
    )
    grid = functional.affine_grid(theta.to(images.device), [count, 3, size, size], align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def color_jitter(images: Tensor, strength: float, rng: Generator) -> Tensor:
    """Change brightness, contrast, saturation and hue by one 3 x 3 matrix and one offset per photo.

    Sneakers of one model come in every color, so color says little about the model.

    Parameters
    ----------
    images : float tensor (B, 3, H, W), values 0 to 255
    strength : float
        0 (none) to 1.
    rng : Generator

    Returns
    -------
    float tensor (B, 3, H, W), values 0 to 255
    """
    count = len(images)
    gain = _uniform(rng, count, 1 - strength, 1 + strength)
    saturation = _uniform(rng, count, 1 - 1.5 * strength, 1 + strength).clamp(min=0)
    saturation[_chance(rng, count, strength / 4)] = 0
    gray = _LUMA.expand(3, 3)
    matrix = torch.lerp(gray.expand(count, 3, 3), torch.eye(3).expand(count, 3, 3), saturation.view(-1, 1, 1))
    matrix = matrix @ _hue_rotation(_uniform(rng, count, -math.pi, math.pi) * strength)
    matrix = matrix * gain.view(-1, 1, 1)
    offset = (1 - gain) * 128 + _uniform(rng, count, -1, 1) * 255 * strength / 4
    matrix, offset = matrix.to(images.device), offset.to(images.device)
    changed = torch.einsum("bij,bjhw->bihw", matrix, images) + offset.view(-1, 1, 1, 1)
    return changed.clamp_(0, 255)


def _hue_rotation(angle: Tensor) -> Tensor:
    """Rotation about the gray axis (Rodrigues), (B, 3, 3)."""
    cos, sin = angle.cos().view(-1, 1, 1), angle.sin().view(-1, 1, 1)
    axis = 1 / math.sqrt(3)
    cross = torch.tensor([[0.0, -axis, axis], [axis, 0.0, -axis], [-axis, axis, 0.0]])
    return cos * torch.eye(3) + sin * cross + (1 - cos) / 3


def random_erasing(images: Tensor, probability: float, rng: Generator) -> Tensor:
    """Fill a rectangle of 2% to 20% of the area with the mean color in some photos (Zhong et al., 2020).

    Parameters
    ----------
    images : float tensor (B, 3, H, W), standardized: zero is the mean color
    """
    count, _, height, width = images.shape
    chosen = _chance(rng, count, probability)
    side = _uniform(rng, count, 0.02, 0.20).sqrt()
    stretch = _uniform(rng, count, math.log(0.4), math.log(2.5)).div(2).exp()
    half_h, half_w = side / stretch / 2, side * stretch / 2
    y, x = _uniform(rng, count, 0, 1), _uniform(rng, count, 0, 1)
    rows = (torch.arange(height).add(0.5).div(height)[None] - y[:, None]).abs() < half_h[:, None]
    columns = (torch.arange(width).add(0.5).div(width)[None] - x[:, None]).abs() < half_w[:, None]
    erased = rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]
    return images.masked_fill(erased[:, None].to(images.device), 0.0)


def mix_batch(images: Tensor, targets: Tensor, probability: float, rng: Generator) -> tuple[Tensor, Tensor]:
    """With a given probability, mix each photo of a batch and its target with another one.

    Half of the mixed batches use CutMix, which pastes a rectangle of the other photo (Yun et al., 2019); half use
    mixup, which blends the two (Zhang et al., 2018).

    Parameters
    ----------
    images : float tensor (B, 3, H, W)
    targets : float tensor (B, C), rows sum to 1
    """
    if not _chance(rng, 1, probability).item():
        return images, targets
    order = torch.randperm(len(images), generator=rng).to(images.device)
    kept = float(_uniform(rng, 1, 0.5, 1.0))
    if _chance(rng, 1, 0.5).item():
        height, width = images.shape[2:]
        h, w = round(height * math.sqrt(1 - kept)), round(width * math.sqrt(1 - kept))
        top = int(torch.randint(0, height - h + 1, (1,), generator=rng))
        left = int(torch.randint(0, width - w + 1, (1,), generator=rng))
        images = images.clone()
        images[:, :, top : top + h, left : left + w] = images[order, :, top : top + h, left : left + w]
        kept = 1 - h * w / (height * width)
    else:
        images = torch.lerp(images[order], images, kept)
    return images, torch.lerp(targets[order], targets, kept)
