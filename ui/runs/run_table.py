"""The table of runs and their selection."""

from typing import Any

import streamlit as st

from ui.kit.address import choose_items, choose_next
from ui.runs.run_labels import NONE
from ui.runs.run_rows import Row, table
from ui.runs.runs_keys import Key

# Number of curves that can be told apart.
MOST_CHOSEN = 6
_ROW, _MOST_HEIGHT = 35, 390


def choose(rows: list[Row]) -> list[Row]:
    """Draw the table and the list of names, which share one selection; returns the selected rows.

    Parameters
    ----------
    rows : list of Row
        At least one.
    """
    by_name = {row.name: row for row in rows}
    names = list(by_name)
    place = st.container()
    chosen = choose_items(
        Key.RUNS_CHOSEN,
        names,
        noun="run",
        most=MOST_CHOSEN,
        label="Selected runs",
        help=f"Select one run for details, or up to {MOST_CHOSEN} to compare them. Same as ticking rows of the table.",
    )
    with place:
        _draw_table(rows, chosen)
    return [by_name[name] for name in chosen]


def select_runs(names: list[str]) -> None:
    """Select these runs in the next run of the page."""
    choose_next(Key.RUNS_CHOSEN, names)


def _tick(names: list[str]) -> None:
    """Update the selection from the ticks; selected runs keep their order and colors."""
    ticked = [names[row] for row in _ticked_rows() if row < len(names)]
    before = [name for name in st.session_state.get(Key.RUNS_CHOSEN) or () if name in ticked]
    wanted = [*before, *(name for name in ticked if name not in before)]
    if len(wanted) > MOST_CHOSEN:
        st.toast(f"You can compare up to {MOST_CHOSEN} runs; the others are not selected.")
    st.session_state[Key.RUNS_CHOSEN] = wanted[:MOST_CHOSEN]


def _ticked_rows() -> list[int]:
    state = st.session_state.get(Key.RUNS_TABLE)
    rows: list[int] = state["selection"]["rows"] if state else []
    return rows


def _draw_table(rows: list[Row], chosen: list[str]) -> None:
    names = [row.name for row in rows]
    ticked = sorted(names.index(name) for name in chosen)
    # Ticks are stored by position, and the rows may have moved. Set only then: setting them on every run would undo a
    # tick made in the meantime.
    if sorted(_ticked_rows()) != ticked:
        st.session_state[Key.RUNS_TABLE] = {"selection": {"rows": ticked}}
    st.dataframe(
        table(rows),
        key=Key.RUNS_TABLE,
        hide_index=True,
        height=min(_ROW * (len(rows) + 1) + 3, _MOST_HEIGHT),
        on_select=lambda: _tick(names),
        selection_mode="multi-row",
        placeholder=NONE,
        column_config=_columns(),
        alt="Runs and models with their metrics; the list below shares its selection",
    )


def _columns() -> dict[str, Any]:
    column = st.column_config
    percent: dict[str, Any] = {"format": "%.1f%%", "width": 85}
    return {
        "name": column.TextColumn("Name", pinned=True, width=120),
        "state": column.TextColumn("State", width=90, help="Models that come with SoleScope are built in."),
        "top1": column.NumberColumn("Top-1", help="Share of the test photos whose first answer is correct.", **percent),
        "top3": column.NumberColumn(
            "Top-3", help="Share of the test photos with the correct class among the first three answers.", **percent
        ),
        "ece": column.NumberColumn(
            "Calibration error",
            help="Expected difference between probability and accuracy; 0 is perfect.",
            format="%.1f%%",
        ),
        "dataset": column.TextColumn("Dataset"),
        "recipe": column.TextColumn("Recipe"),
        "network": column.TextColumn("Network"),
        "train": column.NumberColumn("Training photos", help="Photos used in training.", format="localized"),
        "test": column.NumberColumn(
            "Test photos", help="Photos used to evaluate the model, not to train it.", format="localized"
        ),
        "epochs": column.NumberColumn("Epochs", help="Passes over the training photos."),
        "minutes": column.NumberColumn("Minutes", help="Training time.", format="%.1f"),
        "created": column.DatetimeColumn("Started", format="D MMM YYYY, HH:mm", timezone=st.context.timezone or "UTC"),
    }
