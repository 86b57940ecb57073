"""A good learning rate looked for in the background, and taken over by a click."""

from pathlib import Path
from typing import Any

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.training.planning.lr_finder_job import newest_lr_finder_job, start_lr_finder
from sneaker_core.training.training_notes import finite
from sneaker_core.workspace.jobs import Job, JobState, read_job, stop_job
from sneaker_core.workspace.paths import workspace
from ui.kit.job_panel import progress_words
from ui.kit.text import plain
from ui.train.train_keys import Key
from ui.train.training_charts import rate_curve

_LOOK_EVERY = 1.0


def taken_rate(name: str) -> tuple[int, float] | None:
    """The rate that was taken over for a recipe, and how many were; None where none was."""
    taken: tuple[int, float] | None = st.session_state.get(Key.TRAIN_RATE.of(name))
    return taken


def draw_rates(params: dict[str, Any], rate: float, name: str) -> None:
    """Offer to look for a good learning rate; show the search for these settings, or what it found.

    Parameters
    ----------
    params : dict
        From `lr_finder_params`: the recipe and the photos.
    rate : float
        The one that is set.
    name : str
        Of the recipe.
    """
    job = newest_lr_finder_job(workspace(), params)
    if job is not None and not job.state.ended:
        _watch(job.folder)
        return
    st.button(
        "Find a good rate",
        key=Key.TRAIN_RATES_START,
        icon=":material/troubleshoot:",
        on_click=_start,
        args=(params,),
        help="Tries rates from tiny to huge on a few batches, and suggests the one at which the loss falls fastest. "
        "It takes a minute or so.",
    )
    if job is not None:
        _draw_result(job, rate, name)


def _start(params: dict[str, Any]) -> None:
    try:
        start_lr_finder(workspace(), params)
    except (SneakerError, OSError) as error:
        st.toast(plain(str(error)), icon=":material/error:")


@st.fragment(run_every=_LOOK_EVERY)
def _watch(folder: Path) -> None:
    """Look at the search once a second; the page runs anew, once, when it has ended."""
    try:
        job = read_job(folder)
    except SneakerError:
        job = None
    if job is None or job.state.ended:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.progress.share, text=plain(progress_words(job.progress)))
        st.button(
            "Stop the search",
            key=Key.TRAIN_RATES_STOP,
            type="tertiary",
            icon=":material/stop_circle:",
            disabled=job.state is JobState.STOPPING,
            on_click=stop_job,
            args=(folder,),
        )


def _draw_result(job: Job, rate: float, name: str) -> None:
    rates, losses = job.result.get("rates"), job.result.get("losses")
    if not isinstance(rates, list) or not isinstance(losses, list) or not rates or len(rates) != len(losses):
        if job.state is not JobState.STOPPED:
            st.warning(
                plain(job.error or "The search for a rate ended without a word; try again."), icon=":material/error:"
            )
        return
    found = finite(job.result.get("suggestion"))
    suggestion = float(f"{found:.1g}") if found > 0 else None
    chart = rate_curve(rates, losses, suggestion)
    st.markdown(
        f"**{plain(chart.title)}**",
        help="The loss says how wrong the answers are. Where it falls steeply the network learns fast; further right "
        "it forgets what it knew.",
    )
    st.plotly_chart(chart.figure, key=Key.TRAIN_RATES_CHART, config={"displayModeBar": False}, alt=chart.alt)
    if suggestion is not None:
        st.button(
            f"Use {suggestion:g}",
            key=Key.TRAIN_RATES_USE,
            icon=":material/check:",
            disabled=abs(rate - suggestion) < suggestion * 1e-6,
            on_click=_use,
            args=(name, suggestion),
        )


def _use(name: str, rate: float) -> None:
    # A widget with a default may not be set from outside: another one takes its place.
    turn, _ = taken_rate(name) or (0, rate)
    st.session_state[Key.TRAIN_RATE.of(name)] = (turn + 1, rate)
