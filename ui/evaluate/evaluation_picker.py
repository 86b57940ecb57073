"""Which evaluation the page shows, and which part of it."""

from collections.abc import Sequence

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import Evaluation, Kind, deleted_evaluations
from sneaker_core.workspace.paths import workspace
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_dialogs import Dialog, draw_dialog, open_dialog
from ui.evaluate.evaluation_labels import shown_name


def go_to(evaluation: Evaluation | None = None, view: str | None = None) -> None:
    """Have the next run of the page show this evaluation and this part."""
    if evaluation is not None:
        st.session_state[Key.EVALUATION_WANTED] = shown_name(evaluation)
    if view is not None:
        st.session_state[Key.EVALUATION_VIEW_WANTED] = view


def choose_evaluation(there: list[Evaluation]) -> Evaluation | None:
    """Draw the choice, and the ways to new ones; gives the chosen one, None where there is none.

    Parameters
    ----------
    there : list of Evaluation
        All there are.
    """
    by_name = {shown_name(one): one for one in there}
    chosen = None
    with st.container(horizontal=True, vertical_alignment="center"):
        if by_name:
            chosen = _chosen(by_name)
        st.button(
            "New evaluation",
            key=Key.EVALUATION_NEW,
            icon=":material/add:",
            type="secondary" if by_name else "primary",
            on_click=open_dialog,
            args=(Dialog.NEW,),
        )
        _draw_more(chosen)
    draw_dialog(chosen, go_to)
    return chosen


def _chosen(by_name: dict[str, Evaluation]) -> Evaluation:
    wanted = st.session_state.pop(Key.EVALUATION_WANTED, None)
    before = st.session_state.get(Key.EVALUATION)
    addressed = st.query_params.get(Key.EVALUATION)
    # Set anew each time and not by `index`: a default is not written into the address.
    for name in (wanted, before, addressed if before is None else None):
        if name in by_name:
            st.session_state[Key.EVALUATION] = name
            break
    else:
        st.session_state[Key.EVALUATION] = _usual(by_name)
    name = st.selectbox(
        "Evaluation",
        list(by_name),
        index=None,
        required=True,
        key=Key.EVALUATION,
        label_visibility="collapsed",
        bind="query-params",
        width=420,
        on_change=forget_photo,
    )
    if name not in by_name:
        # The browser's "Back" leads to an address without an evaluation, and empties the choice.
        st.session_state[Key.EVALUATION_WANTED] = _usual(by_name)
        st.rerun()
    return by_name[name]


def forget_photo() -> None:
    """Close the case: another evaluation knows nothing of it."""
    st.query_params.pop(Key.EVALUATION_PHOTO, None)


def _usual(by_name: dict[str, Evaluation]) -> str:
    """The newest that was made here and can be opened, else the one that came with the model, else any."""
    ready = [name for name, one in by_name.items() if one.is_ready]
    return next(iter(ready), next(iter(by_name)))


def _draw_more(chosen: Evaluation | None) -> None:
    own = chosen is not None and chosen.kind is Kind.STORED and chosen.state.ended
    icons = {Dialog.RENAME: "edit", Dialog.DELETE: "delete"} if own else {}
    if deleted_evaluations(workspace()):
        icons[Dialog.BIN] = "restore_from_trash"
    if not icons:
        return
    dialog = st.menu_button(
        "More",
        [dialog.value for dialog in icons],
        key=Key.EVALUATION_MORE,
        icon=":material/more_horiz:",
        format_func=lambda name: f":material/{icons[Dialog(name)]}: {name}",
    )
    if dialog:
        open_dialog(Dialog(dialog))


def choose_view(views: Sequence[str]) -> str:
    """The part of the page to draw; it is in the address too."""
    wanted = st.session_state.pop(Key.EVALUATION_VIEW_WANTED, None)
    if wanted in views:
        st.session_state[Key.EVALUATION_VIEW] = wanted
    view = st.segmented_control(
        "Part of the page",
        list(views),
        default=views[0],
        required=True,
        key=Key.EVALUATION_VIEW,
        label_visibility="collapsed",
        wrap=True,
        bind="query-params",
    )
    return view if view in views else views[0]
