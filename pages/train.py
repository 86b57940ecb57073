"""Train: photos and a recipe chosen, a training started and watched."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.training.run_collection import list_runs
from sneaker_core.workspace.paths import workspace
from ui.kit.page_frame import page_body
from ui.kit.text import plain
from ui.train.progress_view import draw_watch
from ui.train.setup_view import draw_setup
from ui.train.train_views import View, choose_view

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
