"""The confusion matrix, with the photos behind every cell."""

import zlib

import streamlit as st

from sneaker_core.evaluation.confusion_matrix import ClassOrder, MatrixView, matrix_view, photos_in_cell
from sneaker_core.evaluation.matrix_charts import matrix_chart
from sneaker_core.evaluation.metric_text import pair_text
from sneaker_core.workspace.safe_names import natural_order
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_text import cell_text
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.evaluate.matrix_display import clicked_cell, highlight_cells, keep_opacity, matrix_width
from ui.evaluate.prediction_grid import draw_predictions
from ui.kit.address import follow_address, set_address_values, write_choice
from ui.kit.charts import PALETTE, chart_frame, draw_chart
from ui.kit.page_script import draw_script
from ui.kit.text import escape_markdown, truncate

COUNTS, PERCENTAGES = "Counts", "Percentages"
ORDERS = {
    "Name": ClassOrder.NAME,
    "Number of photos": ClassOrder.SUPPORT,
    "Confused classes together": ClassOrder.CONFUSION,
}
WORST = {"All classes": None, "5 worst": 5, "10 worst": 10, "20 worst": 20}
_PAIRS = 15
# With more columns, the matrix has the full width until a cell is selected.
_SIDE_BY_SIDE = 24
_PAIRS_HEIGHT = 560
# Streamlit stacks columns up to this width.
_PHONE = 640
_ABOUT = (
    "Rows are true classes, columns are predicted classes. Blue cells are correct, orange cells are errors; the deeper "
    "the color, the more photos. Click a cell to see its photos, or select the two classes."
)


def draw_matrix(loaded: LoadedEvaluation) -> bool:
    """Draw the matrix; returns whether a cell, row or column is selected."""
    view = _draw_settings(loaded)
    selected = _selected(loaded)
    is_wide = len(view.values.columns) > _SIDE_BY_SIDE
    if any(selected):
        # Beside the matrix, also beside a wide one, which scrolls sideways then.
        left, right = st.columns([7, 5] if is_wide else [8, 5], gap="medium")
    else:
        left, right = (st.container(), st.container()) if is_wide else st.columns([8, 5], gap="medium")
    with left:
        _draw_chart(loaded, view, selected)
    with right:
        with st.container(key=Key.MATRIX_PHOTOS):
            _draw_photos(loaded)
        _draw_pairs(loaded)
    if any(selected):
        _scroll(loaded, view, selected)
    return any(selected)


def _draw_settings(loaded: LoadedEvaluation) -> MatrixView:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = st.segmented_control(
            "Cells show",
            [COUNTS, PERCENTAGES],
            default=COUNTS,
            required=True,
            key=Key.MATRIX_UNIT,
            persist_state="session",
            help="Number of photos, or percentage of the true class.",
        )
        order = st.selectbox("Order", list(ORDERS), key=Key.MATRIX_ORDER, persist_state="session", width=240)
        worst = st.selectbox("Classes", list(WORST), key=Key.MATRIX_WORST, persist_state="session", width=150)
        errors = st.toggle("Only errors", key=Key.MATRIX_ERRORS, persist_state="session")
    return matrix_view(
        loaded.table, ORDERS[order], normalized=unit == PERCENTAGES, only_errors=bool(errors), worst=WORST[worst]
    )


def _draw_chart(loaded: LoadedEvaluation, view: MatrixView, selected: tuple[str | None, str | None]) -> None:
    width = matrix_width(list(view.values.index), list(view.values.columns))
    chart = matrix_chart(view, PALETTE, width)
    keep_opacity(chart)
    key = loaded.widget(Key.MATRIX_CHART)

    def select_clicked() -> None:
        cell = clicked_cell(key)
        if cell is not None:
            _select(*cell)

    draw_chart(chart, key, help=_ABOUT, width=width, on_select=select_clicked, selection_mode="points")
    highlight_cells(chart, key, *selected)


def _scroll(loaded: LoadedEvaluation, view: MatrixView, selected: tuple[str | None, str | None]) -> None:
    """Bring the selected column of a wide matrix into view and, on a narrow screen, the photos below the matrix."""
    columns = [str(name) for name in view.values.columns]
    share = (columns.index(selected[1]) + 0.5) / len(columns) if selected[1] in columns else 0.0
    frame = chart_frame(loaded.widget(Key.MATRIX_CHART))
    number = zlib.crc32(repr(selected).encode())  # runs again for another cell
    draw_script(
        "matrix",
        f"const frame = document.querySelector('.st-key-{frame}'), cell = {number};"
        f"if (frame) frame.scrollLeft = {share:.4f} * frame.scrollWidth - frame.clientWidth / 2;"
        f"if (!matchMedia('(max-width: {_PHONE}px)').matches) return;"
        # What is above the photos may still grow, so stay with them until the user moves.
        f"const reach = () => document.querySelector('.st-key-{Key.MATRIX_PHOTOS}')?.scrollIntoView();"
        "const page = document.querySelector('[data-testid=stMainBlockContainer]'), watch = new ResizeObserver(reach);"
        "if (page) watch.observe(page);"
        "for (const kind of ['wheel', 'touchstart', 'pointerdown', 'keydown'])"
        " addEventListener(kind, () => watch.disconnect(), {once: true, capture: true});"
        "reach();",
    )


def _draw_pairs(loaded: LoadedEvaluation) -> None:
    confusions = loaded.metrics["confusions"]
    st.markdown(
        "**Most common errors**" if confusions else "**No photo was misclassified.**",
        help="Click an error to see its photos.",
    )
    with st.container(height=_PAIRS_HEIGHT if len(confusions) > _PAIRS else "content", border=False, gap=None):
        for number, row in enumerate(confusions[: 2 * _PAIRS]):
            st.button(
                escape_markdown(pair_text(row)),
                key=Key.MATRIX_PAIR.of(str(number)),
                type="tertiary",
                on_click=_select,
                args=(row["label"], row["predicted"]),
            )


def _select(label: str | None, predicted: str | None) -> None:
    set_address_values({Key.MATRIX_TRUE: label, Key.MATRIX_PREDICTED: predicted})


def _classes(loaded: LoadedEvaluation) -> tuple[list[str], list[str]]:
    """All true and all predicted classes of the matrix."""
    labels = sorted(loaded.metrics["per_class"], key=natural_order)
    predicted = (str(row["predicted"]) for row in loaded.metrics["confusions"])
    return labels, sorted({*labels, *predicted}, key=natural_order)


def _selected(loaded: LoadedEvaluation) -> tuple[str | None, str | None]:
    """The selected classes, before their select boxes are drawn."""
    found = []
    for key, names in zip((Key.MATRIX_TRUE, Key.MATRIX_PREDICTED), _classes(loaded), strict=True):
        follow_address(key, key, names, noun="class", usual=None)
        found.append(st.session_state[key])
    return found[0], found[1]


def _draw_photos(loaded: LoadedEvaluation) -> None:
    labels, names = _classes(loaded)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label, predicted = (
            st.selectbox(
                title,
                options,
                index=None,
                key=key,
                placeholder="Any",
                width="stretch",
                on_change=write_choice,
                args=(key, key),
            )
            for title, options, key in (
                ("True class", labels, Key.MATRIX_TRUE),
                ("Predicted class", names, Key.MATRIX_PREDICTED),
            )
        )
        if label or predicted:
            st.button(
                "Clear selection",
                key=Key.MATRIX_CLEAR,
                type="tertiary",
                icon=":material/close:",
                on_click=_select,
                args=(None, None),
            )
    if not label and not predicted:
        st.caption("Click a cell, or select classes here, to see the photos that it counts.")
        return
    rows = photos_in_cell(loaded.table, label, predicted)
    of = int(loaded.metrics["per_class"][label]["n"]) if label else 0
    escaped = [escape_markdown(truncate(name)) if name else None for name in (label, predicted)]
    st.markdown(f"**{cell_text(len(rows), of, escaped[0], escaped[1])}**")
    if len(rows):
        draw_predictions(loaded, rows, "matrix")
