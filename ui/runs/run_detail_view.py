"""Details of one run or built-in model."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from sneaker_core.networks.checkpoint import onnx_file, read_spec
from sneaker_core.training.model_install import origin_text
from sneaker_core.training.next_steps import Step
from sneaker_core.training.run_card import taught_of
from sneaker_core.training.run_collection import Run, write_note
from sneaker_core.workspace.paths import run_job_folder, run_model_folder, workspace
from ui.kit.changes import can_change
from ui.kit.item_dialogs import draw_item_buttons
from ui.kit.job_panel import JobPanel, draw_log
from ui.kit.labels import draw_state_badge
from ui.kit.next_step import draw_run_steps
from ui.kit.page_links import Page, draw_page_link
from ui.kit.run_gain import draw_gain
from ui.kit.run_panel import draw_run_job
from ui.kit.text import escape_markdown, short_duration_text, timestamp_text
from ui.runs import run_labels
from ui.runs.model_export_view import draw_export
from ui.runs.model_packs import draw_save_button
from ui.runs.run_dialogs import RUNS
from ui.runs.run_rows import Row
from ui.runs.runs_keys import Key

CARD, EXPORT, SETTINGS, LOG = "Model card", "Export", "All settings", "Log"


def draw_run(row: Row, has_changed: Callable[[], bool]) -> None:
    """Draw a run: state, metrics, actions, note and more.

    Parameters
    ----------
    row : Row
    has_changed : callable
        Whether the page shows something outdated.
    """
    with st.container(border=True):
        _draw_head(row)
        if row.run and not row.run.is_done:
            draw_run_job(row.run, JobPanel(place="run", log=False, has_changed=has_changed))
        _draw_key_figures(row)
        if row.run and row.run.state.ended and row.run.has_model:
            draw_gain(row.run)
            draw_run_steps(row.run, Page.RUNS, Step.WATCH)
        _draw_actions(row)
        if row.run:
            _draw_note(row.run)
        _draw_more(row)


def _draw_head(row: Row) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(escape_markdown(row.name), anchor=False, width="content")
        if row.run:
            draw_state_badge(run_labels.state_label(row.run))
        else:
            st.badge(row.state, icon=":material/inventory_2:", color="gray")
    st.markdown(escape_markdown(_about(row)))


def _about(row: Row) -> str:
    """Description in one sentence."""
    run = row.run
    if run is None:
        return f"{row.network}, built into SoleScope."
    if run.is_damaged:
        return "Its files are damaged and can't be read. Other runs are not affected."
    if run.installed is not None:
        return f"{_copy_sentence(run)} {origin_text(run.installed)}.".strip()
    if run.taught_from:
        return f"{_copy_sentence(run)} Made {timestamp_text(run.created)}."
    parts = [f"{run_labels.recipe_word(run.recipe_name)} on {run.dataset}" if run.dataset else "Training"]
    parts += [row.network] if run.recipe else []
    parts += [f"{len(run.only)} selected classes"] if run.only else []
    parts += [f"started {timestamp_text(run.created)}"] if run.created else []
    parts += [f"trained for {short_duration_text(run.seconds)}"] if run.seconds else []
    return f"{', '.join(parts)}."


def _copy_sentence(run: Run) -> str:
    """Of what its model is a copy, and how it differs; empty for a model that was trained."""
    if not run.taught_from:
        return ""
    if run.is_retrained:
        return f"A copy of {run.taught_from} that was retrained with {run.dataset}."
    taught = taught_of(run)
    return f"A copy of {run.taught_from} that was taught by example." if taught is None else taught.sentence()


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
        if run is None or run.has_model:
            draw_page_link("Use in Identify", Page.IDENTIFY, model=row.name)
            if can_change() and not _is_onnx(row):
                draw_page_link("Teach it a sneaker", Page.TEACH, model=row.name)
            draw_save_button(row)
        if run is None:
            return
        if run.was_trained:
            st.page_link(
                "pages/train.py",
                label="Watch live" if not run.state.ended else "Training curves",
                icon=":material/monitoring:",
                query_params={"run": run.name},
            )
        if run.state.ended:
            draw_item_buttons(RUNS, run)


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
            disabled=not can_change(),
        )
        if st.form_submit_button("Save note", key=Key.RUN_NOTE_SAVE, disabled=not can_change()):
            write_note(workspace(), run.name, note or "")
            st.toast("Note saved.", icon=":material/check:")


def _draw_more(row: Row) -> None:
    """Draw one of the long sections, on demand."""
    has_model = row.run is None or row.run.has_model
    there = {
        CARD: has_model,
        EXPORT: has_model and not _is_onnx(row),
        SETTINGS: bool(row.recipe),
        LOG: row.run is not None and row.run.was_trained,
    }
    choices = [choice for choice, is_there in there.items() if is_there]
    chosen = st.segmented_control("Details", choices, key=Key.RUN_MORE.of(row.name), persist_state="session", wrap=True)
    if chosen == CARD:
        _draw_card(row)
    elif chosen == EXPORT:
        draw_export(row.name, _model_folder(row))
    elif chosen == SETTINGS:
        keys = run_labels.settings_in_order(set(row.recipe))
        values = {
            run_labels.setting_name(key): escape_markdown(run_labels.setting_value(key, row.recipe[key]))
            for key in keys
        }
        st.table(values, border="horizontal", alt="All settings")
    elif chosen == LOG and row.run:
        draw_log(run_job_folder(row.run.folder))


def _is_onnx(row: Row) -> bool:
    """Whether its model is an ONNX file, which only gives answers."""
    return onnx_file(_model_folder(row)) is not None


def _model_folder(row: Row) -> Path:
    return run_model_folder(row.folder) if row.run else row.folder


def _draw_card(row: Row) -> None:
    # Imported on demand, as it is slow.
    from sneaker_core.training.run_card import run_card

    card = run_card(read_spec(_model_folder(row)), row.run)
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
