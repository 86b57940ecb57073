"""Pictures of stored attribution maps, and the color scale."""

import io
import zipfile
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE
from sneaker_core.inference.explanation.heat_maps import legend, overlay
from ui.kit.photo_previews import jpeg_bytes


def overlay_preview(photo: Path, heat: Path, strength: float) -> bytes:
    """A small JPEG of a class-average photo with its map (gray, 0 to 255) on top.

    Raises
    ------
    OSError
        A file is missing or damaged.
    """
    with Image.open(photo, formats=("PNG",)) as picture, Image.open(heat, formats=("PNG",)) as gray:
        shades = (np.asarray(gray.convert("L")) / 255).astype(np.float32)
        return jpeg_bytes(overlay(picture.convert("RGB"), shades, strength))


@st.cache_data(max_entries=50, show_spinner=False)
def archive_pictures(archive: str, changed: int, most: int) -> list[tuple[str, bytes]]:
    """The first pictures of an archive of maps: name and small JPEG.

    Raises
    ------
    OSError, zipfile.BadZipFile
        The archive is missing or damaged.
    """
    shown = []
    with zipfile.ZipFile(archive) as opened:
        for name in [name for name in opened.namelist() if name.endswith(".png")][:most]:
            with Image.open(io.BytesIO(opened.read(name)), formats=("PNG",)) as picture:
                small = picture.convert("RGB")
            small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
            shown.append((name, jpeg_bytes(small)))
    return shown


@st.cache_data(show_spinner=False)
def color_scale() -> bytes:
    """A PNG of the color scale of a map, from none (transparent) to most."""
    buffer = io.BytesIO()
    legend(512, 14).save(buffer, "PNG")
    return buffer.getvalue()
