"""Files that were not imported, with the reasons."""

import pandas as pd
import streamlit as st

from sneaker_core.csv_cells import escape_formula
from sneaker_core.datasets.index import Dataset
from sneaker_core.number_text import counted
from ui.datasets import dataset_details_cache
from ui.datasets.datasets_keys import Key
from ui.kit import dataset_cache


def draw_rejects(dataset: Dataset) -> None:
    """Draw how many files were not imported, and the list of them on request.

    Parameters
    ----------
    dataset : Dataset
    """
    rejects = dataset_details_cache.dataset_rejects(dataset_cache.review_key(dataset))
    if rejects.empty:
        return
    reasons = counted(rejects["reason"].nunique(), "reason")
    were = "was" if len(rejects) == 1 else "were"
    with st.container(border=True):
        st.markdown(f":material/broken_image: **{counted(len(rejects), 'file')} {were} not imported**, for {reasons}")
        st.caption("The original files are unchanged.")
        if not st.toggle("Show files", key=Key.REJECTS, persist_state="session"):
            return
        table = rejects[["name", "reason", "source"]]
        st.dataframe(
            table,
            hide_index=True,
            column_config={"name": "File", "reason": "Reason", "source": "Source"},
            alt="Files that were not imported, with reasons",
        )
        st.download_button(
            "Download CSV",
            lambda: safe_csv(table),
            "files-not-imported.csv",
            "text/csv",
            key=Key.REJECTS_CSV,
            on_click="ignore",
            icon=":material/download:",
        )


def safe_csv(table: pd.DataFrame) -> bytes:
    """A table of texts as CSV in UTF-8, safe to open in a spreadsheet."""
    return table.map(lambda cell: escape_formula(str(cell))).to_csv(index=False).encode()
