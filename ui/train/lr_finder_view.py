"""Learning-rate finder: runs in the background, and its suggestion is applied with one click."""

from pathlib import Path
from typing import Any

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.training.planning.lr_finder_job import newest_lr_finder_job, start_lr_finder
from sneaker_core.training.training_notes import finite
from sneaker_core.workspace.jobs import Job, JobState, read_job, stop_job
from sneaker_core.workspace.paths import workspace
from ui.kit.charts import draw_chart
from ui.kit.job_panel import progress_words
from ui.kit.text import escape_markdown
from ui.train.train_keys import Key
from ui.train.training_charts import rate_curve

_LOOK_EVERY = 1.0


def applied_rate(name: str) -> tuple[int, float] | None:
    """The last applied rate of a recipe, and how many were applied; None if none."""
    applied: tuple[int, float] | None = st.session_state.get(Key.TRAIN_RATE.of(name))
    return applied


def draw_lr_finder(params: dict[str, Any], rate: float, name: str) -> None:
    """Draw the finder: its button, its progress or its result for these settings.

    Parameters
    ----------
    params : dict
        From `lr_finder_params`.
    rate : float
        The current learning rate.
    name : str
        Of the recipe.
    """
    job = newest_lr_finder_job(workspace(), params)
    if job is not None and not job.state.ended:
        _watch(job.folder)
        return
    st.button(
        "Find a learning rate",
        key=Key.TRAIN_RATES_START,
        icon=":material/troubleshoot:",
        on_click=_start,
        args=(params,),
        help="Tries learning rates from very low to very high on a few batches and suggests the one at which the "
        "loss falls fastest. It takes about a minute.",
    )
    if job is not None:
        _draw_result(job, rate, name)


def _start(params: dict[str, Any]) -> None:
    try:
        start_lr_finder(workspace(), params)
    except (SneakerError, OSError) as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:")


@st.fragment(run_every=_LOOK_EVERY)
def _watch(folder: Path) -> None:
    """Follow the finder once a second; rerun the page when it ends."""
    try:
        job = read_job(folder)
    except SneakerError:
        job = None
    if job is None or job.state.ended:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(job.progress.share, text=escape_markdown(progress_words(job.progress)))
        st.button(
            "Stop",
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
                escape_markdown(job.error or "The learning-rate finder failed. Try again."),
                icon=":material/error:",
            )
        return
    found = finite(job.result.get("suggestion"))
    suggestion = float(f"{found:.1g}") if found > 0 else None
    chart = rate_curve(rates, losses, suggestion)
    draw_chart(
        chart,
        Key.TRAIN_RATES_CHART,
        help="Where the loss falls steeply, the network learns fast. At higher rates, training becomes unstable.",
    )
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
    # The value of a widget with a default cannot be set, so a new widget replaces it.
    turn, _ = applied_rate(name) or (0, rate)
    st.session_state[Key.TRAIN_RATE.of(name)] = (turn + 1, rate)
