"""Teach: show a model a few photos of a sneaker, and it knows it, without training."""

import streamlit as st

from ui.kit.model_picker import installed_models
from ui.kit.page_frame import end_page, page_body
from ui.teach.lesson_view import draw_teaching
from ui.teach.live_camera import draw_camera
from ui.teach.sneaker_form import draw_sneakers
from ui.teach.taught_list import draw_taught
from ui.teach.teach_choices import choose_start, choose_target
from ui.teach.teach_keys import Key

ABOUT = "In a minute, without training: give it a name and 3 to 10 photos, and try it at once."

with page_body("Teach it a new sneaker", ABOUT, wide=False, makes_changes=True), st.container(key=Key.PAGE):
    models = installed_models()
    if not models:
        end_page()
    target = choose_target(models, choose_start())
    draw_sneakers(target)
    draw_camera(target)
    draw_teaching(target)
    draw_taught(target)
