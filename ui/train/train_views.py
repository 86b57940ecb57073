"""The two views of the page: start a training, and watch one."""

from enum import StrEnum

import streamlit as st

from sneaker_core.training.run_collection import Run
from ui.kit.address import address_value, choose_next, choose_none, report_missing, set_address_value
from ui.train.train_keys import Key


class View(StrEnum):
    """View of the page."""

    SETUP = "New training"
    WATCH = "Watch"


def watch(name: str) -> None:
    """Show a run in the next run of the page."""
    choose_next(Key.TRAIN_RUN, name)
    # The picker appears only in the next run, and a value set before it appears is not written into the address.
    set_address_value(Key.TRAIN_RUN, name)
    st.session_state[Key.TRAIN_VIEW_WANTED] = View.WATCH


def choose_view(runs: list[Run]) -> View:
    """Draw the view switch; by default, a running training or the run in the address is shown.

    Parameters
    ----------
    runs : list of Run
    """
    if not runs:
        choose_none(Key.TRAIN_RUN, noun="run")
        return View.SETUP
    wanted = st.session_state.pop(Key.TRAIN_VIEW_WANTED, None)
    if wanted is not None or Key.TRAIN_VIEW not in st.session_state:
        linked = address_value(Key.TRAIN_RUN)
        named = linked in {run.name for run in runs}
        if linked and not named:
            report_missing(Key.TRAIN_RUN, "run", linked)
        busy = any(not run.state.ended for run in runs)
        st.session_state[Key.TRAIN_VIEW] = wanted or (View.WATCH if named or busy else View.SETUP)
    icons = {View.SETUP: ":material/add:", View.WATCH: ":material/monitoring:"}
    chosen = st.segmented_control(
        "View",
        list(View),
        required=True,
        format_func=lambda view: f"{icons[view]} {view.value}",
        key=Key.TRAIN_VIEW,
        label_visibility="collapsed",
    )
    view = View(chosen or View.SETUP)
    if view is View.SETUP:
        # Otherwise a reload would show that run.
        set_address_value(Key.TRAIN_RUN, None)
    return view
