"""The two sections of the page."""

import streamlit as st

from ui.runs.runs_keys import Key

RUNS, SEARCH = "Runs", "Hyperparameter search"


def choose_part() -> str:
    """Draw the section switch, which is in the address."""
    part = st.segmented_control(
        "Section",
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
    """Show the runs in the next run of the page; only from a callback."""
    st.session_state[Key.RUNS_PART] = RUNS
