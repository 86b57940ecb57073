"""The section with all runs: table, comparison and details."""

import streamlit as st

from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import Run, list_runs
from sneaker_core.workspace.paths import workspace
from ui.kit.damaged_items import draw_unread_items
from ui.kit.job_panel import rerun_when
from ui.kit.run_panel import changes_of
from ui.runs.model_packs import draw_install
from ui.runs.run_comparison import draw_comparison, draw_curves
from ui.runs.run_detail_view import draw_run
from ui.runs.run_dialogs import RUNS
from ui.runs.run_labels import state_label
from ui.runs.run_rows import all_rows
from ui.runs.run_table import choose


def draw_runs() -> None:
    """Draw the section."""
    has_changed = changes_of(lambda: list_runs(workspace()))
    rows = all_rows()
    runs = [row.run for row in rows if row.run]
    draw_unread_items(RUNS)
    if not runs:
        _draw_invitation(len(rows))
    else:
        st.markdown(_summary(runs))
    chosen = choose(rows) if rows else []
    if len(chosen) == 1:
        draw_run(chosen[0], has_changed)
    if chosen:
        draw_curves(chosen)
    if len(chosen) > 1:
        draw_comparison(chosen)
    draw_install()
    shown = chosen[0].run if len(chosen) == 1 else None
    if shown is None or shown.state.ended:  # else its panel looks for changes
        rerun_when(has_changed)


def _draw_invitation(models: int) -> None:
    with st.container(border=True):
        st.markdown("**No runs yet.** A run is one training with its settings, curves and model.")
        if models:
            st.markdown(f"The table below shows the built-in {'model' if models == 1 else 'models'}.")
        st.page_link("pages/train.py", label="Start a training", icon=":material/model_training:")


def _summary(runs: list[Run]) -> str:
    states = [state_label(run).word for run in runs]
    parts = [f"{states.count(state)} {state.lower()}" for state in dict.fromkeys(sorted(states))]
    return f"{counted(len(runs), 'run')}: {', '.join(parts)}."
