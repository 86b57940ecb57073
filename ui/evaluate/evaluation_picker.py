"""Which evaluation and which section the page shows."""

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import Evaluation, Kind, deleted_evaluations
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_dialogs import Dialog, draw_dialog, open_dialog
from ui.evaluate.evaluation_text import display_name, old_display_names
from ui.kit.address import choose_item, choose_next
from ui.kit.photo_detail import close_photo


def go_to(evaluation: Evaluation | None = None, section: str | None = None) -> None:
    """Show an evaluation and a section on the next run of the page."""
    if evaluation is not None:
        choose_next(Key.EVALUATION, display_name(evaluation))
    if section is not None:
        choose_next(Key.SECTION, section)


def choose_evaluation(evaluations: list[Evaluation]) -> Evaluation | None:
    """Draw the evaluation picker with its buttons; returns the chosen evaluation, None if there are none.

    Parameters
    ----------
    evaluations : list of Evaluation
        All of them.
    """
    by_name = {display_name(one): one for one in evaluations}
    chosen = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if by_name:
            name = choose_item(
                Key.EVALUATION,
                list(by_name),
                noun="evaluation",
                usual=_default(by_name),
                old=old_display_names(evaluations),
                on_change=close_photo,
            )
            chosen = by_name[name]
        st.button(
            "New evaluation",
            key=Key.NEW,
            icon=":material/add:",
            type="secondary" if by_name else "primary",
            on_click=open_dialog,
            args=(Dialog.NEW,),
        )
        _draw_more(chosen)
    draw_dialog(chosen, go_to)
    return chosen


def _default(by_name: dict[str, Evaluation]) -> str:
    """The newest evaluation that can be opened, else the first."""
    ready = [name for name, one in by_name.items() if one.is_ready]
    return next(iter(ready), next(iter(by_name)))


def _draw_more(chosen: Evaluation | None) -> None:
    can_change = chosen is not None and chosen.kind is Kind.STORED and chosen.state.ended
    icons = {Dialog.RENAME: "edit", Dialog.DELETE: "delete"} if can_change else {}
    if deleted_evaluations(workspace()):
        icons[Dialog.BIN] = "restore_from_trash"
    if not icons:
        return
    dialog = st.menu_button(
        "More",
        [dialog.value for dialog in icons],
        key=Key.MORE,
        icon=":material/more_horiz:",
        format_func=lambda name: f":material/{icons[Dialog(name)]}: {name}",
    )
    if dialog:
        open_dialog(Dialog(dialog))
