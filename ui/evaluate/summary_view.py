"""The section "Summary": the key metrics with their meaning, and the photos they leave out."""

import streamlit as st

from sneaker_core.evaluation.evaluation_record import Kind
from sneaker_core.evaluation.html_report import report_html
from sneaker_core.evaluation.metric_text import (
    BASELINE,
    BASELINE_DESCRIPTION,
    headline,
    key_metrics,
    near_class_lines,
    renamed_class_lines,
    use_lines,
)
from sneaker_core.evaluation.table_columns import class_columns
from sneaker_core.number_text import percent
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_text import photos_text, unknown_classes_text, unreadable_text
from ui.evaluate.loaded_evaluation import LoadedEvaluation
from ui.kit.page_frame import draw_finding
from ui.kit.text import escape_markdown, timestamp_text

_INTERVAL = (
    "95% confidence interval: the range that likely contains the true value. The more photos are evaluated, the "
    "narrower it is (bootstrap over photos)."
)
_BELOW_INTERVAL = (
    " Here the value is below its interval because resampling inflates the calibration error. The true value is likely "
    "near the lower end."
)


def draw_summary(loaded: LoadedEvaluation) -> None:
    """Draw the section."""
    evaluation, metrics = loaded.evaluation, loaded.metrics
    draw_finding(escape_markdown(headline(metrics)))
    when = f", {timestamp_text(evaluation.created)}" if evaluation.created else ""
    st.markdown(
        f"**{escape_markdown(evaluation.model)}** on **{escape_markdown(evaluation.data or 'its photos')}**: "
        f"{escape_markdown(photos_text(evaluation))}{when}."
    )
    for line in use_lines(metrics):
        st.info(escape_markdown(line), icon=":material/school:")
    with st.grid(3, min_column_width=250):
        for one in key_metrics(metrics):
            with st.container(border=True, gap="xsmall", height="stretch"):
                st.metric(one.title, one.value_text)
                below = _BELOW_INTERVAL if one.value < one.low else ""
                st.caption(f"95% interval {one.interval_text}", help=f"{_INTERVAL}{below}")
                st.markdown(escape_markdown(one.description))
        with st.container(border=True, gap="xsmall", height="stretch"):
            st.metric(BASELINE, percent(metrics["majority"], 1))
            st.caption("For comparison")
            st.markdown(BASELINE_DESCRIPTION)
    if metrics["refused"] > 0:
        st.caption(f"The model answered “unknown” for {percent(metrics['refused'])} of the photos.")
    _draw_notices(loaded)
    _draw_report(loaded)


def _draw_notices(loaded: LoadedEvaluation) -> None:
    left_out, rejected = loaded.metrics["left_out"], loaded.evaluation.rejected
    if left_out:
        offer = near_class_lines(loaded.metrics, class_columns(loaded.table))
        text = " ".join([unknown_classes_text(left_out), *offer])
        st.warning(escape_markdown(text), icon=":material/help:")
    for line in renamed_class_lines(loaded.evaluation.renamed):
        st.caption(escape_markdown(f"{line}."))
    if rejected:
        st.warning(escape_markdown(unreadable_text(rejected)), icon=":material/broken_image:")
    if not loaded.has_photos:
        missing = (
            "The test photos of this model are not included"
            if loaded.evaluation.kind is Kind.BUNDLED
            else "The photos of this evaluation are not on this computer"
        )
        st.info(
            f"{missing}, so only their properties are shown. To see the model’s mistakes, evaluate it on your own "
            "photos.",
            icon=":material/image_not_supported:",
        )


def _draw_report(loaded: LoadedEvaluation) -> None:
    def report() -> str:
        return report_html(loaded.evaluation, loaded.table)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download report (HTML)",
            report,
            f"{loaded.evaluation.name} report.html",
            "text/html",
            key=loaded.widget(Key.REPORT),
            icon=":material/description:",
            on_click="ignore",
            help="One file with interactive charts and thumbnails of the mistakes. It works offline.",
        )
        st.caption("Created when you click; this takes a few seconds if there are many photos.", width="content")
