"""The Quiz page: ten photos, and whether you or the model recognize more of them."""

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.workspace.paths import workspace
from ui.kit.page_frame import end_page, page_body
from ui.quiz.question_view import draw_question
from ui.quiz.quiz_evaluation import choose_evaluation, draw_no_photos
from ui.quiz.quiz_turn import read_turn
from ui.quiz.score_view import draw_score

with page_body("Quiz: You or the model"):
    # Drawn first, because the question follows from it, but shown last, so that photo and names fit a phone.
    question, choice = st.container(), st.container()
    with choice:
        evaluation = choose_evaluation(list_evaluations(workspace()))
    with question:
        turn = read_turn(evaluation)
        if turn is None:
            draw_no_photos("This evaluation has no photos to ask for: the model must know at least two classes.")
            end_page()
        if turn.is_at_score:
            draw_score(turn)
        else:
            draw_question(turn)
