"""Runs: what was trained, compared and kept in order; and the search for the best settings."""

import streamlit as st

from sneaker_core.errors import SneakerError
from ui.layout import page_body
from ui.runs.dialogs import draw_bin_button, draw_dialog
from ui.runs.overview import draw_runs
from ui.runs.parts import SEARCH, choose_part
from ui.runs.search import draw_search
from ui.text import plain

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
