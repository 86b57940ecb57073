"""Progress of a training: state, curves, notes and actions."""

from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import RecipeError, RunError, SneakerError
from sneaker_core.number_text import counted, percent
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_collection import Run, list_runs, read_run
from sneaker_core.training.run_metrics import read_metrics
from sneaker_core.training.training_jobs import resume_training, stop_training
from sneaker_core.training.training_notes import NoteKind, notes
from sneaker_core.workspace.jobs import JobState, log_tail
from sneaker_core.workspace.paths import run_job_folder, workspace
from ui.kit.address import choose_item
from ui.kit.charts import draw_chart
from ui.kit.job_panel import progress_words
from ui.kit.labels import draw_state_badge, recipe_title
from ui.kit.page_links import Page, open_page
from ui.kit.run_text import other_trainings_text, queue_text, run_end_text, split_counts_text
from ui.kit.text import duration_text, escape_markdown, timestamp_text, truncate_middle
from ui.train import training_cache
from ui.train.train_keys import Key
from ui.train.train_views import watch
from ui.train.training_charts import accuracy_curve, loss_curve
from ui.train.watched_photos import draw_confusions, draw_watched

_LOOK_EVERY = 2.0
_NOTE_ICONS = {
    NoteKind.GOOD: ":material/thumb_up:",
    NoteKind.INFO: ":material/info:",
    NoteKind.WARNING: ":material/warning:",
}


def draw_watch(runs: list[Run]) -> None:
    """Draw one run: live while it is running, then its result.

    Parameters
    ----------
    runs : list of Run
        All runs, at least one.
    """
    run = _choose(runs)
    if run.state.ended:
        _draw(run, runs)
    else:
        _follow(run.folder)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("pages/runs.py", label="Compare all runs", icon=":material/table_chart:")


def _choose(runs: list[Run]) -> Run:
    """Draw the run picker: running ones first, then the newest."""
    by_name = {run.name: run for run in sorted(runs, key=lambda run: run.state.ended)}
    return by_name[choose_item(Key.TRAIN_RUN, list(by_name), noun="run")]


@st.fragment(run_every=_LOOK_EVERY)
def _follow(folder: Path) -> None:
    """Draw a run every two seconds; rerun the page when it ends."""
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
        st.caption("Curves appear after the first epoch (one pass over the training photos).")
    _draw_log(run)


def _draw_head(run: Run, runs: list[Run]) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                draw_state_badge(run.state)
                st.markdown(f"**{escape_markdown(truncate_middle(run.name))}**", width="content")
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                _draw_actions(run)
        about = [f"{recipe_title(run.recipe_name)} on {escape_markdown(truncate_middle(run.dataset or 'photos'))}"]
        about += [f"{counted(len(run.only), 'class', 'classes')} selected"] if run.only else []
        about += [f"started {timestamp_text(run.created)}"] if run.created else []
        st.caption(" · ".join(about))
        told = [split_counts_text(run.counts), other_trainings_text(runs, run.name) if not run.state.ended else ""]
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
            "Try again" if run.state is JobState.FAILED else "Resume",
            key=Key.TRAIN_RESUME,
            icon=":material/restart_alt:",
            on_click=_go_on,
            args=(run.name,),
            help="It joins the queue and continues from the last saved epoch.",
        )


def _draw_stop(run: Run) -> None:
    waits = run.state is JobState.QUEUED
    with st.popover("Stop", icon=":material/stop_circle:", key=Key.TRAIN_STOP):
        st.markdown(
            "Remove this training from the queue? It has not started yet, so nothing is lost."
            if waits
            else "Stop after the current step? The best model so far is kept and ready to use, and you can resume the "
            "training later."
        )
        st.button(
            "Remove from the queue" if waits else "Stop and keep the best model",
            key=Key.TRAIN_STOP_SURE,
            type="primary",
            on_click=_stop,
            args=(run.name,),
        )


def _stop(name: str) -> None:
    try:
        stop_training(workspace(), name)
    except SneakerError as error:
        st.toast(escape_markdown(str(error)))


def _go_on(name: str) -> None:
    try:
        resume_training(workspace(), name)
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:")
        return
    watch(name)


def _draw_progress(run: Run) -> None:
    """Draw the progress bar with the time left."""
    if run.job is None:
        return
    progress, details = run.job.progress, run.job.progress.details
    if run.state is JobState.QUEUED:
        st.info(
            f"{queue_text(progress)}. Trainings run one after another, as each needs the whole computer.",
            icon=":material/hourglass_empty:",
        )
        return
    if run.state is JobState.STOPPING:
        st.warning(
            "Stopping after the current step. The best model so far is kept.",
            icon=":material/hourglass_bottom:",
        )
    if "epochs" not in details:
        st.progress(progress.share, text=escape_markdown(progress_words(progress)))
    else:
        left = details.get("seconds_left")
        words = [progress.step]
        words += [f"{details['images_per_second']:.0f} photos per second"] if details.get("images_per_second") else []
        words += [f"{duration_text(left)} left"] if isinstance(left, (int, float)) and left > 0 else []
        st.progress(progress.share, text=escape_markdown(" · ".join(words)))
    st.caption(
        "You can leave this page or close the browser. Training continues in the background; it pauses while the "
        "computer sleeps."
    )


def _draw_end(run: Run) -> None:
    if run.has_model:
        _draw_headline(run)
    words = escape_markdown(run_end_text(run))
    if run.state is JobState.FAILED:
        st.error(words, icon=":material/error:")
    elif run.state is JobState.INTERRUPTED:
        st.warning(words, icon=":material/sync_problem:")
    elif run.state is JobState.STOPPED:
        st.info(words, icon=":material/stop_circle:")


def _draw_headline(run: Run) -> None:
    """Draw the model's accuracy on test photos."""
    count, top1, top3 = (run.headline.get(key) for key in ("n", "top1", "top3"))
    if top1 is None or not count:
        return
    with st.grid(3, min_column_width=200):
        st.metric(
            "Top-1 accuracy",
            percent(top1, 1),
            border=True,
            help="Share of the test photos whose first answer is correct. Test photos are not used in training.",
        )
        if top3 is not None:
            st.metric(
                "Top-3 accuracy",
                percent(top3, 1),
                border=True,
                help="Share of the test photos with the correct class among the first three answers.",
            )
        st.metric(
            "Test photos",
            f"{count:,.0f}",
            border=True,
            help="Few test photos make accuracy uncertain: with 100 photos, by about ±5 percentage points.",
        )
    if run.is_done and run.seconds:
        st.caption(run_end_text(run))


def _draw_course(run: Run, metrics: pd.DataFrame) -> None:
    recipe = _recipe(run)
    epochs = recipe.epochs if recipe else int(metrics["epoch"].max())
    for note in notes(metrics, training_cache.run_class_count(run.folder) or len(run.only) or 2, epochs, recipe):
        with st.container(horizontal=True, gap="small"):
            st.markdown(f"{_NOTE_ICONS[note.kind]} {escape_markdown(note.text)}")
    with st.grid(2, min_column_width=320, gap="medium"):
        with st.container(gap="xsmall"):
            draw_chart(
                accuracy_curve(metrics, epochs),
                Key.TRAIN_ACCURACY_CHART,
                help="Validation photos are not used in training; they show how well the model does on new photos. "
                "Training photos are augmented, which makes them harder, so their accuracy may be lower.",
            )
        with st.container(gap="xsmall"):
            draw_chart(
                loss_curve(metrics, epochs),
                Key.TRAIN_LOSS_CHART,
                help="The loss measures errors weighted by confidence; lower is better. Training loss includes "
                "augmentation and label smoothing, so compare the trends of the curves, not their values.",
            )
    draw_confusions(metrics)
    draw_watched(run.folder, metrics)


def _recipe(run: Run) -> Recipe | None:
    """The run's recipe; None if this version of SoleScope can't read it."""
    try:
        return Recipe.from_dict(run.recipe) if run.recipe else None
    except RecipeError:
        return None


def _draw_log(run: Run) -> None:
    if st.toggle("Log", key=Key.TRAIN_LOG, help="The last lines of the log."):
        st.code(log_tail(run_job_folder(run.folder)) or "The log is empty.", language=None)
