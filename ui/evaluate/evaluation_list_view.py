"""The section "All evaluations": a table to choose from."""

import pandas as pd
import streamlit as st

from sneaker_core.evaluation.evaluation_record import Evaluation
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_picker import go_to
from ui.evaluate.evaluation_text import SPLITS, source_text, state_text
from ui.kit.labels import evaluation_title

_ROW_HEIGHT, _MOST_HEIGHT = 35, 560


def draw_evaluations(evaluations: list[Evaluation], first_section: str) -> None:
    """Draw the section.

    Parameters
    ----------
    evaluations : list of Evaluation
        All of them.
    first_section : str
        Section that shows a selected evaluation.
    """
    st.markdown("**Select a row to open an evaluation.** Rename, delete and restore evaluations in the “More” menu.")

    def open_selected() -> None:
        rows = st.session_state[Key.LIST]["selection"]["rows"]
        if rows and rows[0] < len(evaluations):
            go_to(evaluations[rows[0]], first_section)

    column = st.column_config
    st.dataframe(
        pd.DataFrame([_row(one) for one in evaluations]),
        key=Key.LIST,
        hide_index=True,
        on_select=open_selected,
        selection_mode="single-row",
        height=min(_ROW_HEIGHT * (len(evaluations) + 1) + 3, _MOST_HEIGHT),
        column_config={
            "name": column.TextColumn("Name", pinned=True, width=220),
            "top1": column.NumberColumn("Accuracy", format="%.1f%%", width=90, help="Top-1 accuracy."),
            "n": column.NumberColumn("Photos", format="localized", width=80),
            "state": column.TextColumn("State", width=90),
            "kind": column.TextColumn("Source"),
            "model": column.TextColumn("Model"),
            "data": column.TextColumn("Dataset"),
            "split": column.TextColumn("Split"),
            "created": column.DatetimeColumn(
                "Created", format="D MMM YYYY, HH:mm", timezone=st.context.timezone or "UTC"
            ),
        },
        alt="All evaluations with model, photos and accuracy; the selection box above lists the same evaluations",
    )


def _row(one: Evaluation) -> dict[str, object]:
    return {
        "name": evaluation_title(one),
        "top1": 100 * one.accuracy,
        "n": one.n if one.is_ready else None,
        "state": state_text(one),
        "kind": source_text(one),
        "model": one.model,
        "data": one.data,
        "split": SPLITS.get(one.split, one.split),
        "created": pd.Timestamp(one.created, unit="s", tz="UTC") if one.created else None,
    }
