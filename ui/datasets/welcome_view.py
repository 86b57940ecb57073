"""The page without a dataset, and with a dataset that has no photos."""

import streamlit as st

from sneaker_core.datasets.index import Dataset
from ui.datasets.add_photos_view import draw_add_photos
from ui.datasets.dataset_dialogs import DATASETS, draw_open_dialog
from ui.datasets.datasets_keys import Key
from ui.datasets.rejects_view import draw_rejects
from ui.kit.address import choose_next
from ui.kit.changes import change_button
from ui.kit.dataset_work import is_busy
from ui.kit.item_dialogs import Action, draw_bin_button, open_dialog
from ui.kit.synthetic_photos import create_synthetic_dataset, draw_examples
from ui.kit.text import escape_markdown, truncate_middle

_STEPS = (
    (":material/add_photo_alternate:", "Add photos", "From a zip file, a folder or a web search."),
    (":material/rule:", "Check them", "Near-duplicates, wrong labels and blurry photos are found for you. You decide."),
    (":material/call_split:", "Use them", "Create a fair split for training, and export the dataset."),
)


def draw_welcome() -> None:
    """Draw what the page is for, and the ways to a first dataset."""
    st.markdown("A model is only as good as the photos it was trained on. Collect and review them here.")
    with st.grid(3, min_column_width=200):
        for icon, title, text in _STEPS:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"{icon} **{title}**")
                st.caption(text)
    with st.container(border=True):
        st.header("Try it with synthetic photos", anchor=False)
        draw_examples()
        st.markdown(
            "Generate a few hundred photos of imaginary sneakers with typical problems, and try out everything here. "
            "It takes seconds and needs no network."
        )
        _draw_buttons()
    draw_open_dialog(None)


def _draw_buttons() -> None:
    with st.container(horizontal=True):
        change_button(
            "Create a synthetic dataset",
            type="primary",
            key=Key.DATASET_SYNTHETIC,
            icon=":material/brush:",
            on_click=_create_synthetic,
        )
        change_button(
            "Use my own photos",
            key=Key.DATASET_NEW.of("first"),
            icon=":material/add:",
            on_click=open_dialog,
            args=(Action.NEW, DATASETS),
        )
        draw_bin_button(DATASETS)


def _create_synthetic() -> None:
    if dataset := create_synthetic_dataset():
        choose_next(Key.DATASET, dataset.name)


def draw_empty(dataset: Dataset) -> None:
    """Draw a dataset without photos: the ways to add some, or a hint while a job adds them.

    Parameters
    ----------
    dataset : Dataset
    """
    if is_busy(dataset):
        st.caption("Photos are being added. They appear here when the job is done.")
        return
    st.header(f"{escape_markdown(truncate_middle(dataset.name))} has no photos yet", anchor=False)
    draw_add_photos(dataset)
    draw_rejects(dataset)
