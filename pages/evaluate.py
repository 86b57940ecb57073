"""Evaluate: how good a model is, where it goes wrong, and what would mend it."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.library import list_evaluations
from sneaker_core.paths import workspace
from ui.evaluation.chooser import choose_evaluation, choose_view
from ui.evaluation.listing import draw_listing
from ui.evaluation.opened import open_evaluation
from ui.evaluation.parts import ALL, PARTS, draw_part
from ui.evaluation.work import draw_others_at_work, draw_work
from ui.layout import page_body
from ui.text import plain

with page_body(1200):
    st.title("Evaluate", anchor=False)
    st.markdown("How good is a model, where does it go wrong, and what would mend it?")
    try:
        there = list_evaluations(workspace())
        evaluation = choose_evaluation(there)
        draw_others_at_work(there, evaluation)
        if evaluation is None:
            st.info("Nothing was evaluated yet. Press **New evaluation** to judge a model on photos.")
            st.stop()
        view = choose_view([*PARTS, ALL])
        if view == ALL:
            draw_listing(there, next(iter(PARTS)))
        elif evaluation.is_ready:
            draw_part(view, open_evaluation(evaluation))
        else:
            draw_work(evaluation)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
