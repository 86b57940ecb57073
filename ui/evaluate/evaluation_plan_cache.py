"""What an evaluation will cover, kept between runs of the page."""

from pathlib import Path

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_plan import plan_evaluation
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.workspace.paths import workspace
from ui.kit.dataset_cache import ReviewKey


@st.cache_data(max_entries=30, show_spinner=False)
def planned(
    model_folder: str,
    version: str,
    sources: tuple[tuple[str, str], ...],
    keys: tuple[ReviewKey, ...],
    split: str | None,
    renamed: tuple[tuple[str, str], ...],
) -> tuple[list[str], str | None]:
    """What will be evaluated, in sentences, and why it can't be.

    Parameters
    ----------
    model_folder, version : str
        Of the model.
    sources : tuple
        World and dataset's folder, of each source.
    keys : tuple of ReviewKey
        Of the datasets: they change with every decision.
    split : str or None
        As for `plan_evaluation`.
    renamed : tuple
        Class of the photos and class of the model that it counts as, of each class that has another name.
    """
    folder = Path(model_folder)
    try:
        classes = read_spec(folder).classes
        plan = plan_evaluation(workspace(), folder, classes, dict(sources), split, rename=dict(renamed))
        return plan.sentences, None
    except SneakerError as error:
        return [], str(error)
