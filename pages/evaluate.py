"""Evaluate: how good a model is, where it goes wrong and what would improve it."""

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluate_sections import ALL_EVALUATIONS, OLD_SECTIONS, SECTIONS, draw_section
from ui.evaluate.evaluation_list_view import draw_evaluations
from ui.evaluate.evaluation_picker import choose_evaluation
from ui.evaluate.evaluation_progress import draw_other_jobs, draw_unfinished
from ui.evaluate.loaded_evaluation import load_evaluation
from ui.kit.address import choose_section
from ui.kit.page_frame import end_page, page_body

ABOUT = "How good is a model, where does it go wrong, and what would improve it?"

with page_body("Evaluate", ABOUT, makes_changes=True):
    evaluations = list_evaluations(workspace())
    evaluation = choose_evaluation(evaluations)
    draw_other_jobs(evaluations, evaluation)
    if evaluation is None:
        st.info("No evaluations yet. Press **New evaluation** to evaluate a model on your photos.")
        end_page()
    section = choose_section(Key.SECTION, [*SECTIONS, ALL_EVALUATIONS], label="Section of the page", old=OLD_SECTIONS)
    if section == ALL_EVALUATIONS:
        draw_evaluations(evaluations, next(iter(SECTIONS)))
    elif evaluation.is_ready:
        draw_section(section, load_evaluation(evaluation))
    else:
        draw_unfinished(evaluation)
