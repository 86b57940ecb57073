"""The photo beside its map, with what the colours mean."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.inference.explanation.explanation_request import Question
from sneaker_core.inference.explanation.heat_maps import hottest_place
from ui.explain import map_pictures
from ui.explain.explain_keys import Key
from ui.explain.explain_labels import seen
from ui.explain.request_controls import rather
from ui.kit import explanation_cache, photo_previews
from ui.kit.model_cache import ModelKey
from ui.kit.photo_files import Photo
from ui.kit.text import plain

DEFAULT_STRENGTH = 60


@st.fragment
def draw_picture(key: ModelKey, photo: Photo, question: Question) -> None:
    """Draw both; another strength of the colours reruns this part alone.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
        One that can be read.
    question : Question
        With its target.
    """
    words = st.container()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**The photo**")
        st.image(photo_previews.preview(photo), width="stretch", alt=f"The photo {photo.name}")
    strength = draw_strength()
    draw_scale()
    target = question.target or ""
    asked = (question.method, question.versus, question.layer)
    try:
        with right:
            st.markdown(f"**{question.method.plain_name}**")
            with st.skeleton(260):
                place, share = hottest_place(explanation_cache.heat_map(key, photo, target, *asked))
                heated = explanation_cache.heat_map_preview(key, photo, target, strength, *asked)
    except SneakerError as error:
        words.warning(plain(str(error)), icon=":material/hourglass_empty:")
        return
    sentence = seen(rather(question), place, share)
    words.markdown(sentence)
    against = f" rather than {question.versus}" if question.versus else ""
    right.image(heated, width="stretch", alt=f"The photo with colours over what speaks for {target}{against}")


def draw_strength() -> float:
    """How strong the colours are, 0 to 1; one choice for all pictures."""
    st.session_state.setdefault(Key.EXPLAIN_OPACITY, DEFAULT_STRENGTH)
    strength = st.slider(
        "Strength of the colours",
        0,
        100,
        step=5,
        format="%d%%",
        key=Key.EXPLAIN_OPACITY,
        persist_state="session",
    )
    return int(strength) / 100


def draw_scale() -> None:
    """The legend: what the colours mean."""
    st.image(
        map_pictures.color_scale(), width="stretch", alt="Scale of the colours: none, violet, magenta, orange, yellow"
    )
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.caption("no colour: does not speak for it", width="content")
        st.caption("yellow: speaks for it most", width="content")
