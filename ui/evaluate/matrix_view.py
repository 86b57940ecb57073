"""The part "Matrix": what is taken for what, and the photos behind every cell."""

import streamlit as st

from sneaker_core.datasets.safe_names import natural_order
from sneaker_core.evaluation.confusion_matrix import ClassOrder, MatrixView, matrix_view, photos_in_cell
from sneaker_core.evaluation.matrix_charts import matrix_chart
from sneaker_core.evaluation.metric_text import pair_text
from ui.evaluate.chart_frames import clicked_cell, draw_chart, frame_cells, matrix_width, without_fading
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import cell_words
from ui.evaluate.mistake_grid import draw_tiles
from ui.evaluate.opened_evaluation import Opened
from ui.kit.charts import PALETTE
from ui.kit.photo_grid import cut
from ui.kit.text import plain

COUNTS, SHARES = "Photos", "Shares"
ORDERS = {
    "Name": ClassOrder.NAME,
    "Number of photos": ClassOrder.SUPPORT,
    "Confused classes together": ClassOrder.CONFUSION,
}
WORST = {"All classes": None, "The 5 worst": 5, "The 10 worst": 10, "The 20 worst": 20}
_PAIRS = 15
_SIDE_BY_SIDE = 24
_PAIRS_HEIGHT = 560


def draw_matrix(opened: Opened) -> None:
    """Draw the part."""
    shown = _draw_settings(opened)
    confusions = opened.figures["confusions"]
    if len(shown.values.columns) <= _SIDE_BY_SIDE:
        left, right = st.columns([8, 4], gap="medium")
    else:
        left, right = st.container(), st.container()
    label, predicted = _chosen(opened)
    with left:
        _draw_figure(opened, shown, label, predicted)
    with right:
        st.markdown(
            "**Most confused pairs**" if confusions else "**No photo was taken for another class.**",
            help="A click opens their photos, like a click on the cell.",
        )
        with st.container(height=_PAIRS_HEIGHT if len(confusions) > _PAIRS else "content", border=False, gap=None):
            for number, row in enumerate(confusions[: 2 * _PAIRS]):
                st.button(
                    plain(pair_text(row)),
                    key=Key.MATRIX_PAIR.of(str(number)),
                    type="tertiary",
                    on_click=_choose,
                    args=(row["label"], row["predicted"]),
                )
    _draw_photos(opened)


def _draw_settings(opened: Opened) -> MatrixView:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        unit = st.segmented_control(
            "Cells show",
            [COUNTS, SHARES],
            default=COUNTS,
            required=True,
            key=Key.MATRIX_SHARE,
            persist_state="session",
            help="Photos, or the share of the photos of the true class in percent.",
        )
        order = st.selectbox("Order", list(ORDERS), key=Key.MATRIX_ORDER, persist_state="session", width=230)
        worst = st.selectbox("Classes", list(WORST), key=Key.MATRIX_WORST, persist_state="session", width=150)
        errors = st.toggle("Only errors", key=Key.MATRIX_ERRORS, persist_state="session")
    return matrix_view(
        opened.table, ORDERS[order], normalized=unit == SHARES, only_errors=bool(errors), worst=WORST[worst]
    )


def _draw_figure(opened: Opened, shown: MatrixView, label: str | None, predicted: str | None) -> None:
    width = matrix_width(list(shown.values.index), list(shown.values.columns))
    chart = matrix_chart(shown, PALETTE, width)
    without_fading(chart)
    key = opened.widget(Key.MATRIX_CHART)

    def clicked() -> None:
        cell = clicked_cell(key)
        if cell is not None:
            _choose(*cell)

    draw_chart(
        chart,
        key,
        "A row is what photos truly show, a column what was said of them. Blue is right, orange is wrong; the fuller "
        "the colour, the more photos. Click a cell to see its photos, or choose the two classes below.",
        width=width,
        on_select=clicked,
        selection_mode="points",
    )
    frame_cells(chart, width, label, predicted)


def _choose(label: str | None, predicted: str | None) -> None:
    st.session_state[Key.MATRIX_TRUE] = label
    st.session_state[Key.MATRIX_PREDICTED] = predicted


def _classes(opened: Opened) -> tuple[list[str], list[str]]:
    """The true classes, and all that may be said, as the matrix of all photos has them."""
    labels = sorted(opened.figures["per_class"], key=natural_order)
    predicted = (str(row["predicted"]) for row in opened.figures["confusions"])
    return labels, sorted({*labels, *predicted}, key=natural_order)


def _chosen(opened: Opened) -> tuple[str | None, str | None]:
    """The classes that are chosen; known before the boxes are drawn underneath."""
    found = []
    for key, names in zip((Key.MATRIX_TRUE, Key.MATRIX_PREDICTED), _classes(opened), strict=True):
        chosen = st.session_state.get(key, st.query_params.get(key))
        if key in st.session_state and chosen not in (None, *names):
            # It is of another evaluation.
            st.session_state[key] = None
        found.append(chosen if chosen in names else None)
    return found[0], found[1]


def _draw_photos(opened: Opened) -> None:
    labels, names = _classes(opened)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "True class",
            labels,
            index=None,
            key=Key.MATRIX_TRUE,
            placeholder="Any",
            bind="query-params",
            width=280,
        )
        predicted = st.selectbox(
            "Taken for",
            names,
            index=None,
            key=Key.MATRIX_PREDICTED,
            placeholder="Any",
            bind="query-params",
            width=280,
        )
        if label or predicted:
            st.button(
                "Choose none",
                key=Key.MATRIX_CLEAR,
                type="tertiary",
                icon=":material/close:",
                on_click=_choose,
                args=(None, None),
            )
    if not label and not predicted:
        st.caption("Click a cell above, or choose classes here, to see the very photos that it counts.")
        return
    rows = photos_in_cell(opened.table, label, predicted)
    of = int(opened.figures["per_class"][label]["n"]) if label else 0
    safe = [plain(cut(name)) if name else None for name in (label, predicted)]
    st.markdown(f"**{cell_words(len(rows), of, safe[0], safe[1])}**")
    if len(rows):
        draw_tiles(opened, rows, "matrix")
