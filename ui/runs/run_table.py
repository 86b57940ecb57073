"""The table of runs, and which of them are looked at."""

from typing import Any

import streamlit as st

from ui.runs.run_labels import NONE
from ui.runs.run_rows import Row, table
from ui.runs.runs_keys import Key

# So many curves can be told apart.
MOST_CHOSEN = 6
_ROW, _MOST_HEIGHT = 35, 390


def choose(rows: list[Row]) -> list[Row]:
    """Draw the table and the list of names, which choose the same; gives the chosen rows.

    Parameters
    ----------
    rows : list of Row
        At least one.
    """
    by_name = {row.name: row for row in rows}
    names = list(by_name)
    _settle(names)
    place = st.container()
    chosen = st.multiselect(
        "Look at",
        names,
        key=Key.RUNS_CHOSEN,
        max_selections=MOST_CHOSEN,
        placeholder="Choose one to see all about it, or several to compare them",
        help=f"The same as ticking rows of the table. Up to {MOST_CHOSEN} can be compared.",
        bind="query-params",
    )
    with place:
        _draw_table(rows, [name for name in chosen if name in by_name])
    return [by_name[name] for name in chosen if name in by_name]


def look_at(names: list[str]) -> None:
    """Have the next run of the page choose these."""
    st.session_state[Key.RUNS_WANTED] = names


def _settle(names: list[str]) -> None:
    """Choose what was asked for, and nothing that has gone."""
    chosen = st.session_state.pop(Key.RUNS_WANTED, None)
    if chosen is None:
        chosen = st.session_state.get(Key.RUNS_CHOSEN)
    if chosen is None:
        return
    kept = [name for name in chosen if name in names][:MOST_CHOSEN]
    if kept != st.session_state.get(Key.RUNS_CHOSEN):
        st.session_state[Key.RUNS_CHOSEN] = kept


def _tick(names: list[str]) -> None:
    """The names follow the ticks; those that stay keep their order, and with it their colours."""
    rows = st.session_state[Key.RUNS_TABLE]["selection"]["rows"]
    ticked = [names[row] for row in rows if row < len(names)]
    before = [name for name in st.session_state.get(Key.RUNS_CHOSEN) or () if name in ticked]
    wanted = [*before, *(name for name in ticked if name not in before)]
    if len(wanted) > MOST_CHOSEN:
        st.toast(f"Up to {MOST_CHOSEN} can be compared; the others were left out.")
    st.session_state[Key.RUNS_CHOSEN] = wanted[:MOST_CHOSEN]


def _draw_table(rows: list[Row], chosen: list[str]) -> None:
    names = [row.name for row in rows]
    # Set anew each time: ticks are kept by position, the same names may stand elsewhere now, and a table that the
    # browser has made anew knows of none.
    ticked = sorted(names.index(name) for name in chosen)
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
        alt="Runs and models with their key figures; the list below chooses the same",
    )


def _columns() -> dict[str, Any]:
    column = st.column_config
    percent: dict[str, Any] = {"format": "%.1f %%", "width": 85}
    return {
        "name": column.TextColumn("Name", pinned=True, width=120),
        "state": column.TextColumn("State", width=90, help="Built in are the models that came with SoleScope."),
        "top1": column.NumberColumn(
            "Top-1", help="Share of the test photos for which the first answer is right.", **percent
        ),
        "top3": column.NumberColumn(
            "Top-3", help="Share of the test photos for which one of the first three answers is right.", **percent
        ),
        "ece": column.NumberColumn(
            "Calibration error",
            help="How far stated probabilities are from how often the answers are right; 0 is perfect.",
            format="%.1f %%",
        ),
        "dataset": column.TextColumn("Dataset"),
        "recipe": column.TextColumn("Recipe"),
        "network": column.TextColumn("Network"),
        "train": column.NumberColumn("Photos to learn", help="Photos that it learned from.", format="localized"),
        "test": column.NumberColumn("Test photos", help="Photos kept aside to measure it.", format="localized"),
        "epochs": column.NumberColumn("Epochs", help="How often it has seen every photo that it learns from."),
        "minutes": column.NumberColumn("Minutes", help="Time it has trained.", format="%.1f"),
        "created": column.DatetimeColumn("Started", format="D MMM YYYY, HH:mm", timezone=st.context.timezone or "UTC"),
    }
