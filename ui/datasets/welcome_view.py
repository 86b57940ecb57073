"""The page while there is no dataset, or nothing in one."""

import streamlit as st

from sneaker_core.datasets.dataset_collection import create_dataset, list_bin
from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import SneakerError
from sneaker_core.workspace.paths import workspace
from ui.datasets.add_photos_view import draw_arrivals, draw_examples, draw_rejects, start_drawing
from ui.datasets.dataset_dialogs import Dialog, open_dialog
from ui.datasets.dataset_picker import draw_dialog, go_to
from ui.datasets.datasets_keys import Key
from ui.kit.dataset_work import is_busy
from ui.kit.text import plain, shortened

_STEPS = (
    (":material/add_photo_alternate:", "Bring photos", "A zip file, a folder, or what the web has to offer."),
    (":material/rule:", "See what is wrong", "Copies, wrong labels, blurred photos: found for you, decided by you."),
    (":material/call_split:", "Make it ready", "A fair split for training, and an export to take along."),
)
_DRAWN_NAME = "drawn"


def draw_welcome() -> None:
    """What this page is for, and the ways to a first dataset."""
    st.markdown("A model is only as good as the photos it learned from. Here you gather them and put them in order.")
    with st.grid(3, min_column_width=200):
        for icon, title, text in _STEPS:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"{icon} **{title}**")
                st.caption(text)
    with st.container(border=True):
        st.subheader("Try it with drawn sneakers", anchor=False)
        draw_examples()
        st.markdown(
            "I draw a few hundred photos of made-up sneakers, with flaws planted among them, so that you can see "
            "everything here at work. It takes seconds and needs no network."
        )
        with st.container(horizontal=True):
            st.button(
                "Make a drawn dataset",
                type="primary",
                key=Key.DATASET_DRAWN,
                icon=":material/brush:",
                on_click=_make_drawn,
            )
            st.button(
                "Start with photos of my own",
                key=Key.DATASET_NEW.of("first"),
                icon=":material/add:",
                on_click=open_dialog,
                args=(Dialog.NEW,),
            )
            if list_bin(workspace()):
                st.button(
                    Dialog.BIN.value,
                    key=Key.DATASET_BIN,
                    type="tertiary",
                    icon=":material/restore_from_trash:",
                    on_click=open_dialog,
                    args=(Dialog.BIN,),
                )
    draw_dialog(None)


def _make_drawn() -> None:
    try:
        dataset = create_dataset(workspace(), _DRAWN_NAME)
    except SneakerError as error:
        st.toast(plain(str(error)))
        return
    start_drawing(dataset)
    go_to(dataset.name)


def draw_empty(dataset: Dataset) -> None:
    """A dataset without photos: the ways in, or what is under way."""
    if is_busy(dataset):
        st.caption("Photos are on their way. This page shows them when the work has ended.")
        return
    st.subheader(f"{plain(shortened(dataset.name))} has no photos yet", anchor=False)
    draw_arrivals(dataset)
    draw_rejects(dataset)
