"""Which photo would help where the model isn't sure of this one."""

import streamlit as st

from sneaker_core.catalog.entries import Sneaker
from sneaker_core.catalog.lookup import find_entry
from sneaker_core.catalog.telling_views import telling_view
from sneaker_core.datasets.quality.photo_advice import photo_advice
from sneaker_core.datasets.thumbnails import THUMBNAIL_SIDE
from sneaker_core.decoding import photo_decoder
from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status


def view_hint(photo: Photo, answer: Answer) -> str | None:
    """Which photo would help, in a sentence, for an answer that isn't sure; None if nothing can be said.

    What is measurably wrong with this photo comes first; then where the marks are that tell the two most probable
    sneakers apart, if the catalog knows both as look-alikes.

    Parameters
    ----------
    photo : Photo
    answer : Answer
    """
    if answer.status is not Status.UNSURE:
        return None
    try:
        return _advice(photo.digest, photo.data) or _view_of_look_alikes([guess.label for guess in answer.top[:2]])
    except SneakerError:
        return None


@st.cache_data(max_entries=500, show_spinner=False)
def _advice(digest: str, _data: bytes) -> str | None:
    decoded = photo_decoder.decode_photo(_data, shrink_to=2 * THUMBNAIL_SIDE)
    decoded.image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return photo_advice(decoded)


def _view_of_look_alikes(labels: list[str]) -> str | None:
    sneakers = [entry for entry in map(find_entry, labels) if isinstance(entry, Sneaker)]
    view = telling_view(sneakers[0], sneakers[1]) if len(sneakers) == 2 else None
    return None if view is None else f"A photo {view} would help to tell {labels[0]} from {labels[1]}."
