"""A training that is repeated: the same settings, on the photos as they are now."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import Run, find_run_by_id
from sneaker_core.training.training_jobs import repeat_training
from sneaker_core.workspace.paths import workspace
from ui.kit.address import DATASET_PARAM, address_item, address_value, set_address_value
from ui.kit.changes import change_button
from ui.kit.next_step import draw_way
from ui.kit.page_frame import draw_error
from ui.kit.page_links import Page
from ui.kit.text import escape_markdown
from ui.train.train_keys import Key
from ui.train.train_views import watch


def draw_repeat(runs: list[Run]) -> bool:
    """Draw the offer to repeat the run that the address names; returns whether it names one.

    Parameters
    ----------
    runs : list of Run
        All runs.
    """
    by_name = {run.name: run for run in runs if run.recipe and run.source}
    name = address_item(Key.TRAIN_AGAIN, by_name, noun="run")
    if name is None:
        return False
    run = by_name[name]
    with st.container(border=True):
        st.header(f"Train {escape_markdown(name)} again", anchor=False)
        st.markdown(
            f"The same settings, on the photos of **{escape_markdown(run.dataset)}** as they are now, your decisions "
            "included. Afterwards you see what it gained, on test photos that neither model was trained on or tuned "
            "with."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            if change_button("Train again", type="primary", key=Key.TRAIN_REPEAT, icon=":material/replay:"):
                _start(name)
            others = {DATASET_PARAM: address_value(DATASET_PARAM) or run.dataset, Key.TRAIN_AGAIN.value: None}
            draw_way("Other settings", Page.TRAIN, others, Page.TRAIN)
        if running := sum(not one.state.ended for one in runs):
            st.caption(f"{counted(running, 'training')} running or queued. This one joins the queue.")
    return True


def _start(name: str) -> None:
    try:
        with st.spinner("Starting…"):
            folder = repeat_training(workspace(), name)
    except SneakerError as error:
        draw_error(error)
        return
    set_address_value(Key.TRAIN_AGAIN, None)
    watch(find_run_by_id(workspace(), folder.name).name)
    st.rerun()
