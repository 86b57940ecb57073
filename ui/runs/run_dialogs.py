"""Runs and searches as kinds of items: how the dialogs of the page name and manage them."""

import streamlit as st

from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import Run, delete_run, rename_run, restore_run, runs_of
from sneaker_core.training.study_collection import Study, delete_study, rename_study, restore_study, studies_of
from ui.kit.item_dialogs import ItemKind
from ui.kit.text import timestamp_text
from ui.runs.run_labels import origin
from ui.runs.run_table import select_runs
from ui.runs.runs_keys import Key


def _about_run(run: Run) -> str:
    if run.installed is not None:
        return f"Installed from {run.installed.file}"
    if run.taught_from:
        return origin(run)
    if not run.dataset:
        return "Run"
    started = f", started {timestamp_text(run.created)}" if run.created else ""
    return f"{origin(run)} on {run.dataset}{started}"


def _about_search(study: Study) -> str:
    return f"Search on {study.dataset}, {counted(len(study.trials), 'trial')}"


def _show_run(name: str, before: str | None) -> None:
    """Select a run; one that was renamed keeps its place in the selection."""
    chosen = list(st.session_state.get(Key.RUNS_CHOSEN) or ())
    select_runs([name if one == before else one for one in chosen] if before in chosen else [name])


RUNS = ItemKind(
    Key.RUNS_CHOSEN,
    "run",
    runs_of,
    _about_run,
    "curves, notes and models",
    rename=rename_run,
    delete=delete_run,
    restore=restore_run,
    show=_show_run,
)

SEARCHES = ItemKind(
    Key.STUDY,
    "search",
    studies_of,
    _about_search,
    "all trials",
    rename=rename_study,
    delete=delete_study,
    restore=restore_study,
)
