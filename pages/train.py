"""Train: photos and a recipe chosen, a training started and watched."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.paths import workspace
from sneaker_core.training.library import list_runs
from ui.layout import page_body
from ui.text import plain
from ui.training.live import draw_watch
from ui.training.setup import draw_setup
from ui.training.views import View, choose_view

with page_body(1200):
    st.title("Train", anchor=False)
    st.markdown("Choose photos and how thorough to be, press start, and watch it learn. It goes on without you.")
    try:
        runs = list_runs(workspace())
        if choose_view(runs) is View.WATCH:
            draw_watch(runs)
        else:
            draw_setup(runs)
    except SneakerError as error:
        st.error(plain(str(error)), icon=":material/error:")
