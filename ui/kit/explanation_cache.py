"""Attribution maps of photos, kept between page runs and shared by all users."""

import io

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from sneaker_core import images
from sneaker_core.inference.explanation.attributions import attribute
from sneaker_core.inference.explanation.explanation_request import Method, Question
from sneaker_core.inference.explanation.heat_maps import overlay
from sneaker_core.inference.model_service import shared_queue, slow_queue
from ui.kit.model_cache import ModelKey, load_model
from ui.kit.photo_files import Photo
from ui.kit.photo_previews import PREVIEW_SIDE, jpeg_bytes, preview


def heat_map(
    key: ModelKey,
    photo: Photo,
    label: str,
    method: Method = Method.GRADCAM,
    versus: str | None = None,
    layer: str | None = None,
) -> NDArray[np.float32]:
    """Attribution of each pixel to a class, shape (H, W), 0 to 1; see `attributions.attribute`."""
    return _heat_map(key.folder, key.version, photo.digest, Question(label, versus, method, layer), photo.data)


@st.cache_data(max_entries=300, show_spinner=False)
def _heat_map(folder: str, version: str, digest: str, question: Question, _data: bytes) -> NDArray[np.float32]:
    model = load_model(ModelKey(folder, version))
    # Decode exactly as the answer did.
    photo = images.decode(_data, shrink_to=model.spec.preprocessing.shrink_to)
    queue = slow_queue() if question.method.is_slow else shared_queue()
    asked = (question.target or "", question.method, question.versus, question.layer)
    heat: NDArray[np.float32] = queue.submit(attribute, model, [photo], *asked).result()[0]
    return heat


def heat_map_preview(
    key: ModelKey,
    photo: Photo,
    label: str,
    strength: float,
    method: Method = Method.GRADCAM,
    versus: str | None = None,
    layer: str | None = None,
    side: int = PREVIEW_SIDE,
) -> bytes:
    """A small JPEG of the photo with the heat map on top.

    Not cached: drawing it is quick, and there is one for every strength.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    label : str
        Class to explain.
    strength : float
        Opacity of the map, 0 to 1.
    method, versus, layer
        As in `Question`.
    side : int
        Longest side of the JPEG in pixels.
    """
    heat = heat_map(key, photo, label, method, versus, layer)
    with Image.open(io.BytesIO(preview(photo)), formats=("JPEG",)) as small:
        picture = small.convert("RGB")
    picture.thumbnail((side, side))
    return jpeg_bytes(overlay(picture, heat, strength))
