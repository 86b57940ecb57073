"""Dialogs of the Evaluate page: a new evaluation, and what can be done with a saved one."""

from collections.abc import Callable

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import (
    delete_evaluation,
    evaluations_of,
    rename_evaluation,
    restore_evaluation,
)
from sneaker_core.evaluation.evaluation_record import Evaluation
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.new_evaluation_form import draw_form
from ui.kit.item_dialogs import ItemKind, close_dialog, draw_dialogs, finish_dialog, opened_dialog
from ui.kit.page_frame import draw_error

NEW_EVALUATION = "New evaluation"


def _about(evaluation: Evaluation) -> str:
    return f"{evaluation.model} on {evaluation.data}" if evaluation.model and evaluation.data else "Evaluation"


EVALUATIONS = ItemKind(
    Key.EVALUATION,
    "evaluation",
    evaluations_of,
    _about,
    "its predictions (the model and the photos are kept)",
    rename=rename_evaluation,
    delete=delete_evaluation,
    restore=restore_evaluation,
)


def draw_open_dialog(go_to: Callable[[Evaluation], None]) -> None:
    """Draw the open dialog, if any.

    Parameters
    ----------
    go_to : callable
        Shows an evaluation that was started.
    """
    dialog = opened_dialog()
    if dialog is not None and dialog.action == NEW_EVALUATION:
        _draw_new(go_to)
    else:
        draw_dialogs(EVALUATIONS)


@st.dialog(NEW_EVALUATION, on_dismiss=close_dialog)
def _draw_new(go_to: Callable[[Evaluation], None]) -> None:
    st.markdown("Runs a model on labeled photos and saves its predictions.")
    start = draw_form()
    if start is None:
        return
    try:
        go_to(start())
    except SneakerError as error:
        draw_error(error)
        return
    finish_dialog("Evaluation started.")
