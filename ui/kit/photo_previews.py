"""Small JPEGs of photos, sent to the browser instead of the photos themselves."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from PIL import Image

from sneaker_core import images
from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE, make_thumbnail
from sneaker_core.decoding import photo_decoder
from sneaker_core.images import Photo

PREVIEW_SIDE = 640
# What Streamlit replaces in the names of CSS classes that it makes of keys.
_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")


def preview(photo: Photo) -> bytes:
    """A small JPEG of an uploaded photo."""
    return _preview(photo.digest, photo.data)


@st.cache_data(max_entries=300, show_spinner=False)
def _preview(digest: str, _data: bytes) -> bytes:
    small = photo_decoder.decode(_data, shrink_to=PREVIEW_SIDE)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return jpeg_bytes(small)


@st.cache_data(max_entries=100, show_spinner=False)
def stored_preview(sample: str, path: str) -> bytes:
    """A small JPEG of a photo in a dataset.

    Raises
    ------
    ImageError
        The file is missing or can't be read.
    """
    small = images.load(Path(path), shrink_to=PREVIEW_SIDE)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return jpeg_bytes(small)


def small_photo(path: str) -> bytes:
    """A thumbnail of a photo that is in no dataset.

    Raises
    ------
    ImageError
        The file can't be read.
    OSError
        The file is missing.
    """
    return _small_photo(path, Path(path).stat().st_mtime_ns)


@st.cache_data(max_entries=500, show_spinner=False)
def _small_photo(path: str, changed: int) -> bytes:
    return make_thumbnail(photo_decoder.load(Path(path), shrink_to=2 * THUMBNAIL_SIDE))


def jpeg_bytes(image: Image.Image) -> bytes:
    """The image as a JPEG of a quality that is good enough to look at."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@contextmanager
def photo_frame(key: str, picture: bytes) -> Iterator[bytes]:
    """Reserve the height of a picture that is drawn inside, so that nothing moves when it arrives.

    Parameters
    ----------
    key : str
        Of the container.
    picture : bytes
        The image file.
    """
    with Image.open(io.BytesIO(picture)) as opened:
        width, height = opened.size
    name = f".st-key-{_UNSAFE.sub('-', key)}"
    ratio = f"aspect-ratio: {width} / {height};"
    with st.container(key=key):
        # The container's, too: the browser loads the code that draws pictures late.
        st.html(f"<style>{name} {{{ratio} height: auto;}} {name} img {{{ratio}}}</style>")
        yield picture
