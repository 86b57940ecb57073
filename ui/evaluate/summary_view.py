"""The part "Headline": the key figures, each in a plain sentence, and what they do not count."""

import streamlit as st

from sneaker_core.evaluation.evaluation_collection import Kind
from sneaker_core.evaluation.html_report import report_html
from sneaker_core.evaluation.metric_text import key_metrics
from sneaker_core.number_text import percent
from ui.evaluate.evaluate_keys import Key
from ui.evaluate.evaluation_labels import judged_words, unknown_classes, unreadable
from ui.evaluate.opened_evaluation import Opened
from ui.kit.moments import moment
from ui.kit.text import plain

_INTERVAL = (
    "How far the figure may be off by the luck of which photos were taken: had others been taken, it would lie in "
    "this range 95 times in 100 (bootstrap over photos)."
)

_BELOW = (
    "This figure lies below its range: chance alone adds to such an error, and samples drawn from the sample have more "
    "of it. What is true is rather at the lower end."
)


def draw_headline(opened: Opened) -> None:
    """Draw the part."""
    evaluation, figures = opened.evaluation, opened.figures
    st.subheader(plain(_finding(figures["top1"], figures["majority"])), anchor=False)
    when = f", {moment(evaluation.created)}" if evaluation.created else ""
    st.markdown(
        f"**{plain(evaluation.model)}** on **{plain(evaluation.data or 'its photos')}**: "
        f"{plain(judged_words(evaluation))}{when}."
    )
    with st.grid(3, min_column_width=250):
        for one in key_metrics(figures):
            with st.container(border=True, gap="xsmall", height="stretch"):
                st.metric(one.title, one.value_text)
                below = f" {_BELOW}" if one.value < one.low else ""
                st.caption(f"95% interval {one.interval_text}", help=f"{_INTERVAL}{below}")
                st.markdown(plain(one.description))
        with st.container(border=True, gap="xsmall", height="stretch"):
            st.metric("Baseline", percent(figures["majority"], 1))
            st.caption("What takes no skill at all")
            st.markdown("So often is right who always names the commonest class without looking.")
    if figures["refused"] > 0:
        st.caption(f"{percent(figures['refused'])} of the photos got the answer “not a sneaker I know”.")
    _draw_notices(opened)
    _draw_report(opened)


def _finding(top1: float, majority: float) -> str:
    if top1 <= majority:
        return f"Right in {percent(top1)}: no better than always naming the commonest class"
    return f"Right in {percent(top1)} of the photos"


def _draw_notices(opened: Opened) -> None:
    left_out, rejected = opened.figures["left_out"], opened.evaluation.rejected
    if left_out:
        st.warning(plain(unknown_classes(left_out)), icon=":material/help:")
    if rejected:
        st.warning(plain(unreadable(rejected)), icon=":material/broken_image:")
    if not opened.has_photos:
        whose = (
            "The photos that this model was tested with are not distributed"
            if opened.evaluation.kind is Kind.BUNDLED
            else "The photos of this evaluation are not on this machine"
        )
        st.info(
            f"{whose}, so you see their facts instead. Evaluate the model on photos of your own to see its mistakes.",
            icon=":material/image_not_supported:",
        )


def _draw_report(opened: Opened) -> None:
    def made() -> str:
        return report_html(opened.evaluation, opened.table)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Save the report (HTML)",
            made,
            f"{opened.evaluation.name} report.html",
            "text/html",
            key=opened.widget(Key.EVALUATION_REPORT),
            icon=":material/description:",
            on_click="ignore",
            help="One file with all figures to explore and small pictures of mistakes. It opens anywhere, offline too.",
        )
        st.caption("Made when you press it; with many photos that takes a few seconds.", width="content")
