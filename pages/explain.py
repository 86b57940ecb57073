"""Explain: what the network looks at, in one photo, in a class on the whole, in many photos."""

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.explain.batch_view import draw_many
from ui.explain.class_average_view import draw_means
from ui.explain.explain_address import arrive, draw_notices
from ui.explain.explain_views import Part, choose_part
from ui.explain.single_photo_view import draw_one
from ui.kit.model_picker import installed_models
from ui.kit.page_frame import page_body
from ui.kit.text import plain

PARTS = {Part.ONE: draw_one, Part.MEANS: draw_means, Part.MANY: draw_many}

with page_body(1200):
    st.title("Explain", anchor=False)
    st.markdown("See what the network looks at when it says what a sneaker is, and how far that can be trusted.")
    models = installed_models()
    if not models:
        st.stop()
    arrive(models)
    notices = st.container()
    try:
        PARTS[choose_part()](models)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
    with notices:
        draw_notices()
