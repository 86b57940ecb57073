"""Runs: what was trained, compared and kept in order; and the search for the best settings."""

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.kit.page_frame import page_body
from ui.kit.text import plain
from ui.runs.run_dialogs import draw_bin_button, draw_dialog
from ui.runs.runs_sections import SEARCH, choose_part
from ui.runs.runs_view import draw_runs
from ui.runs.studies_view import draw_search

with page_body(1200):
    st.title("Runs", anchor=False)
    try:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            part = choose_part()
            draw_bin_button()
        draw_dialog()
        if part == SEARCH:
            draw_search()
        else:
            draw_runs()
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
