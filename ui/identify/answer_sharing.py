"""An answer to hand on: as a picture, or as text to copy."""

import streamlit as st

from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.predictor import Answer
from sneaker_core.inference.share_card import draw_share_card
from sneaker_core.networks.model_registry import ModelEntry
from ui.identify.identify_keys import Key
from ui.kit import explanation_cache
from ui.kit.model_cache import ModelKey


def draw_share(model: ModelEntry, key: ModelKey, photo: Photo, answer: Answer) -> None:
    """Draw a button that opens the ways to share; the picture is drawn when it is downloaded.

    Parameters
    ----------
    model : ModelEntry
    key : ModelKey
        Of the same model.
    photo : Photo
        A readable one.
    answer : Answer
    """

    def picture() -> bytes:
        return draw_share_card(answer, explanation_cache.explain(key, photo, ExplanationRequest()), model.name)

    with st.popover("Share", icon=":material/share:", type="tertiary"):
        st.download_button(
            "Download a picture",
            picture,
            "sneaker.png",
            "image/png",
            key=Key.SHARE.of(photo.key),
            on_click="ignore",
            icon=":material/image:",
        )
        st.code(f"{answer.sentence()} ({model.name}, SoleScope)", language=None, wrap_lines=True)
