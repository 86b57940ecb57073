"""Models in memory and their answers, kept between page runs and shared by all users.

A model is identified by its folder and the version of its files, a photo by the SHA-256 of its bytes. Arguments with a
leading underscore are not part of a cache key.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from sneaker_core.images import Photo
from sneaker_core.inference.model_service import shared_models, shared_queue
from sneaker_core.inference.predictor import MAX_TOP, Answer, PhotoReading, answer_of, read_photo
from sneaker_core.inference.same_sneaker import SameSneakerAnswer, same_sneaker_answer
from sneaker_core.networks.checkpoint import SneakerModel


@dataclass(frozen=True)
class ModelKey:
    """A model's folder and the version of its files."""

    folder: str
    version: str


def load_model(key: ModelKey) -> SneakerModel:
    """The model, loaded at most once in this process: the pages and the JSON API share it.

    Raises
    ------
    CheckpointError
        The model's folder is damaged.
    """
    return shared_models().load(Path(key.folder))


def answer(key: ModelKey, photo: Photo) -> Answer:
    """The model's answer for a photo, with up to `MAX_TOP` guesses."""
    return replace(_answer(key.folder, key.version, photo.digest, photo.data), image=photo.name)


def same_sneaker(key: ModelKey, photos: Sequence[Photo]) -> SameSneakerAnswer:
    """The model's answer for photos of one sneaker; the network sees none of them twice."""
    readings = [
        replace(_reading(key.folder, key.version, photo.digest, photo.data), image=photo.name) for photo in photos
    ]
    return same_sneaker_answer(load_model(key), readings, [photo.digest for photo in photos], MAX_TOP)


@st.cache_data(max_entries=2_000, show_spinner=False)
def _answer(folder: str, version: str, digest: str, _data: bytes) -> Answer:
    # Always all guesses: showing another number of them must not run the network again.
    return answer_of(load_model(ModelKey(folder, version)), _reading(folder, version, digest, _data), MAX_TOP)


@st.cache_data(max_entries=2_000, show_spinner=False)
def _reading(folder: str, version: str, digest: str, _data: bytes) -> PhotoReading:
    model = load_model(ModelKey(folder, version))
    return shared_queue().submit_request(read_photo, model, "", _data).result()
