"""Runs: compare and manage trainings, and search for the best hyperparameters."""

import streamlit as st

from ui.kit.item_dialogs import draw_bin_button, draw_dialogs
from ui.kit.page_frame import page_body
from ui.runs.run_dialogs import RUNS, SEARCHES
from ui.runs.runs_sections import SEARCH, choose_part
from ui.runs.runs_view import draw_runs
from ui.runs.studies_view import draw_search

with page_body("Runs", makes_changes=True):
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        part = choose_part()
        draw_bin_button(RUNS, SEARCHES)
    if part == SEARCH:
        draw_search()
    else:
        draw_runs()
    draw_dialogs(RUNS, SEARCHES)
