"""“Was I right?” below an answer: a photo that was answered wrongly can be saved with its right class."""

import streamlit as st

from sneaker_core.datasets.corrections import CORRECTIONS, save_correction
from sneaker_core.datasets.index import read_samples
from sneaker_core.images import Photo
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from sneaker_core.workspace.safe_names import natural_order
from ui.identify.identify_keys import Key
from ui.kit.changes import READ_ONLY_NOTE, can_change
from ui.kit.job_panel import attempt
from ui.kit.page_links import Page, draw_page_link
from ui.kit.review_section import author
from ui.kit.text import escape_markdown

_YES, _NO = "Yes", "No"
_CONSENT = f"Saves this photo with your answer on this computer, in the dataset “{CORRECTIONS}”."


def draw_correction(model: ModelEntry, photo: Photo) -> None:
    """Draw the question, and what follows from the answer; nothing is stored before “Save”.

    Parameters
    ----------
    model : ModelEntry
    photo : Photo
    """
    key = Key.CORRECTED.of(photo.key)
    if saved := st.session_state.get(key):
        label, photos = saved
        _draw_saved(label, photos, model.name)
        return
    right = st.segmented_control("Was the model right?", [_YES, _NO], key=Key.RIGHT.of(photo.key))
    if right == _YES:
        st.caption("Good to know. Nothing was stored.")
    elif right == _NO and not can_change():
        st.caption(f"Thank you. {READ_ONLY_NOTE}")
    elif right == _NO:
        choice = Key.CORRECTION.of(photo.key)
        st.selectbox(
            "It is",
            sorted(model.spec.classes, key=natural_order),
            index=None,
            key=choice,
            accept_new_options=True,
            placeholder="Choose a sneaker or type its name",
        )
        st.button(
            "Save correction",
            key=Key.SAVE_CORRECTION.of(photo.key),
            icon=":material/add_photo_alternate:",
            disabled=not st.session_state.get(choice),
            help=_CONSENT,
            on_click=_save,
            args=(photo, choice, key),
        )
        st.caption(_CONSENT)


def _save(photo: Photo, choice: str, key: str) -> None:
    label = str(st.session_state[choice])

    def save() -> None:
        dataset = save_correction(workspace(), photo, label, author())
        st.session_state[key] = (label, len(read_samples(dataset)))

    attempt(save)


def _draw_saved(label: str, photos: int, model: str) -> None:
    st.markdown(f":material/check: Saved as {escape_markdown(label)}. You have {counted(photos, 'correction')}.")
    with st.container(horizontal=True):
        draw_page_link("Review your corrections", Page.DATASETS, dataset=CORRECTIONS)
        draw_page_link("Retrain with them", Page.DATASETS, dataset=CORRECTIONS, model=model)
