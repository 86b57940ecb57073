"""Augmentation preview: sample photos as a recipe augments them."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Generator, Tensor

from sneaker_core.errors import DatasetError
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.augmentation import augment, mix_batch
from sneaker_core.training.photo_cache import load_photos
from sneaker_core.training.prepared_photos import resize_batch
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.trainer import STORED_OVER_SEEN

Picture = NDArray[np.uint8]

# Pixels between pictures on a sheet, and between originals and variants.
_GAP, _WIDE_GAP = 4, 12


def augmented_preview(
    samples: pd.DataFrame, recipe: Recipe, workspace: Path, photos: int = 4, variants: int = 6, seed: int = 0
) -> list[list[Picture]]:
    """Augment some photos as in training.

    Parameters
    ----------
    samples : DataFrame
        Columns sample and path.
    recipe : Recipe
    workspace : Path
        Caches the decoded photos.
    photos : int
        Number of photos; fewer if not enough can be read.
    variants : int
        Number of variants of each photo.
    seed : int
        Seed of the choice of photos and of their augmentation.

    Returns
    -------
    list of list of uint8 array (size, size, 3)
        One row per photo: the original, then its variants.

    Raises
    ------
    DatasetError
        None of the photos can be read.
    SpaceError
        The disk is full.
    """
    pixels = torch.from_numpy(_chosen(samples, recipe, workspace, photos, seed))
    preprocessing = recipe.preprocessing(recipe.size)
    recipe = recipe.as_applied()
    columns = [_as_pictures(resize_batch(pixels.numpy(), preprocessing))]
    rng = Generator().manual_seed(seed)
    # Mixing also changes targets, which are not needed here.
    targets = torch.zeros(len(pixels), 1)
    # TrivialAugment uses torch's global generator, which must stay as it was.
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for _ in range(variants):
            images, _ = mix_batch(augment(pixels, preprocessing, recipe, rng), targets, recipe.mixup, rng)
            columns.append(_as_pictures(_unstandardized(images, preprocessing)))
    return [list(row) for row in zip(*columns, strict=True)]


def contact_sheet(rows: list[list[Picture]]) -> bytes:
    """All pictures of a preview on a white sheet, one row per photo, as PNG."""
    height, width = rows[0][0].shape[:2]
    count = len(rows[0])
    sheet = Image.new("RGB", (count * (width + _GAP) + _GAP + _WIDE_GAP, len(rows) * (height + _GAP) + _GAP), "white")
    for line, row in enumerate(rows):
        for column, picture in enumerate(row):
            left = _GAP + column * (width + _GAP) + (_WIDE_GAP if column else 0)
            sheet.paste(Image.fromarray(picture), (left, _GAP + line * (height + _GAP)))
    data = io.BytesIO()
    sheet.save(data, "PNG")
    return data.getvalue()


def _chosen(samples: pd.DataFrame, recipe: Recipe, workspace: Path, photos: int, seed: int) -> Picture:
    """Random photos (N, H, W, 3) at the size stored for training; unreadable ones are skipped."""
    shuffled, found, count = samples.sample(frac=1, random_state=seed), [], 0
    for start in range(0, len(shuffled), photos):
        part = load_photos(shuffled.iloc[start : start + photos], round(recipe.size * STORED_OVER_SEEN), workspace)
        found.append(np.array(part.pixels))
        count += len(part.pixels)
        if count >= photos:
            break
    if not count:
        raise DatasetError("None of the photos could be read.")
    return np.concatenate(found)[:photos]


def _unstandardized(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Values 0 to 255, (B, H, W, 3), of standardized images (B, 3, H, W)."""
    return (images.permute(0, 2, 3, 1) * torch.tensor(preprocessing.std) + torch.tensor(preprocessing.mean)) * 255


def _as_pictures(values: Tensor) -> list[Picture]:
    return list(values.round().clamp(0, 255).to(torch.uint8).numpy())
