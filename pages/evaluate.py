"""Evaluate: how good a model is, where it goes wrong and what would improve it."""

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_views import ALL, PARTS, draw_part
from ui.evaluate.evaluation_picker import choose_evaluation, choose_view
from ui.evaluate.evaluation_progress import draw_others_at_work, draw_work
from ui.evaluate.list_view import draw_listing
from ui.evaluate.opened_evaluation import open_evaluation
from ui.kit.page_frame import page_body

with page_body("Evaluate", "How good is a model, where does it go wrong, and what would improve it?"):
    there = list_evaluations(workspace())
    evaluation = choose_evaluation(there)
    draw_others_at_work(there, evaluation)
    if evaluation is None:
        st.info("No evaluations yet. Press **New evaluation** to test a model on photos.")
        st.stop()
    view = choose_view([*PARTS, ALL])
    if view == ALL:
        draw_listing(there, next(iter(PARTS)))
    elif evaluation.is_ready:
        draw_part(view, open_evaluation(evaluation))
    else:
        draw_work(evaluation)
