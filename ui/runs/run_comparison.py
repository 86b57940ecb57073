"""Comparison of runs: curves, metrics and differing settings."""

from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.number_text import counted
from ui.kit.changes import change_button
from ui.kit.charts import draw_chart
from ui.kit.item_dialogs import Action, open_dialog
from ui.kit.text import escape_markdown, short_duration_text, truncate
from ui.runs import run_labels
from ui.runs.run_charts import accuracy_curves, loss_curves
from ui.runs.run_dialogs import RUNS
from ui.runs.run_rows import Row, epochs
from ui.runs.runs_keys import Key

VALIDATION = "Validation photos are not used in training; the model is checked on them after each epoch."
LOSS = (
    "The loss measures errors weighted by confidence; lower is better. It is shown for validation photos or, if no run "
    "recorded it, for training photos."
)
# Metric -> label, whether higher is better.
_FIGURES = {
    "top1": ("Top-1", True),
    "top3": ("Top-3", True),
    "ece": ("Calibration error", False),
}
# Names of weights files can be long.
_LONGEST_VALUE = 24


def draw_curves(rows: list[Row]) -> None:
    """Draw the curves of the selected runs in shared charts.

    Parameters
    ----------
    rows : list of Row
        At least one.
    """
    rows = [row for row in rows if row.run is None or row.run.was_trained]  # the others have no epochs
    metrics = {row.name: row.metrics for row in rows}
    charts = [
        (accuracy_curves(metrics), Key.RUNS_CURVES, f"Accuracy on validation photos. {VALIDATION}"),
        (loss_curves(metrics), Key.RUNS_LOSSES, LOSS),
    ]
    drawn = [(chart, key, about) for chart, key, about in charts if chart is not None]
    if drawn:
        with st.grid(2, min_column_width=340) as grid:
            for chart, key, about in drawn:
                with grid.cell(), st.container(border=True, height="stretch"):
                    draw_chart(chart, key, help=about)
    without = [row.name for row in rows if row.metrics.empty]
    if without:
        st.caption(f"No curves: {', '.join(map(escape_markdown, without))}. {_why_none(rows)}")


def _why_none(rows: list[Row]) -> str:
    living = any(row.run and not row.run.state.ended for row in rows if row.metrics.empty)
    return "The first point appears after the first epoch." if living else "None were recorded."


def draw_comparison(rows: list[Row]) -> None:
    """Draw key figures side by side, and the settings that differ.

    Parameters
    ----------
    rows : list of Row
        Two or more.
    """
    with st.container(border=True):
        st.markdown(
            f"**{escape_markdown(_finding(rows))}**", help="Measured on test photos, which are not used in training."
        )
        st.table(_figures(rows), border="horizontal", alt="Metrics side by side; the best of each in bold")
    with st.container(border=True):
        known = [row for row in rows if row.recipe]
        differing = _differences(known)
        if len(known) < 2:
            st.markdown("**Settings can't be compared**: they are known for fewer than two runs.")
        elif differing.empty:
            st.markdown("**All settings are the same.** Differences come from chance or from the photos.")
        else:
            st.markdown(f"**{counted(len(differing), 'setting differs', 'settings differ')}**")
            st.table(differing, border="horizontal", alt="Differing settings, side by side")
    ended = [row.run for row in rows if row.run and row.run.state.ended]
    if len(ended) > 1:
        change_button(
            f"Delete {len(ended)} runs",
            key=Key.RUN_DELETE,
            type="tertiary",
            icon=":material/delete:",
            on_click=open_dialog,
            args=(Action.DELETE, RUNS, *ended),
        )


def _finding(rows: list[Row]) -> str:
    """The run with the highest test accuracy."""
    tested = {row.name: float(row.figures["top1"]) for row in rows if "top1" in row.figures}
    if not tested:
        return "None of these runs has been evaluated on test photos yet"
    order = sorted(tested, key=lambda name: -tested[name])
    best = run_labels.share(tested[order[0]])
    if len(order) > 1 and run_labels.share(tested[order[1]]) == best:
        return f"{order[0]} and {order[1]} have the same test accuracy: {best}"
    many = " (each on its own test photos)" if len({_judged_by(row) for row in rows if row.name in tested}) > 1 else ""
    return f"{order[0]} has the highest test accuracy: {best}{many}"


def _judged_by(row: Row) -> tuple[str, Any]:
    return (row.run.dataset if row.run else row.name), row.figures.get("n")


def _figures(rows: list[Row]) -> pd.DataFrame:
    """Metrics by run, with the best values in bold."""
    table = {row.name: _told(row) for row in rows}
    for key, (name, more) in _FIGURES.items():
        values = {row.name: row.figures[key] for row in rows if key in row.figures}
        if len(values) > 1:
            best = (max if more else min)(values.values())
            for run, value in values.items():
                if value == best:
                    table[run][name] = f"**{table[run][name]}**"
    return pd.DataFrame({escape_markdown(name): told for name, told in table.items()})


def _told(row: Row) -> dict[str, str]:
    run, done = row.run, epochs(row)
    return {
        "State": row.state,
        "Dataset": escape_markdown(run.dataset) if run and run.dataset else run_labels.NONE,
        **{_FIGURES[key][0]: run_labels.share(row.figures.get(key)) for key in _FIGURES},
        "Photos (train / test)": run_labels.photo_counts(row.counts, row.figures.get("n")),
        "Epochs": run_labels.NONE if done is None else str(done),
        "Time": short_duration_text(run.seconds) if run and run.seconds else run_labels.NONE,
    }


def _differences(rows: list[Row]) -> pd.DataFrame:
    """Differing settings by run."""
    keys = {key for row in rows for key in row.recipe}
    # Settings that older runs lack are not compared.
    differing = {key for key in keys if len({_shown(row, key) for row in rows if key in row.recipe}) > 1}
    ordered = run_labels.settings_in_order(differing)
    return pd.DataFrame(
        {escape_markdown(row.name): [escape_markdown(_shown(row, key)) for key in ordered] for row in rows},
        index=[run_labels.setting_name(key) for key in ordered],
    )


def _shown(row: Row, key: str) -> str:
    return truncate(run_labels.setting_value(key, row.recipe.get(key)), _LONGEST_VALUE)
