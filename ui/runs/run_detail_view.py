"""Details of one run or built-in model."""

from typing import Any

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.training.run_collection import Run, write_note
from sneaker_core.training.training_jobs import resume_training, stop_training
from sneaker_core.workspace.jobs import JobState, log_tail, read_job
from sneaker_core.workspace.paths import run_job_folder, run_model_folder, workspace
from ui.kit.job_panel import progress_words
from ui.kit.labels import STATE_LABELS, draw_state_badge
from ui.kit.page_links import Page, open_page
from ui.kit.run_text import run_end_text
from ui.kit.text import escape_markdown, short_duration_text, timestamp_text
from ui.runs import run_labels
from ui.runs.run_dialogs import Dialog, open_dialog
from ui.runs.run_rows import Row
from ui.runs.runs_keys import Key

CARD, SETTINGS, LOG = "Model card", "All settings", "Log"
_LOOK_EVERY = 2.0
_LOG_LINES = 40


def draw_run(row: Row) -> None:
    """Draw a run: state, metrics, actions, note and more.

    Parameters
    ----------
    row : Row
    """
    with st.container(border=True):
        _draw_head(row)
        _draw_key_figures(row)
        _draw_actions(row)
        if row.run:
            _draw_note(row.run)
        _draw_more(row)


def _draw_head(row: Row) -> None:
    run = row.run
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(escape_markdown(row.name), anchor=False, width="content")
        if run:
            draw_state_badge(run_labels.state_label(run))
        else:
            st.badge(row.state, icon=":material/inventory_2:", color="gray")
    st.markdown(escape_markdown(_about(row)))
    if run is None:
        return
    if not run.state.ended:
        _watch(run)
    elif run.state is JobState.FAILED:
        st.error(escape_markdown(run_end_text(run)), icon=":material/error:")
    elif not run.is_done:
        st.info(escape_markdown(run_end_text(run)), icon=STATE_LABELS[run.state].icon)


def _about(row: Row) -> str:
    """Description in one sentence."""
    run = row.run
    if run is None:
        return f"{row.network}, built into SoleScope."
    if run.is_damaged:
        return "Its files are damaged and can't be read. Other runs are not affected."
    parts = [f"{run_labels.recipe_word(run.recipe_name)} on {run.dataset}" if run.dataset else "Training"]
    parts += [row.network] if run.recipe else []
    parts += [f"{len(run.only)} selected classes"] if run.only else []
    parts += [f"started {timestamp_text(run.created)}"] if run.created else []
    parts += [f"trained for {short_duration_text(run.seconds)}"] if run.seconds else []
    return f"{', '.join(parts)}."


@st.fragment(run_every=_LOOK_EVERY)
def _watch(run: Run) -> None:
    """Draw the progress; the page notices when the run ends."""
    try:
        progress = read_job(run_job_folder(run.folder)).progress
    except SneakerError:
        return
    st.progress(progress.share, text=escape_markdown(progress_words(progress)))


def _draw_key_figures(row: Row) -> None:
    figures = row.figures
    if not figures:
        return
    tested = f"of {int(figures['n']):,} test photos" if figures.get("n") else "of the test photos"
    shown = [
        ("Top-1", "top1", tested, "Share of the test photos whose first answer is correct."),
        (
            "Top-3",
            "top3",
            "correct among three",
            "Share of the test photos with the correct class among the first three answers.",
        ),
        ("Calibration error", "ece", "0 is perfect", "Expected difference between probability and accuracy."),
    ]
    with st.grid(3, min_column_width=150):
        for label, key, note, about in shown:
            with st.container(border=True, gap=None, height="stretch"):
                st.metric(label, run_labels.share(figures.get(key)), help=about)
                st.caption(note)


def _draw_actions(row: Row) -> None:
    run = row.run
    with st.container(horizontal=True, vertical_alignment="center"):
        # An interrupted run may have a model, too.
        if (run is None or run.has_model) and st.button(
            "Use in Identify", key=Key.RUN_USE, type="primary", icon=":material/search:"
        ):
            open_page(Page.IDENTIFY, model=row.name)
        if run is None:
            return
        st.page_link(
            "pages/train.py",
            label="Watch live" if not run.state.ended else "Training curves",
            icon=":material/monitoring:",
            query_params={"run": run.name},
        )
        _draw_work(run)
        if run.state.ended:
            _draw_manage(run)


def _draw_work(run: Run) -> None:
    """Draw Stop, Resume or Try again."""
    if not run.state.ended:
        stopping = run.state is JobState.STOPPING
        st.button(
            "Stopping…" if stopping else "Stop",
            key=Key.RUN_STOP,
            icon=":material/stop_circle:",
            disabled=stopping,
            on_click=_try,
            args=(stop_training, run.name),
            help="It stops after the current step. The best model so far is kept.",
        )
    elif not run.is_done and not run.is_damaged:
        st.button(
            "Try again" if run.state is JobState.FAILED else "Resume",
            key=Key.RUN_RESUME,
            icon=":material/restart_alt:",
            on_click=_try,
            args=(resume_training, run.name),
            help="It joins the queue and continues from the last saved epoch.",
        )


def _draw_manage(run: Run) -> None:
    for label, key, icon, dialog in (
        ("Rename", Key.RUN_RENAME, "edit", Dialog.RENAME),
        ("Delete", Key.RUN_DELETE, "delete", Dialog.DELETE_RUNS),
    ):
        st.button(label, key=key, icon=f":material/{icon}:", on_click=open_dialog, args=(dialog, run.name))


def _try(action: Any, name: str) -> None:
    """Run an action; show the error if it fails."""
    try:
        action(workspace(), name)
    except SneakerError as error:
        st.toast(escape_markdown(str(error)), icon=":material/error:", duration="long")


def _draw_note(run: Run) -> None:
    # In a form, so one click saves text that still has the focus.
    with st.form(Key.RUN_NOTE_FORM.of(run.name), border=False):
        note = st.text_area(
            "Note",
            run.note,
            key=Key.RUN_NOTE.of(run.name),
            height=80,
            max_chars=10_000,
            placeholder="What did you try, and how did it go?",
        )
        if st.form_submit_button("Save note", key=Key.RUN_NOTE_SAVE):
            write_note(workspace(), run.name, note or "")
            st.toast("Note saved.", icon=":material/check:")


def _draw_more(row: Row) -> None:
    """Draw one of the long sections, on demand."""
    has_model = row.run is None or row.run.has_model
    there = {CARD: has_model, SETTINGS: bool(row.recipe), LOG: row.run is not None}
    choices = [choice for choice, is_there in there.items() if is_there]
    chosen = st.segmented_control("Details", choices, key=Key.RUN_MORE.of(row.name), wrap=True)
    if chosen == CARD:
        _draw_card(row)
    elif chosen == SETTINGS:
        keys = run_labels.settings_in_order(set(row.recipe))
        values = {
            run_labels.setting_name(key): escape_markdown(run_labels.setting_value(key, row.recipe[key]))
            for key in keys
        }
        st.table(values, border="horizontal", alt="All settings")
    elif chosen == LOG and row.run:
        tail = log_tail(run_job_folder(row.run.folder), _LOG_LINES)
        if tail:
            st.code(tail, language=None, wrap_lines=True, height=320)
        else:
            st.caption("The log is empty.")


def _draw_card(row: Row) -> None:
    # Imported on demand, as it is slow.
    from sneaker_core.training.model_card import model_card

    run = row.run
    about = {
        key: getattr(run, key)
        for key in ("dataset", "recipe_name", "recipe", "created", "seconds", "note", "only")
        if run is not None
    }
    if run:
        about["state"] = run.state.value
    card = model_card(read_spec(run_model_folder(row.folder) if run else row.folder), about)
    st.download_button(
        "Download model card",
        card,
        file_name=f"{row.name} MODEL_CARD.md",
        mime="text/markdown",
        key=Key.RUN_CARD,
        icon=":material/download:",
        on_click="ignore",
    )
    with st.container(border=True, height=520):
        st.markdown(card)
