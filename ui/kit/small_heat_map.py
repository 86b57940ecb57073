"""A photo under the heat map of one class, for pages that show it beside other things."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from ui.kit.explanation_cache import overlay_jpeg
from ui.kit.model_cache import ModelKey
from ui.kit.text import escape_markdown, truncate

HEAT_MAP_LEGEND = "Yellow areas contributed most to the class, purple ones a little, uncolored ones nothing."


def draw_heat_map(key: ModelKey, photo: Photo, label: str, *, height: int = 180) -> bool:
    """Draw a photo under its heat map, or say why there is none.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    label : str
        The class whose evidence is shown.
    height : int
        In pixels, of the space that is kept free until the map is there.

    Returns
    -------
    bool
        Whether there is one.
    """
    try:
        with st.skeleton(height):
            picture = overlay_jpeg(key, photo, ExplanationRequest(label))
    except SneakerError as error:
        st.warning(escape_markdown(str(error)))
        return False
    st.image(picture, width="stretch", alt=f"Heat map of the photo for {truncate(label)}")
    return True
