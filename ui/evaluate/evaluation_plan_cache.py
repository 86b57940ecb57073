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
    """
    folder = Path(model_folder)
    try:
        return plan_evaluation(workspace(), folder, read_spec(folder).classes, dict(sources), split).sentences, None
    except SneakerError as error:
        return [], str(error)
