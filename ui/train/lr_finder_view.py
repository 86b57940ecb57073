"""Learning-rate finder: runs in the background, and its suggestion is applied with one click."""

from typing import Any

import streamlit as st

from sneaker_core.training.planning.lr_finder_job import newest_lr_finder_job, start_lr_finder
from sneaker_core.training.training_notes import finite
from sneaker_core.workspace.jobs import Job
from sneaker_core.workspace.paths import workspace
from ui.kit.changes import change_button
from ui.kit.charts import draw_chart
from ui.kit.job_panel import JobPanel, attempt, draw_job
from ui.train.train_keys import Key
from ui.train.training_charts import rate_curve

_PANEL = JobPanel(place="lr-finder", resumable=False, stop_help="You can start it again later.")


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
    curve = _curve(job)
    if job is not None and not curve and draw_job(job.folder, _PANEL):
        return
    change_button(
        "Find a learning rate",
        key=Key.TRAIN_RATES_START,
        icon=":material/troubleshoot:",
        on_click=_start,
        args=(params,),
        help="Tries learning rates from very low to very high on a few batches and suggests the one at which the "
        "loss falls fastest. It takes about a minute.",
    )
    if job is not None and curve:
        _draw_curve(curve, finite(job.result.get("suggestion")), rate, name)


def _start(params: dict[str, Any]) -> None:
    attempt(lambda: start_lr_finder(workspace(), params))


def _curve(job: Job | None) -> tuple[list[float], list[float]] | None:
    """The rates and their losses; None unless the finder has ended with some."""
    rates, losses = (job.result.get("rates"), job.result.get("losses")) if job else (None, None)
    if not isinstance(rates, list) or not isinstance(losses, list) or not rates or len(rates) != len(losses):
        return None
    return rates, losses


def _draw_curve(curve: tuple[list[float], list[float]], found: float, rate: float, name: str) -> None:
    """Draw the losses, and the button that applies the suggestion."""
    suggestion = float(f"{found:.1g}") if found > 0 else None
    draw_chart(
        rate_curve(*curve, suggestion),
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
