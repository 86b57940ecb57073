"""The same photo explained for each of the most probable classes, side by side."""

from collections.abc import Mapping

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.inference.explanation.explanation_request import Question
from ui.explain.explain_keys import Key
from ui.explain.heat_map_view import DEFAULT_STRENGTH
from ui.explain.request_controls import explain_class
from ui.kit import explanation_cache
from ui.kit.model_cache import ModelKey
from ui.kit.photo_files import Photo
from ui.kit.text import percent, plain

_MOST = 5
_SIDE = 320


def draw_strip(key: ModelKey, photo: Photo, question: Question, chances: Mapping[str, float], item: str) -> None:
    """Draw it; where the method is slow, only when asked for.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    question : Question
    chances : mapping
        The most probable classes, the best first.
    item : str
        As in `asking.choose_classes`.
    """
    shown = list(chances)[:_MOST]
    if len(shown) < 2:
        return
    slow = " It asks the network a few hundred times and takes some seconds." if question.method.is_slow else ""
    if not st.toggle(
        f"Compare the {len(shown)} most probable classes",
        # A slow one must not begin by itself when the method is changed.
        key=Key.EXPLAIN_STRIP.of("slow" if question.method.is_slow else "quick"),
        value=not question.method.is_slow,
        persist_state="session",
        help=f"The same map for each of them, each class alone.{slow}",
    ):
        return
    with st.grid(_MOST, min_column_width=150, gap="small"):
        for label in shown:
            with st.container(border=True, gap="xsmall", height="stretch"):
                _draw_one(key, photo, question, label, chances[label], item)
    st.caption("Each map has its own scale: compare where the colours lie, not how bright they are.")


def _draw_one(key: ModelKey, photo: Photo, question: Question, label: str, chance: float, item: str) -> None:
    try:
        with st.skeleton(110):
            small = explanation_cache.heat_map_preview(
                key, photo, label, DEFAULT_STRENGTH / 100, question.method, layer=question.layer, side=_SIDE
            )
    except SneakerError as error:
        st.caption(plain(str(error)))
        return
    st.image(small, width="stretch", alt=f"The photo with colours over what speaks for {label}")
    st.markdown(f"**{plain(label)}** {percent(chance)}")
    st.space("stretch")
    st.button(
        "Explain this one",
        key=Key.EXPLAIN_STRIP_PICK.of(f"{item}-{label}"),
        type="tertiary",
        disabled=label == question.target and question.versus is None,
        on_click=explain_class,
        args=(item, label),
    )
