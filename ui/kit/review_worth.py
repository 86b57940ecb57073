"""What the review decisions so far are worth, measured in the background while someone reviews."""

from functools import partial

import streamlit as st

from sneaker_core.datasets.index import Dataset
from sneaker_core.errors import SneakerError
from sneaker_core.training.decisions_worth import Worth, WorthState
from sneaker_core.training.worth_worker import shared_worth_worker
from ui.kit.changes import change_button
from ui.kit.dataset_work import is_busy, start_check
from ui.kit.job_panel import poll
from ui.kit.state_keys import KitKey
from ui.kit.text import timestamp_text

# Seconds: most measurements are ready by then, so that the figure is there with the decision.
_PATIENCE = 0.3
_MEASURING = ":gray[:material/progress_activity: Measuring what your decisions are worth…]"
_AFTER_JOB = ":gray[:material/hourglass_empty: What your decisions are worth is measured when the job has ended.]"


def draw_worth(dataset: Dataset, place: str, *, invite: bool = False) -> None:
    """Draw what the decisions on a dataset are worth; polls only while that is being measured.

    Parameters
    ----------
    dataset : Dataset
    place : str
        Tells this from others on the page.
    invite : bool
        Say what this is if there are no decisions yet.
    """
    if is_busy(dataset):
        # The job changes the dataset all the time, and most of what is measured would be outdated at once.
        st.markdown(_AFTER_JOB)
        return
    latest = shared_worth_worker().latest(dataset, _PATIENCE)
    if latest.pending:
        poll(partial(_draw_pending, dataset))
    elif latest.worth is not None:
        _draw(dataset, latest.worth, place, invite)


def _draw_pending(dataset: Dataset) -> bool:
    """Draw the last figure while the present one is measured; returns whether that is done."""
    try:
        latest = shared_worth_worker().latest(dataset)
    except SneakerError:
        return True  # the page says why
    measured = latest.worth is not None and latest.worth.state is WorthState.MEASURED
    earlier = f" :gray[Before: {latest.worth.sentence}]" if latest.worth is not None and measured else ""
    st.markdown(f":small[{_MEASURING}{earlier}]")
    return not latest.pending


def _draw(dataset: Dataset, worth: Worth, place: str, invite: bool) -> None:
    if worth.state is WorthState.NO_DECISIONS:
        if invite:
            st.markdown(f":small[:gray[:material/insights: {worth.sentence}]]")
    elif worth.state is WorthState.NOT_CHECKED:
        if worth.decisions:
            _draw_check(dataset, worth, place)
    elif worth.state is WorthState.MEASURED and worth.since is not None:
        color, icon = _look(worth)
        explanation = worth.explanation(timestamp_text(worth.since))
        st.markdown(f":small[:{color}[:material/{icon}:] {worth.sentence}]", help=explanation)
    else:
        st.markdown(f":small[:gray[:material/insights:] {worth.sentence}]")


def _look(worth: Worth) -> tuple[str, str]:
    """Color and icon of a measured figure."""
    if worth.may_be_luck:
        return "gray", "insights"
    return ("green", "trending_up") if worth.low > 0 else ("orange", "trending_down")


def _draw_check(dataset: Dataset, worth: Worth, place: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":small[:gray[:material/insights:] {worth.sentence}]", width="content")
        if change_button(
            "Check the photos", key=KitKey.WORTH_CHECK.of(place), icon=":material/troubleshoot:", type="tertiary"
        ):
            start_check(dataset)
