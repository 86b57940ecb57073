"""Explain: what a model looks at in one photo, in a class on average and in many photos."""

import streamlit as st

from ui.explain.batch_view import draw_many
from ui.explain.class_average_view import draw_means
from ui.explain.explain_address import arrive, draw_notices
from ui.explain.explain_views import Part, choose_part
from ui.explain.single_photo_view import draw_one
from ui.kit.model_picker import installed_models
from ui.kit.page_frame import page_body

PARTS = {Part.ONE: draw_one, Part.MEANS: draw_means, Part.MANY: draw_many}

with page_body("Explain", "See what a model looks at when it recognizes a sneaker, and how far to trust that picture."):
    models = installed_models()
    if not models:
        st.stop()
    arrive(models)
    notices = st.container()
    try:
        PARTS[choose_part()](models)
    finally:
        with notices:
            draw_notices()
