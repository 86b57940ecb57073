"""The photo next to its map, with opacity and color scale."""

from dataclasses import replace

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY, ExplanationRequest
from sneaker_core.inference.explanation.heat_maps import describe_location, strongest_area
from ui.explain import map_pictures
from ui.explain.explain_keys import Key
from ui.explain.request_controls import subject
from ui.kit import explanation_cache, photo_previews
from ui.kit.model_cache import ModelKey
from ui.kit.text import escape_markdown


@st.fragment
def draw_heat_map(key: ModelKey, photo: Photo, request: ExplanationRequest) -> None:
    """Draw both; a change of the opacity reruns this part only.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
        A readable one.
    request : ExplanationRequest
        With a target; the opacity is chosen here.
    """
    finding = st.container()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Photo**")
        st.image(photo_previews.preview(photo), width="stretch", alt=f"The photo {photo.name}")
    opacity = choose_opacity()
    draw_scale()
    try:
        with right:
            st.markdown(f"**{request.method.display_name}**")
            with st.skeleton(260):
                explanation = explanation_cache.explain(key, photo, replace(request, opacity=opacity))
                picture = photo_previews.jpeg_bytes(explanation.overlay())
    except SneakerError as error:
        finding.warning(escape_markdown(str(error)), icon=":material/hourglass_empty:")
        return
    assert explanation.heat is not None
    area, share = strongest_area(explanation.heat)
    finding.markdown(describe_location(subject(request), f"**{area}**", share))
    right.image(picture, width="stretch", alt=f"The photo, colored by evidence for {explanation.subject}")


def choose_opacity() -> float:
    """The opacity of the map, 0 to 1; one choice for all maps of the page."""
    st.session_state.setdefault(Key.EXPLAIN_OPACITY, round(100 * DEFAULT_OPACITY))
    opacity = st.slider(
        "Opacity of the map", 0, 100, step=5, format="%d%%", key=Key.EXPLAIN_OPACITY, persist_state="session"
    )
    return int(opacity) / 100


def draw_scale() -> None:
    """Draw the color scale."""
    st.image(map_pictures.color_scale(), width="stretch", alt="Color scale: none, violet, magenta, orange, yellow")
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.caption("No color: no evidence", width="content")
        st.caption("Yellow: most evidence", width="content")
