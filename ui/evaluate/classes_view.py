"""The part "Classes": how well each class is told from the others."""

import pandas as pd
import streamlit as st

from sneaker_core.evaluation.evaluation_charts import class_bars
from ui.evaluate.chart_frames import draw_chart
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.opened_evaluation import Opened
from ui.kit.charts import PALETTE

FIGURES = {"Recognised (recall)": "recall", "Meant what it said (precision)": "precision", "Both at once (F1)": "f1"}
_ABOUT = {
    "recall": "Recall: of the photos of a class, the share that is recognised.",
    "precision": "Precision: of the photos that are taken for a class, the share that truly is of it.",
    "f1": "F1 is high only when recall and precision both are (their harmonic mean).",
}
_ROW, _MOST_HEIGHT = 35, 840


def draw_classes(opened: Opened) -> None:
    """Draw the part."""
    per_class = opened.figures["per_class"]
    chosen = st.segmented_control(
        "How well",
        list(FIGURES),
        default=next(iter(FIGURES)),
        required=True,
        key=Key.CLASS_FIGURE,
        persist_state="session",
        wrap=True,
    )
    key = FIGURES[str(chosen)]
    left, right = st.columns(2, gap="medium")
    with left:
        draw_chart(class_bars(per_class, key, PALETTE), opened.widget(Key.CLASS_CHART), _ABOUT[key])
    with right:
        _draw_table(opened, per_class, key)


def _draw_table(opened: Opened, per_class: dict[str, dict[str, float]], key: str) -> None:
    rows = [
        {"class": label, **{name: 100 * row[name] for name in ("recall", "precision", "f1")}, "n": int(row["n"])}
        for label, row in per_class.items()
    ]
    table = pd.DataFrame(rows).sort_values([key, "class"], kind="stable", ignore_index=True)
    column = st.column_config
    names = {"recall": "Recall", "precision": "Precision", "f1": "F1"}
    figures = {
        name: (
            column.ProgressColumn(title, help=_ABOUT[name], format="%.1f %%", min_value=0, max_value=100)
            if name == key
            else column.NumberColumn(title, help=_ABOUT[name], format="%.1f %%", width=90)
        )
        for name, title in names.items()
    }
    st.markdown("**Every class in figures**", help="Click the head of a column to sort by it.")
    st.dataframe(
        table,
        key=opened.widget(Key.CLASS_TABLE),
        hide_index=True,
        height=min(_ROW * (len(table) + 1) + 3, _MOST_HEIGHT),
        column_order=["class", key, *(name for name in names if name != key), "n"],
        column_config={
            "class": column.TextColumn("Class", pinned=True, width=140),
            **figures,
            "n": column.NumberColumn("Photos", help="Photos of the class that were judged.", width=70),
        },
        alt="Recall, precision, F1 and number of photos of every class",
    )
