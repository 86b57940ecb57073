"""The section with all runs: table, comparison and details."""

import streamlit as st

from sneaker_core.number_text import counted
from sneaker_core.training.run_collection import Run, list_runs
from sneaker_core.training.run_metrics import METRICS_FILE
from sneaker_core.workspace.paths import workspace
from ui.runs.run_comparison import draw_comparison, draw_curves
from ui.runs.run_detail_view import draw_run
from ui.runs.run_labels import state_label
from ui.runs.run_rows import all_rows
from ui.runs.run_table import choose

_LOOK_EVERY = 2.0


def draw_runs() -> None:
    """Draw the section."""
    rows = all_rows()
    runs = [row.run for row in rows if row.run]
    _follow(_snapshot(list_runs(workspace())))
    if not runs:
        _draw_invitation(bool(rows))
    if not rows:
        return
    if runs:
        st.markdown(_summary(runs))
    chosen = choose(rows)
    if not chosen:
        return
    if len(chosen) == 1:
        draw_run(chosen[0])
    draw_curves(chosen)
    if len(chosen) > 1:
        draw_comparison(chosen)


def _draw_invitation(models: bool) -> None:
    with st.container(border=True):
        st.markdown("**No runs yet.** A run is one training with its settings, curves and model.")
        if models:
            st.markdown("The table below shows the built-in model.")
        st.page_link("pages/train.py", label="Start a training", icon=":material/model_training:")


def _summary(runs: list[Run]) -> str:
    states = [state_label(run).word for run in runs]
    parts = [f"{states.count(state)} {state.lower()}" for state in dict.fromkeys(sorted(states))]
    return f"{counted(len(runs), 'run')}: {', '.join(parts)}."


def _snapshot(runs: list[Run]) -> tuple[tuple[str, str, int], ...]:
    """Changes when a run is added or removed, changes its state or finishes an epoch."""
    return tuple((run.name, run.state.value, _epochs(run)) for run in runs)


def _epochs(run: Run) -> int:
    try:
        return (run.folder / METRICS_FILE).stat().st_mtime_ns
    except OSError:
        return 0


@st.fragment(run_every=_LOOK_EVERY)
def _follow(seen: tuple[tuple[str, str, int], ...]) -> None:
    """Rerun the page when something has changed on disk."""
    if _snapshot(list_runs(workspace())) != seen:
        st.rerun()
