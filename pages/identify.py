"""Identify: upload photos; see which sneaker each one shows, how confident the model is, and why."""

import streamlit as st

from sneaker_core.images import FORMATS
from sneaker_core.inference.predictor import MAX_TOP
from ui.identify.answer_cards import draw_invitation
from ui.identify.answer_list import draw_answers
from ui.identify.chosen_photos import arrive, with_photos_before
from ui.identify.identify_keys import Key
from ui.kit.kept_uploads import KEPT_NOTE
from ui.kit.model_picker import choose_model, installed_models
from ui.kit.page_frame import end_page, page_body
from ui.kit.photo_files import upload_cap, uploaded_photos

ABOUT = "Upload a photo of a sneaker. The model tells you which one it is, how confident it is, and why."

with page_body("What are those?", ABOUT, wide=False):
    models = installed_models()
    if not models:
        end_page()

    arrive()
    with st.container(border=True):
        uploads = st.file_uploader(
            "Photos of sneakers",
            # No `type=`: it checks the file name only. `images` checks the content and explains what is wrong.
            accept_multiple_files=True,
            max_upload_size=upload_cap(),
            key=Key.UPLOADS,
            help=f"One or more photos: {', '.join(FORMATS)}. {KEPT_NOTE}",
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            # The browser asks for permission only after this is switched on.
            camera_on = st.toggle("Use the camera", key=Key.CAMERA_ON)
            # Narrow enough to fit next to the switch on a phone.
            guesses = st.slider("Guesses to show", 1, MAX_TOP, 3, key=Key.GUESSES, persist_state="session", width=150)
            model = choose_model(models)
        camera = None
        if camera_on:
            camera = st.camera_input("Take a photo of the sneaker", key=Key.CAMERA)
            st.caption("No picture? Browsers allow the camera only on this computer (localhost) or over HTTPS.")

        photos = with_photos_before(uploaded_photos(uploads, camera))

    if not photos:
        draw_invitation(model)
        end_page()

    draw_answers(model, photos, guesses)
