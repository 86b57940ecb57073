"""The two parts of the page."""

import streamlit as st

from ui.runs.runs_keys import Key

RUNS, SEARCH = "Runs", "Find the best settings"


def choose_part() -> str:
    """The part to draw; it is in the address too."""
    part = st.segmented_control(
        "Part of the page",
        [RUNS, SEARCH],
        default=RUNS,
        required=True,
        key=Key.RUNS_PART,
        label_visibility="collapsed",
        wrap=True,
        bind="query-params",
    )
    return part or RUNS


def show_runs() -> None:
    """Have the next run of the page show the runs; only from a callback, as the choice is drawn first."""
    st.session_state[Key.RUNS_PART] = RUNS
