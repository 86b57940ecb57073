"""Explanations of photos, kept between page runs and shared by all users."""

import io
from dataclasses import replace

import streamlit as st
from PIL import Image

from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explain_photos import Explanation, explain_bytes
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.model_service import shared_queue, slow_queue
from ui.kit.model_cache import ModelKey, load_model
from ui.kit.photo_previews import PREVIEW_SIDE, jpeg_bytes, preview


def explain(key: ModelKey, photo: Photo, request: ExplanationRequest) -> Explanation:
    """The explanation of a photo, drawn on its preview.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    request : ExplanationRequest
        Another opacity doesn't compute the map again. The sanity check is left out: it runs in the background.
    """
    found = _explain(key.folder, key.version, photo.digest, request.map_only(), photo.data)
    with Image.open(io.BytesIO(preview(photo)), formats=("JPEG",)) as small:
        picture = small.convert("RGB")
    side = request.max_side or PREVIEW_SIDE
    picture.thumbnail((side, side))
    answered = replace(found.request, opacity=request.opacity, max_side=request.max_side)
    return replace(found, image=photo.name, request=answered, photo=picture)


@st.cache_data(max_entries=300, show_spinner=False)
def _explain(folder: str, version: str, digest: str, request: ExplanationRequest, _data: bytes) -> Explanation:
    queue = slow_queue() if request.method.is_slow else shared_queue()
    small = replace(request, max_side=PREVIEW_SIDE)
    found = queue.submit_request(explain_bytes, load_model(ModelKey(folder, version)), "", _data, small).result()
    return replace(found, photo=None)  # drawn on the preview, which is kept already


def overlay_jpeg(key: ModelKey, photo: Photo, request: ExplanationRequest) -> bytes:
    """A small JPEG of the photo with the map on top; `max_side` defaults to that of a preview."""
    return jpeg_bytes(explain(key, photo, request).overlay())
