"""How much a map is worth: two checks, made on request and beside the page."""

import streamlit as st

from sneaker_core.inference.explanation.explanation_request import Question
from sneaker_core.inference.explanation.sanity_checks import Trust
from ui.explain import sanity_cache
from ui.explain.explain_keys import Key
from ui.explain.sanity_cache import SanityCheck
from ui.explain.sanity_charts import deletion_chart, insertion_chart, sanity_chart
from ui.kit.charts import Chart
from ui.kit.model_cache import ModelKey
from ui.kit.photo_files import Photo
from ui.kit.text import plain

_LOOK_EVERY = 1.0


def draw_honesty(key: ModelKey, photo: Photo, question: Question) -> None:
    """Draw the box; nothing is worked out before somebody asks.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    question : Question
        With its target.

    Raises
    ------
    SneakerError
        Too much is being checked already, or it failed.
    """
    with st.container(border=True):
        st.markdown(":material/balance: **How far can this map be trusted?**")
        st.markdown(
            "A map always looks convincing. Two checks say whether this one is: a network whose knowledge was shuffled "
            "away must give *another* map, and covering what the map marks must hurt the answer *more* than covering "
            "places at random."
        )
        if not st.toggle(
            "Check this map",
            key=Key.EXPLAIN_TRUST,
            persist_state="page",
            help="The network is asked a few hundred times, which takes some seconds. Each map is checked once, for "
            "everybody.",
        ):
            return
        found = sanity_cache.sanity_check(key, photo, question)
        if found.future.done():
            _draw(found.future.result())
        else:
            _follow(found)


@st.fragment(run_every=_LOOK_EVERY)
def _follow(found: SanityCheck) -> None:
    """Look how far it is; the page runs anew, once, when it is done."""
    if found.future.done():
        st.rerun()
    words = "Checking the map" if found.share else "Waiting for its turn: other photos go first"
    st.progress(found.share, text=f"{words}…")


def _draw(trust: Trust) -> None:
    sanity, curves = trust.sanity, trust.curves
    passed = sanity.passed, all(curves.better)
    with st.container(horizontal=True):
        for ok, good, bad in (
            (passed[0], "follows from what was learnt", "says little about what was learnt"),
            (passed[1], "marks what matters", "marks what matters only in part"),
        ):
            if not ok and good == "marks what matters" and not any(curves.better):
                bad = "marks what does not matter"
            st.badge(good if ok else bad, icon=_icon(ok), color="green" if ok else "orange")
    for sentence in trust.sentences:
        st.markdown(f"- {plain(sentence)}")
    with st.grid(3, min_column_width=270, gap="medium"):
        _draw_chart(
            sanity_chart(sanity),
            "sanity",
            "The weights of the last layer, of half of the layers and of all are shuffled, and the photo is explained "
            "again. Agreement is a rank correlation: 1 the same map, 0 nothing in common. Low is good.",
        )
        _draw_chart(
            deletion_chart(curves),
            "deletion",
            "Squares of the photo are covered with grey, those that the map marks most first. The faster the line "
            "falls below that of a random order, the better.",
        )
        _draw_chart(
            insertion_chart(curves),
            "insertion",
            "The photo begins as a blur, and squares are made sharp, those that the map marks most first. The faster "
            "the line rises above that of a random order, the better.",
        )


def _icon(ok: bool) -> str:
    return ":material/check_circle:" if ok else ":material/warning:"


def _draw_chart(chart: Chart, item: str, explanation: str) -> None:
    with st.container(gap="xsmall"):
        st.markdown(f"**{plain(chart.title)}**", help=explanation)
        st.plotly_chart(chart.figure, key=Key.EXPLAIN_CHART.of(item), config={"displayModeBar": False}, alt=chart.alt)
