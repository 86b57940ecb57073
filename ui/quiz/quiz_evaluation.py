"""Which evaluation the quiz takes its photos from."""

import streamlit as st

from sneaker_core.evaluation.evaluation_record import Evaluation
from ui.kit.address import EVALUATION_PARAM, address_value, choose_item, choose_none, set_address_values
from ui.kit.labels import evaluation_title
from ui.kit.page_frame import end_page
from ui.kit.page_links import Page, draw_page_link
from ui.quiz.quiz_cache import has_photos
from ui.quiz.quiz_turn import forgotten


def choose_evaluation(evaluations: list[Evaluation]) -> Evaluation:
    """Draw the picker of evaluations with photos; ends the page, and says why, if there is none to show.

    Parameters
    ----------
    evaluations : list of Evaluation
        All of them.
    """
    ready = {evaluation_title(one): one for one in evaluations if one.is_ready}
    # Sorted stably: synthetic ones first, which every visitor has.
    with_photos = (title for title, one in ready.items() if has_photos(one))
    playable = sorted(with_photos, key=lambda title: ready[title].synthetic is None)
    linked = address_value(EVALUATION_PARAM)
    offered = [*playable, *([linked] if linked in ready and linked not in playable else [])]
    if not offered:
        choose_none(EVALUATION_PARAM, noun="evaluation")
        draw_no_photos("The quiz shows photos of an evaluation, and there is no evaluation with photos yet.")
        end_page()
    st.space("small")
    st.caption("You and the model see the same photos, hard ones first. Photos and the model’s answers are from:")
    title = choose_item(EVALUATION_PARAM, offered, noun="evaluation", on_change=lambda: set_address_values(forgotten()))
    if title is None:
        end_page()
    if title not in playable:
        draw_no_photos("The photos of this evaluation aren’t on this computer. Choose another one, or make one.")
        end_page()
    return ready[title]


def draw_no_photos(why: str) -> None:
    """Say why there are no questions, with the ways to get some."""
    st.info(why, icon=":material/hide_image:")
    with st.container(horizontal=True):
        draw_page_link("Evaluate a model", Page.EVALUATE)
        draw_page_link("Get photos", Page.DATASETS)
