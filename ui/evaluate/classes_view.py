"""Precision, recall and F1 of each class."""

import pandas as pd
import streamlit as st

from sneaker_core.evaluation.evaluation_charts import METRIC_TITLES, class_bars
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.kit.charts import PALETTE, draw_chart

METRICS = {title: key for key, title in METRIC_TITLES.items()}
_ABOUT = {
    "recall": "Recall: the share of a class's photos that are predicted correctly.",
    "precision": "Precision: of the photos predicted as a class, the share that belong to it.",
    "f1": "F1 score: the harmonic mean of precision and recall. It is high only if both are.",
}
_ROW_HEIGHT, _MOST_HEIGHT = 35, 840


def draw_classes(loaded: LoadedEvaluation) -> None:
    """Draw this part of the page."""
    per_class = loaded.metrics["per_class"]
    chosen = st.segmented_control(
        "Metric",
        list(METRICS),
        default=next(iter(METRICS)),
        required=True,
        key=Key.CLASS_METRIC,
        persist_state="session",
        wrap=True,
    )
    key = METRICS[str(chosen)]
    left, right = st.columns(2, gap="medium")
    with left:
        draw_chart(class_bars(per_class, key, PALETTE), loaded.widget(Key.CLASS_CHART), help=_ABOUT[key])
    with right:
        _draw_table(loaded, per_class, key)


def _draw_table(loaded: LoadedEvaluation, per_class: dict[str, dict[str, float]], key: str) -> None:
    rows = [
        {"class": label, **{name: 100 * row[name] for name in METRIC_TITLES}, "n": int(row["n"])}
        for label, row in per_class.items()
    ]
    table = pd.DataFrame(rows).sort_values([key, "class"], kind="stable", ignore_index=True)
    column = st.column_config
    metrics = {
        name: (
            column.ProgressColumn(title, help=_ABOUT[name], format="%.1f%%", min_value=0, max_value=100)
            if name == key
            else column.NumberColumn(title, help=_ABOUT[name], format="%.1f%%", width=90)
        )
        for name, title in METRIC_TITLES.items()
    }
    st.markdown("**All classes**", help="Click a column header to sort.")
    st.dataframe(
        table,
        key=loaded.widget(Key.CLASS_TABLE),
        hide_index=True,
        height=min(_ROW_HEIGHT * (len(table) + 1) + 3, _MOST_HEIGHT),
        column_order=["class", key, *(name for name in METRIC_TITLES if name != key), "n"],
        column_config={
            "class": column.TextColumn("Class", pinned=True, width=140),
            **metrics,
            "n": column.NumberColumn("Photos", help="Evaluated photos of the class.", width=70),
        },
        alt="Recall, precision, F1 score and number of photos of every class",
    )
