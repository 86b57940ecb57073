"""A training watched: how far it is, how well it does, and what can be done about it."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import RecipeError, RunError, SneakerError
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_collection import Run, list_runs, read_metrics, read_run
from sneaker_core.training.training_jobs import resume_training, stop_training
from sneaker_core.training.training_notes import NoteKind, notes
from sneaker_core.workspace.jobs import JobState, log_tail
from sneaker_core.workspace.paths import run_job_folder, workspace
from ui.kit.charts import Chart
from ui.kit.job_panel import progress_words
from ui.kit.moments import moment
from ui.kit.page_links import Page, open_page
from ui.kit.quantities import counted_classes, time_words
from ui.kit.text import plain, shortened
from ui.kit.training_labels import (
    STATE_BADGES,
    STATE_WORDS,
    end_words,
    others_at_work,
    photos_words,
    recipe_title,
    waiting_words,
)
from ui.train import training_cache
from ui.train.train_keys import Key
from ui.train.train_views import watch
from ui.train.training_charts import accuracy_curve, loss_curve
from ui.train.watched_photos import draw_mixed_up, draw_watched

_LOOK_EVERY = 2.0
_NOTE_ICONS = {
    NoteKind.GOOD: ":material/thumb_up:",
    NoteKind.INFO: ":material/info:",
    NoteKind.WARNING: ":material/warning:",
}


def draw_watch(runs: list[Run]) -> None:
    """Show one run: live while it is at work, and then what came of it.

    Parameters
    ----------
    runs : list of Run
        All there are, at least one.
    """
    run = _choose(runs)
    if run.state.ended:
        _draw(run, runs)
    else:
        _follow(run.folder)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("pages/runs.py", label="All runs, side by side", icon=":material/table_chart:")


def _choose(runs: list[Run]) -> Run:
    """The run to look at: those at work come first, then the newest."""
    by_name = {run.name: run for run in sorted(runs, key=lambda run: run.state.ended)}
    st.session_state[Key.TRAIN_RUN] = _asked_for(by_name)
    name = str(
        st.selectbox(
            "Run",
            list(by_name),
            key=Key.TRAIN_RUN,
            width=420,
            help="Those at work come first, then the others, the newest first.",
        )
    )
    # Not by binding the widget: a choice that was made for it is not written into the address.
    st.query_params[Key.TRAIN_RUN] = st.session_state[Key.TRAIN_RUN_TOLD] = name
    return by_name[name]


def _asked_for(names: Iterable[str]) -> str:
    """The run that was started just now, that the address names, or that was chosen before; else the first."""
    addressed = st.query_params.get(Key.TRAIN_RUN)
    if addressed == st.session_state.get(Key.TRAIN_RUN_TOLD):
        addressed = None  # written by this page itself, before the present choice
    asked = (
        st.session_state.pop(Key.TRAIN_RUN_WANTED, None),
        addressed,
        st.session_state.get(Key.TRAIN_RUN),
        st.query_params.get(Key.TRAIN_RUN),
    )
    known = list(names)
    return next((name for name in asked if name in known), known[0])


@st.fragment(run_every=_LOOK_EVERY)
def _follow(folder: Path) -> None:
    """Look at a run every two seconds; the page runs anew, once, when it has ended."""
    try:
        run = read_run(folder)
    except RunError:
        run = None
    if run is None or run.state.ended:
        st.rerun()
    _draw(run, list_runs(workspace()))


def _draw(run: Run, runs: list[Run]) -> None:
    _draw_head(run, runs)
    metrics = read_metrics(run.folder)
    if run.state.ended:
        _draw_end(run)
    else:
        _draw_progress(run)
    if len(metrics):
        _draw_course(run, metrics)
    elif run.state is JobState.RUNNING:
        st.caption("Curves appear when the first epoch (a pass over all training photos) is done.")
    _draw_log(run)


def _draw_head(run: Run, runs: list[Run]) -> None:
    colour, icon = STATE_BADGES[run.state]
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                st.badge(STATE_WORDS[run.state], icon=icon, color=colour)
                st.markdown(f"**{plain(shortened(run.name))}**", width="content")
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                _draw_actions(run)
        about = [f"{recipe_title(run.recipe_name)} on {plain(shortened(run.dataset or 'photos'))}"]
        about += [f"{counted_classes(len(run.only))} chosen"] if run.only else []
        about += [f"started {moment(run.created)}"] if run.created else []
        st.caption(" · ".join(about))
        told = [photos_words(run.counts), others_at_work(runs, run.name) if not run.state.ended else ""]
        if any(told):
            st.caption("  \n".join(filter(None, told)))


def _draw_actions(run: Run) -> None:
    if run.has_model and st.button(
        "Use in Identify",
        key=Key.TRAIN_IDENTIFY,
        icon=":material/search:",
        type="primary" if run.is_done else "secondary",
    ):
        open_page(Page.IDENTIFY, model=run.name)
    if run.state in (JobState.QUEUED, JobState.RUNNING):
        _draw_stop(run)
    elif run.state is JobState.STOPPING:
        st.button("Stopping…", key=Key.TRAIN_STOP_SURE, icon=":material/stop_circle:", disabled=True)
    elif not run.is_done and not run.is_damaged:
        st.button(
            "Try again" if run.state is JobState.FAILED else "Go on",
            key=Key.TRAIN_RESUME,
            icon=":material/restart_alt:",
            on_click=_go_on,
            args=(run.name,),
            help="It takes its place behind other trainings, and goes on from the last epoch that was kept.",
        )


def _draw_stop(run: Run) -> None:
    waits = run.state is JobState.QUEUED
    with st.popover("Stop", icon=":material/stop_circle:", key=Key.TRAIN_STOP):
        st.markdown(
            "It leaves the queue; nothing is lost, as nothing was learned yet."
            if waits
            else "It ends after the present step. The best it has learned so far becomes a model that you can use, and "
            "you can let it go on later."
        )
        st.button(
            "Leave the queue" if waits else "Stop and keep the best so far",
            key=Key.TRAIN_STOP_SURE,
            type="primary",
            on_click=_stop,
            args=(run.name,),
        )


def _stop(name: str) -> None:
    try:
        stop_training(workspace(), name)
    except SneakerError as error:
        st.toast(plain(str(error)))


def _go_on(name: str) -> None:
    try:
        resume_training(workspace(), name)
    except SneakerError as error:
        st.toast(plain(str(error)), icon=":material/error:")
        return
    watch(name)


def _draw_progress(run: Run) -> None:
    """How far it is: in words and, where anybody can tell, as a bar."""
    if run.job is None:
        return
    progress, details = run.job.progress, run.job.progress.details
    if run.state is JobState.QUEUED:
        st.info(
            f"{waiting_words(progress)}. Trainings work one after the other, as each needs the whole machine.",
            icon=":material/hourglass_empty:",
        )
        return
    if run.state is JobState.STOPPING:
        st.warning(
            "It stops after the present step, and keeps the best it has learned so far.",
            icon=":material/hourglass_bottom:",
        )
    if "epochs" not in details:
        st.progress(progress.share, text=plain(progress_words(progress)))
    else:
        left = details.get("seconds_left")
        words = [progress.step]
        words += [f"{details['images_per_second']:.0f} photos a second"] if details.get("images_per_second") else []
        words += [f"{time_words(left)} left"] if isinstance(left, (int, float)) and left > 0 else []
        st.progress(progress.share, text=plain(" · ".join(words)))
    st.caption(
        "You may leave this page or close the browser: it goes on, and is found here again. While the computer sleeps, "
        "it rests too."
    )


def _draw_end(run: Run) -> None:
    if run.has_model:
        _draw_headline(run)
    words = plain(end_words(run))
    if run.state is JobState.FAILED:
        st.error(words, icon=":material/error:")
    elif run.state is JobState.INTERRUPTED:
        st.warning(words, icon=":material/sync_problem:")
    elif run.state is JobState.STOPPED:
        st.info(words, icon=":material/stop_circle:")


def _draw_headline(run: Run) -> None:
    """How well the model does on photos that it never saw."""
    count, top1, top3 = (run.headline.get(key) for key in ("n", "top1", "top3"))
    if top1 is None or not count:
        return
    with st.grid(3, min_column_width=200):
        st.metric(
            "Right at the first guess",
            f"{top1:.1%}",
            border=True,
            help="Top-1 accuracy on the test photos: those that were kept aside from the beginning.",
        )
        if top3 is not None:
            st.metric(
                "Right among the first three",
                f"{top3:.1%}",
                border=True,
                help="Top-3 accuracy on the same photos.",
            )
        st.metric(
            "Photos it never saw",
            f"{count:,.0f}",
            border=True,
            help="The fewer they are, the more luck is in the figures beside: with 100 photos, give or take 5 %.",
        )
    if run.is_done and run.seconds:
        st.caption(end_words(run))


def _draw_course(run: Run, metrics: pd.DataFrame) -> None:
    recipe = _recipe(run)
    epochs = recipe.epochs if recipe else int(metrics["epoch"].max())
    for note in notes(metrics, training_cache.run_class_count(run.folder) or len(run.only) or 2, epochs, recipe):
        with st.container(horizontal=True, gap="small"):
            st.markdown(f"{_NOTE_ICONS[note.kind]} {plain(note.text)}")
    with st.grid(2, min_column_width=320, gap="medium"):
        with st.container(gap="xsmall"):
            _draw_chart(
                accuracy_curve(metrics, epochs),
                Key.TRAIN_ACCURACY_CHART,
                "Validation photos are kept from training and asked after each epoch, so they tell what was understood "
                "rather than learned by heart. Training photos are made harder on purpose, so they may do worse.",
            )
        with st.container(gap="xsmall"):
            _draw_chart(
                loss_curve(metrics, epochs),
                Key.TRAIN_LOSS_CHART,
                "The loss says how wrong the answers are, also counting how sure they were: lower is better. That of "
                "training is counted more strictly, so only the course of the two can be compared.",
            )
    draw_mixed_up(metrics)
    draw_watched(run.folder, metrics)


def _recipe(run: Run) -> Recipe | None:
    """The run's recipe; None for that of another version of SoleScope."""
    try:
        return Recipe(**run.recipe) if run.recipe else None
    except (TypeError, RecipeError):
        return None


def _draw_chart(chart: Chart, key: Key, explanation: str) -> None:
    st.markdown(f"**{plain(chart.title)}**", help=explanation)
    st.plotly_chart(chart.figure, key=key, config={"displayModeBar": False}, alt=chart.alt)


def _draw_log(run: Run) -> None:
    if st.toggle("What the program wrote", key=Key.TRAIN_LOG, help="The last lines of its log, for a closer look."):
        st.code(log_tail(run_job_folder(run.folder)) or "Nothing so far.", language=None)
