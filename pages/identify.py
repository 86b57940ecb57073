"""Identify: upload photos; see which sneaker each one shows, how confident the model is, and why."""

import streamlit as st

from ui.identify.answer_list import draw_answers
from ui.identify.identify_keys import Key
from ui.identify.photo_input import choose_photos
from ui.identify.welcome import draw_doors, draw_known_sneakers, draw_samples
from ui.kit.corrections_offer import draw_corrections_offer
from ui.kit.model_picker import choose_model, installed_models
from ui.kit.page_frame import end_page, page_body

ABOUT = (
    "Show the model a photo of a sneaker, best from the side and close up. It says which one it is, how sure it is, "
    "and why."
)

with page_body("What are those?", wide=False):
    models = installed_models()
    if not models:
        end_page()

    photos = choose_photos()
    # Each has its place, so that what it showed doesn't move while the other one is drawn.
    answers, home = st.container(), st.container(key=Key.HOME)
    if photos:
        with answers:
            cards = st.container(key=Key.CARDS)
            with st.container(key=Key.MODEL_CHOICE):
                model = choose_model(models)
            with cards:
                draw_answers(model, photos)
    else:
        with home:
            st.markdown(ABOUT)
            draw_samples()
            draw_doors()
            offer = st.container()
            model = choose_model(models)
            draw_known_sneakers(model)
            with offer:
                draw_corrections_offer(model)
