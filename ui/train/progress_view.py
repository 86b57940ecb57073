"""Progress of a training: state, curves, notes and actions."""

from pathlib import Path

import pandas as pd
import streamlit as st

from sneaker_core.errors import RecipeError
from sneaker_core.number_text import counted, percent
from sneaker_core.training.next_steps import Step
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_collection import Run, list_runs
from sneaker_core.training.run_metrics import read_metrics
from sneaker_core.training.training_notes import NoteKind, notes
from sneaker_core.workspace.jobs import JobState
from sneaker_core.workspace.paths import workspace
from ui.kit.address import choose_item
from ui.kit.charts import draw_chart
from ui.kit.job_panel import JobPanel
from ui.kit.labels import recipe_title
from ui.kit.next_step import draw_run_steps
from ui.kit.page_frame import end_page
from ui.kit.page_links import Page, draw_page_link
from ui.kit.run_gain import draw_gain
from ui.kit.run_panel import changes_of, draw_run_job
from ui.kit.run_text import other_trainings_text, split_counts_text
from ui.kit.text import escape_markdown, timestamp_text, truncate_middle
from ui.train import training_cache
from ui.train.train_keys import Key
from ui.train.training_charts import accuracy_curve, loss_curve
from ui.train.watched_photos import draw_confusions, draw_watched

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
    panel = JobPanel(
        place="run",
        buttons=lambda job: _draw_use(run),
        details=lambda job: _draw_about(run.folder),
        has_changed=changes_of(lambda: [one for one in list_runs(workspace()) if one.folder == run.folder]),
    )
    draw_run_job(run, panel)
    if run.state.ended and run.has_model:
        _draw_headline(run)
        draw_gain(run)
        draw_run_steps(run, Page.TRAIN, Step.WATCH)
    metrics = read_metrics(run.folder)
    if len(metrics):
        _draw_course(run, metrics)
    elif run.state is JobState.RUNNING:
        st.caption("Curves appear after the first epoch (one pass over the training photos).")
    draw_page_link("Compare all runs", Page.RUNS)


def _choose(runs: list[Run]) -> Run:
    """Draw the run picker: running ones first, then the newest."""
    by_name = {run.name: run for run in sorted(runs, key=lambda run: run.state.ended)}
    name = choose_item(Key.TRAIN_RUN, list(by_name), noun="run")
    return by_name[name] if name is not None else end_page()


def _draw_use(run: Run) -> None:
    if run.has_model:
        draw_page_link("Use in Identify", Page.IDENTIFY, model=run.name)


def _draw_about(folder: Path) -> None:
    """Draw what is trained on what, and which other trainings are running."""
    runs = list_runs(workspace())
    run = next((one for one in runs if one.folder == folder), None)
    if run is None:  # deleted in another window
        return
    about = [f"{recipe_title(run.recipe_name)} on {escape_markdown(truncate_middle(run.dataset or 'photos'))}"]
    about += [f"{counted(len(run.only), 'class', 'classes')} selected"] if run.only else []
    about += [f"started {timestamp_text(run.created)}"] if run.created else []
    others = "" if run.state.ended else other_trainings_text(runs, run.name)
    st.caption("  \n".join(filter(None, [" · ".join(about), split_counts_text(run.counts), others])))


def _draw_headline(run: Run) -> None:
    """Draw the model's accuracy on test photos."""
    count, top1, top3 = (run.headline.get(key) for key in ("n", "top1", "top3"))
    if top1 is None or not count:
        return
    with st.grid(3, min_column_width=150):
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
