"""The section "Compare": two evaluations of the same photos, metric by metric and photo by photo."""

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.comparison import Comparison, same_classes
from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.evaluation.matrix_charts import difference_chart
from sneaker_core.evaluation.metric_text import BASELINE, OTHER_CLASSES, compared_photos_text, key_metrics, verdict
from sneaker_core.evaluation.table_columns import PHOTO_PROPERTIES
from sneaker_core.number_text import counted, percent
from sneaker_core.workspace.paths import workspace
from ui.evaluate import evaluation_metrics_cache
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.loaded_evaluation import LoadedEvaluation, load_evaluation
from ui.evaluate.matrix_display import keep_opacity, matrix_width
from ui.evaluate.prediction_grid import Row, draw_predictions
from ui.kit.address import follow_address, write_choice
from ui.kit.charts import PALETTE, draw_chart
from ui.kit.labels import evaluation_title
from ui.kit.page_frame import draw_finding
from ui.kit.text import escape_markdown, probability_text, truncate

FIXED, BROKEN = "Fixed", "Broken"
_SIGNIFICANCE = (
    "McNemar's test looks at the photos that only one of the two predicts correctly. The p-value is the probability of "
    "a difference at least this large if both were equally good; below 0.05 it is called significant."
)


def draw_compare(loaded: LoadedEvaluation) -> None:
    """Draw the section."""
    other = _choose_other(loaded)
    if other is None:
        return
    # Whichever is open: what is fixed or broken is so in the newer one.
    before, after = sorted((loaded, other), key=lambda one: one.evaluation.created)
    try:
        found = evaluation_metrics_cache.comparison_of(before.key, after.key, before.evaluation, after.evaluation)
    except SneakerError as error:
        st.info(escape_markdown(str(error)), icon=":material/join_inner:")
        return
    names = _names(before, after)
    draw_finding(escape_markdown(verdict(found, *names)), help=_SIGNIFICANCE)
    remarks = [compared_photos_text(found), *([] if same_classes(before.table, after.table) else [OTHER_CLASSES])]
    for remark in remarks:
        st.caption(escape_markdown(remark))
    with st.container(border=True):
        st.table(
            _metrics_table(found, names),
            border="horizontal",
            alt="Key metrics of both evaluations on their shared photos; the better value is bold",
        )
    _draw_difference(loaded, other, found)
    _draw_changed_photos(loaded, found, names)


def _choose_other(loaded: LoadedEvaluation) -> LoadedEvaluation | None:
    others = {
        evaluation_title(one): one
        for one in list_evaluations(workspace())
        if one.is_ready and evaluation_title(one) != evaluation_title(loaded.evaluation)
    }
    if not others:
        st.info(
            "There is no other evaluation to compare with. Evaluate another model on the same photos, or this model "
            "again after you corrected labels.",
            icon=":material/compare_arrows:",
        )
        return None
    follow_address(Key.COMPARE_WITH, Key.COMPARE_WITH, others, noun="evaluation", usual=None)
    name = st.selectbox(
        "Compare with",
        list(others),
        index=None,
        key=Key.COMPARE_WITH,
        placeholder="Choose another evaluation of the same photos",
        width=420,
        on_change=write_choice,
        args=(Key.COMPARE_WITH, Key.COMPARE_WITH),
    )
    return load_evaluation(others[name]) if name in others else None


def _names(before: LoadedEvaluation, after: LoadedEvaluation) -> tuple[str, str]:
    """Names that distinguish the two: those of their models, if they differ."""
    models = before.evaluation.model, after.evaluation.model
    return (
        models if models[0] != models[1] else (evaluation_title(before.evaluation), evaluation_title(after.evaluation))
    )


def _metrics_table(found: Comparison, names: tuple[str, str]) -> pd.DataFrame:
    columns: dict[str, dict[str, str]] = {escape_markdown(name): {} for name in names}
    if len(columns) < 2:
        columns = {f"{number}. {escape_markdown(name)}": {} for number, name in enumerate(names, start=1)}
    for one, two in zip(key_metrics(found.metrics_a), key_metrics(found.metrics_b), strict=True):
        best = (min if one.key == "ece" else max)(one.value, two.value)
        for column, side in zip(columns.values(), (one, two), strict=True):
            is_better = side.value == best and one.value != two.value
            text = f"**{side.value_text}**" if is_better else side.value_text
            column[one.title] = f"{text} :small[:gray[{side.interval_text}]]"
    for column, metrics in zip(columns.values(), (found.metrics_a, found.metrics_b), strict=True):
        column[BASELINE] = percent(metrics["majority"], 1)
    return pd.DataFrame(columns)


def _draw_difference(loaded: LoadedEvaluation, other: LoadedEvaluation, found: Comparison) -> None:
    if not found.difference.to_numpy().any():
        st.markdown("**Both confusion matrices are the same.**")
        return
    rows, columns = list(found.difference.index), list(found.difference.columns)
    width = matrix_width(rows, columns)
    chart = difference_chart(found, PALETTE, width)
    keep_opacity(chart)
    draw_chart(
        chart,
        loaded.widget(Key.DIFFERENCE_CHART, other.widget(Key.COMPARE_WITH)),
        help="Circles are cells with more photos in the newer evaluation, crosses cells with fewer. Blue is an "
        "improvement, orange the opposite.",
        width=width,
    )


def _draw_changed_photos(loaded: LoadedEvaluation, found: Comparison, names: tuple[str, str]) -> None:
    rows = {FIXED: found.fixed, BROKEN: found.broken}
    texts = {
        FIXED: f"wrong in {names[0]}, correct in {names[1]}",
        BROKEN: f"correct in {names[0]}, wrong in {names[1]}",
    }
    which = str(
        st.segmented_control(
            "Photos that changed",
            list(rows),
            default=FIXED if len(found.fixed) or not len(found.broken) else BROKEN,
            required=True,
            format_func=lambda name: f"{name} ({len(rows[name]):,})",
            key=loaded.widget(Key.CHANGED_PHOTOS),
            persist_state="session",
        )
    )
    st.markdown(escape_markdown(f"{counted(len(rows[which]), 'photo')}: {texts[which]}."))
    if len(rows[which]):
        properties = loaded.table.set_index("sample")[list(PHOTO_PROPERTIES)]
        properties = properties[~properties.index.duplicated()]
        draw_predictions(loaded, rows[which].join(properties, on="sample"), f"changed-{which}", _both_predictions)


def _both_predictions(row: Row) -> str:
    """Both predictions for a photo, as markdown."""
    lines = [f"**{escape_markdown(truncate(str(row['label'])))}**"]
    for number, side in ((1, "a"), (2, "b")):
        predicted, confidence = str(row[f"predicted_{side}"]), probability_text(row[f"probability_{side}"])
        mark = ":green[:material/check:]" if predicted == row["label"] else ":red[:material/close:]"
        lines.append(f"{mark} {number}. {escape_markdown(truncate(predicted))} :small[:gray[{confidence}]]")
    return "  \n".join(lines)
