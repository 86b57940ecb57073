"""Small pictures of photos, made once: what grids show and what the scan looks at."""

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
    """Where the thumbnail of a sample lies, or will."""
    # A hundred thousand files in one folder make every look at it slow.
    return dataset.folder / "thumbnails" / sample[:2] / f"{sample}.jpg"


def make_thumbnail(photo: Image.Image) -> bytes:
    """A JPEG of an RGB photo, at most 256 pixels on its longer side."""
    small = photo.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def ensure_thumbnail(dataset: Dataset, sample: str, photo: Path) -> Path:
    """The thumbnail's file; made anew from the photo when it has gone.

    Raises
    ------
    ImageError
        It has gone and the photo cannot be read.
    """
    path = thumbnail_path(dataset, sample)
    if not path.is_file():
        _remake(path, photo)
    return path


def load_thumbnail(dataset: Dataset, sample: str, photo: Path) -> Image.Image:
    """The thumbnail as an RGB image; made anew from the photo when it has gone or is damaged.

    Raises
    ------
    ImageError
        It has gone and the photo cannot be read.
    """
    path = ensure_thumbnail(dataset, sample, photo)
    try:
        return images.load(path)
    except ImageError:
        _remake(path, photo)
        return images.load(path)


def _remake(path: Path, photo: Path) -> None:
    write_atomically(path, make_thumbnail(images.load(photo, shrink_to=2 * THUMBNAIL_SIDE)))
