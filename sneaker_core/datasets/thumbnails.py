"""Thumbnails: small JPEGs that grids show and that the scan measures."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from sneaker_core import images
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import ImageError
from sneaker_core.workspace.atomic_files import write_atomically

THUMBNAIL_SIDE = 256
_QUALITY = 85


def thumbnail_path(dataset: Dataset, sample: str) -> Path:
    """Return the path of a sample's thumbnail, which may not exist yet."""
    # A single folder with a hundred thousand files would be slow to read.
    return dataset.folder / "thumbnails" / sample[:2] / f"{sample}.jpg"


def make_thumbnail(photo: Image.Image) -> bytes:
    """Return a JPEG of an RGB photo, at most 256 pixels on its longer side."""
    small = photo.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def ensure_thumbnail(dataset: Dataset, sample: str, photo: Path) -> Path:
    """Return the path of the thumbnail, which is created from the photo if it is missing.

    Raises
    ------
    ImageError
        The thumbnail is missing and the photo can't be read.
    """
    path = thumbnail_path(dataset, sample)
    if not path.is_file():
        _remake(path, photo)
    return path


def load_thumbnail(dataset: Dataset, sample: str, photo: Path) -> Image.Image:
    """Load the thumbnail as an RGB image; it is created from the photo if it is missing or damaged.

    Raises
    ------
    ImageError
        The thumbnail is missing or damaged and the photo can't be read.
    """
    path = ensure_thumbnail(dataset, sample, photo)
    try:
        return images.load(path)
    except ImageError:
        _remake(path, photo)
        return images.load(path)


def _remake(path: Path, photo: Path) -> None:
    write_atomically(path, make_thumbnail(images.load(photo, shrink_to=2 * THUMBNAIL_SIDE)), is_change=False)
