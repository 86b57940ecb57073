"""A photo that was uploaded on another page, to be explained on this one."""

import streamlit as st

from ui.explain.explain_views import Source
from ui.kit.photo_files import Photo
from ui.kit.state_keys import Key


def hand_over(photo: Photo) -> None:
    """Have the Explain page show a photo, until another one is chosen there."""
    st.session_state[Key.EXPLAIN_HANDED] = photo
    st.session_state[Key.EXPLAIN_SOURCE] = Source.UPLOAD
