"""The part "Compare": another evaluation of the same photos beside this one, photo by photo."""

from typing import Any

import pandas as pd
import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.comparison import Comparison, same_classes
from sneaker_core.evaluation.evaluation_collection import list_evaluations
from sneaker_core.evaluation.matrix_charts import difference_chart
from sneaker_core.evaluation.metric_text import key_metrics, unmatched_text, verdict
from sneaker_core.number_text import percent
from sneaker_core.workspace.paths import workspace
from ui.evaluate import figures_cache
from ui.evaluate.chart_frames import draw_chart, matrix_width, without_fading
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import shown_name
from ui.evaluate.mistake_grid import Row, draw_tiles
from ui.evaluate.opened_evaluation import Opened, open_evaluation
from ui.kit.charts import PALETTE
from ui.kit.photo_grid import cut
from ui.kit.quantities import counted_photos
from ui.kit.text import plain

FIXED, BROKEN = "Fixed", "Broken"
_LUCK = (
    "McNemar's test looks at the photos that only one of the two has right. p says how often so uneven a result would "
    "come by luck alone, were both equally good; below 0.05 it is taken for more than luck."
)


def draw_compare(opened: Opened) -> None:
    """Draw the part."""
    other = _choose(opened)
    if other is None:
        return
    try:
        found = figures_cache.comparison_of(opened.key, other.key, opened.evaluation, other.evaluation)
    except SneakerError as error:
        st.info(plain(str(error)), icon=":material/join_inner:")
        return
    names = _names(opened, other)
    st.subheader(plain(verdict(found, *names)), anchor=False, help=_LUCK)
    for remark in (unmatched_text(found), None if same_classes(opened.table, other.table) else _OTHER_CLASSES):
        if remark:
            st.caption(plain(remark))
    with st.container(border=True):
        st.table(
            _side_by_side(found, names),
            border="horizontal",
            alt="Key figures of both on the photos that both judged; the better of each in bold",
        )
    _draw_difference(opened, other, found)
    _draw_changed(opened, found, names)


_OTHER_CLASSES = "The two models were not taught the same classes, so one of them had the harder choice."


def _choose(opened: Opened) -> Opened | None:
    others = {
        shown_name(one): one
        for one in list_evaluations(workspace())
        if one.is_ready and shown_name(one) != shown_name(opened.evaluation)
    }
    if not others:
        st.info(
            "There is no other evaluation to compare with. Evaluate another model on the same photos, or this one "
            "again after labels were mended.",
            icon=":material/compare_arrows:",
        )
        return None
    if st.session_state.get(Key.AGAINST) not in (None, *others):
        st.session_state[Key.AGAINST] = None
    name = st.selectbox(
        "Compare with",
        list(others),
        index=None,
        key=Key.AGAINST,
        placeholder="Choose another evaluation of the same photos",
        bind="query-params",
        width=420,
    )
    return open_evaluation(others[name]) if name in others else None


def _names(opened: Opened, other: Opened) -> tuple[str, str]:
    """What to call the two: by their models, where these differ."""
    models = opened.evaluation.model, other.evaluation.model
    return models if models[0] != models[1] else (shown_name(opened.evaluation), shown_name(other.evaluation))


def _side_by_side(found: Comparison, names: tuple[str, str]) -> pd.DataFrame:
    rows: dict[str, dict[str, str]] = {plain(name): {} for name in names}
    if len(rows) < 2:
        rows = {f"1. {plain(names[0])}": {}, f"2. {plain(names[1])}": {}}
    for one, two in zip(key_metrics(found.metrics_a), key_metrics(found.metrics_b), strict=True):
        best = (min if one.key == "ece" else max)(one.value, two.value)
        for told, side in zip(rows.values(), (one, two), strict=True):
            shown = f"**{side.value_text}**" if side.value == best and one.value != two.value else side.value_text
            told[one.title] = f"{shown} :small[:gray[{side.interval_text}]]"
    for told, figures in zip(rows.values(), (found.metrics_a, found.metrics_b), strict=True):
        told["Baseline"] = percent(figures["majority"])
    return pd.DataFrame(rows)


def _draw_difference(opened: Opened, other: Opened, found: Comparison) -> None:
    if not found.difference.to_numpy().any():
        st.markdown("**Both give the same answers**, class by class.")
        return
    rows, columns = list(found.difference.index), list(found.difference.columns)
    width = matrix_width(rows, columns)
    chart = difference_chart(found, PALETTE, width)
    without_fading(chart)
    draw_chart(
        chart,
        Key.DIFFERENCE_CHART.of(f"{opened.evaluation.name}-{other.evaluation.name}"),
        "Circles stand for more photos in a cell with the second, crosses for fewer. Blue is to the better, orange to "
        "the worse.",
        width=width,
    )


def _draw_changed(opened: Opened, found: Comparison, names: tuple[str, str]) -> None:
    rows = {FIXED: found.fixed, BROKEN: found.broken}
    said = {
        FIXED: f"that {names[0]} has wrong and {names[1]} right",
        BROKEN: f"that {names[0]} has right and {names[1]} wrong",
    }
    which = str(
        st.segmented_control(
            "Photos that changed",
            list(rows),
            default=FIXED if len(found.fixed) or not len(found.broken) else BROKEN,
            required=True,
            format_func=lambda name: f"{name} · {len(rows[name]):,}",
            key=opened.widget(Key.CHANGED),
        )
    )
    st.markdown(plain(f"{counted_photos(len(rows[which]))} {said[which]}."))
    if len(rows[which]):
        facts = opened.table.set_index("sample")[["width", "height", "brightness", "sharpness"]]
        facts = facts[~facts.index.duplicated()]
        draw_tiles(opened, rows[which].join(facts, on="sample"), f"changed-{which}", _both_said)


def _both_said(row: Row) -> str:
    """What either said of a photo, as markdown."""
    lines = [f"**{plain(cut(str(row['label'])))}**"]
    for number, side in ((1, "a"), (2, "b")):
        told: Any = row[f"predicted_{side}"]
        mark = ":green[:material/check:]" if told == row["label"] else ":red[:material/close:]"
        lines.append(f"{mark} {number}. {plain(cut(str(told)))} :small[:gray[{percent(row[f'probability_{side}'])}]]")
    return "  \n".join(lines)
