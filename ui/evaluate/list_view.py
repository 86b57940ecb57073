"""The part "All evaluations": what there is, to choose from."""

import pandas as pd
import streamlit as st

from sneaker_core.evaluation.evaluation_collection import Evaluation
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import KINDS, SPLITS, shown_name, state_words
from ui.evaluate.evaluation_picker import go_to

_ROW, _MOST_HEIGHT = 35, 560


def draw_listing(there: list[Evaluation], first_view: str) -> None:
    """Draw the part.

    Parameters
    ----------
    there : list of Evaluation
        All there are.
    first_view : str
        Where a chosen evaluation is shown.
    """
    st.markdown("**Tick one to open it.** Renaming, deleting and the bin are behind “More” above.")

    def chosen() -> None:
        rows = st.session_state[Key.EVALUATION_LIST]["selection"]["rows"]
        if rows and rows[0] < len(there):
            go_to(there[rows[0]], first_view)

    column = st.column_config
    st.dataframe(
        pd.DataFrame([_row(one) for one in there]),
        key=Key.EVALUATION_LIST,
        hide_index=True,
        on_select=chosen,
        selection_mode="single-row",
        height=min(_ROW * (len(there) + 1) + 3, _MOST_HEIGHT),
        column_config={
            "name": column.TextColumn("Name", pinned=True, width=220),
            "top1": column.NumberColumn("Top-1", format="%.1f %%", width=80, help="Share answered right."),
            "n": column.NumberColumn("Photos", format="localized", width=80),
            "state": column.TextColumn("State", width=90),
            "kind": column.TextColumn("Where from"),
            "model": column.TextColumn("Model"),
            "data": column.TextColumn("Photos of"),
            "split": column.TextColumn("Which of them"),
            "created": column.DatetimeColumn("Made", format="D MMM YYYY, HH:mm", timezone=st.context.timezone or "UTC"),
        },
        alt="All evaluations with model, photos and share answered right; the box above chooses the same",
    )


def _row(one: Evaluation) -> dict[str, object]:
    return {
        "name": shown_name(one),
        "top1": 100 * one.top1,
        "n": one.n if one.is_ready else None,
        "state": state_words(one),
        "kind": KINDS[one.kind],
        "model": one.model,
        "data": one.data,
        "split": SPLITS.get(one.split, one.split),
        "created": pd.Timestamp(one.created, unit="s", tz="UTC") if one.created else None,
    }
