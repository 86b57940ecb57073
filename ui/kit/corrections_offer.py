"""What becomes of corrections: how many wait for a review, and a training with them."""

import streamlit as st

from sneaker_core.datasets.corrections import CORRECTIONS, find_corrections, waiting_for_review
from sneaker_core.datasets.index import Dataset, read_samples
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from ui.kit.address import DATASET_PARAM
from ui.kit.changes import can_change, change_button
from ui.kit.dataset_work import is_busy, start_work
from ui.kit.page_links import Page, draw_page_link
from ui.kit.state_keys import KitKey
from ui.kit.text import escape_markdown, truncate_middle

_ABOUT = (
    "Trains the last layer of a copy of the model on your corrections, and holds it to what it answered before. Some "
    "corrections are kept out, to measure what it gained. It takes seconds to a few minutes."
)


def draw_corrections_offer(model: ModelEntry | None, dataset: Dataset | None = None) -> None:
    """Draw how many corrections wait, and the button that trains with them; nothing without corrections.

    Parameters
    ----------
    model : ModelEntry or None
        The model to retrain.
    dataset : Dataset, optional
        The dataset of corrections, if it is the one on show.
    """
    found = dataset or find_corrections(workspace())
    if found is None or not (photos := int((~read_samples(found)["excluded"]).sum())):
        return
    if not can_change():
        model = None
    with st.container(border=True, gap="small"):
        st.markdown(f":material/rate_review: **{_count_text(photos, waiting_for_review(found))}**")
        with st.container(horizontal=True, vertical_alignment="center"):
            if dataset is None:
                draw_page_link("Review your corrections", Page.DATASETS, **{DATASET_PARAM: CORRECTIONS})
            if model is not None:
                change_button(
                    "Retrain with your corrections",
                    key=KitKey.CORRECT,
                    icon=":material/model_training:",
                    disabled=is_busy(found),
                    on_click=_start,
                    args=(found, model),
                    help=_ABOUT,
                )
        if is_busy(found) and dataset is None:
            st.caption("A job works on your corrections. Its progress and result are on their page.")
        elif model is not None:
            st.caption(
                f"Makes a copy of {escape_markdown(truncate_middle(model.name))}; the model itself stays as it is."
            )


def _count_text(photos: int, waiting: int) -> str:
    if not waiting:
        return f"{counted(photos, 'correction')}, all of them reviewed"
    return f"{counted(waiting, 'correction')} {'waits' if waiting == 1 else 'wait'} for your review"


def _start(dataset: Dataset, model: ModelEntry) -> None:
    start_work(dataset, "correct_model", {"model": model.name}, title=f"Retraining {model.name}")
