"""Which evaluation and which section the page shows."""

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import usual_evaluation
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_dialogs import EVALUATIONS, NEW_EVALUATION, draw_open_dialog
from ui.evaluate.evaluation_text import old_display_names
from ui.kit.address import choose_item, choose_next
from ui.kit.changes import change_button
from ui.kit.damaged_items import draw_unread_items
from ui.kit.item_dialogs import Action, draw_item_menu, open_dialog
from ui.kit.labels import evaluation_title
from ui.kit.page_frame import end_page
from ui.kit.photo_detail import close_photo


def go_to(evaluation: Evaluation | None = None, section: str | None = None) -> None:
    """Show an evaluation and a section on the next run of the page."""
    if evaluation is not None:
        choose_next(Key.EVALUATION, evaluation_title(evaluation))
    if section is not None:
        choose_next(Key.SECTION, section)


def choose_evaluation(evaluations: list[Evaluation]) -> Evaluation | None:
    """Draw the evaluation picker with its buttons; returns the chosen evaluation, None if there are none.

    Parameters
    ----------
    evaluations : list of Evaluation
        All of them.
    """
    by_name = {evaluation_title(one): one for one in evaluations}
    usual = usual_evaluation(evaluations)
    draw_unread_items(EVALUATIONS)
    chosen = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if usual is not None:
            name = choose_item(
                Key.EVALUATION,
                list(by_name),
                noun="evaluation",
                usual=evaluation_title(usual),
                old=old_display_names(evaluations),
                on_change=close_photo,
            )
            chosen = by_name[name] if name is not None else None
        change_button(
            NEW_EVALUATION,
            key=Key.NEW,
            icon=":material/add:",
            type="secondary" if by_name else "primary",
            on_click=open_dialog,
            args=(NEW_EVALUATION,),
        )
        can_change = chosen is not None and chosen.kind is Kind.STORED and chosen.state.ended
        draw_item_menu(EVALUATIONS, chosen if can_change else None, (Action.RENAME, Action.DELETE, Action.RESTORE))
    draw_open_dialog(go_to)
    if chosen is None and by_name:
        end_page()
    return chosen
