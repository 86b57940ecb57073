"""Everything that is kept between two runs of a page and shared by all users: the only home of ``st.cache_*``.

A model is told by its folder *and* its version, so one that is trained anew under the same name is loaded anew; a
photo by the SHA-256 of its bytes. Arguments with a leading underscore are not part of a key.
"""

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from sneaker_core import images
from sneaker_core.inference.explanation import gradcam, overlay
from sneaker_core.inference.predictor import MAX_TOP, Answer, predict_bytes
from sneaker_core.inference.service import shared_queue
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.checkpoint import load_model as load_from_folder
from ui.photos import Photo

PREVIEW_SIDE = 640


@dataclass(frozen=True)
class ModelKey:
    """Which model, in which version of its files."""

    folder: str
    version: str


def load_model(key: ModelKey) -> SneakerModel:
    """A model in memory.

    Raises
    ------
    CheckpointError
        Its folder is damaged.
    """
    return _model(key.folder, key.version)


@st.cache_resource(max_entries=2, show_spinner="Getting the model ready…")
def _model(folder: str, version: str) -> SneakerModel:
    return load_from_folder(Path(folder))


def answer(key: ModelKey, photo: Photo) -> Answer:
    """What the model says of a photo, with as many guesses as there are, at most `MAX_TOP`."""
    return replace(_answer(key.folder, key.version, photo.digest, photo.data), image=photo.name)


@st.cache_data(max_entries=2_000, show_spinner=False)
def _answer(folder: str, version: str, digest: str, _data: bytes) -> Answer:
    # Whatever the number of guesses on show: another number must not ask the network again.
    return shared_queue().submit(predict_bytes, _model(folder, version), "", _data, MAX_TOP).result()


def preview(photo: Photo) -> bytes:
    """A small JPEG of a readable photo: what the browser gets in place of the photo itself."""
    return _preview(photo.digest, photo.data)


@st.cache_data(max_entries=300, show_spinner=False)
def _preview(digest: str, _data: bytes) -> bytes:
    small = images.decode(_data, shrink_to=PREVIEW_SIDE)
    small.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return _jpeg(small)


def heat_map(key: ModelKey, photo: Photo, label: str) -> NDArray[np.float32]:
    """How much each part of a photo speaks for a class, 0 to 1."""
    return _heat_map(key.folder, key.version, photo.digest, label, photo.data)


@st.cache_data(max_entries=100, show_spinner=False)
def _heat_map(folder: str, version: str, digest: str, label: str, _data: bytes) -> NDArray[np.float32]:
    model = _model(folder, version)
    # The same pixels that the answer was made from.
    photo = images.decode(_data, shrink_to=model.spec.preprocessing.shrink_to)
    return shared_queue().submit(gradcam, model, photo, label).result()


def heated_preview(key: ModelKey, photo: Photo, label: str, strength: float) -> bytes:
    """The small JPEG with the heat map over it; quick enough not to be kept for every strength."""
    with Image.open(io.BytesIO(preview(photo)), formats=("JPEG",)) as small:
        return _jpeg(overlay(small.convert("RGB"), heat_map(key, photo, label), strength))


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
