"""The photo explained for each of its most probable classes, side by side."""

from collections.abc import Mapping

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.number_text import percent
from ui.explain.explain_keys import Key
from ui.explain.request_controls import explain_class
from ui.kit import explanation_cache
from ui.kit.model_cache import ModelKey
from ui.kit.text import escape_markdown

_MAX_CLASSES = 5
_MAX_SIDE = 320


def draw_class_strip(
    key: ModelKey, photo: Photo, request: ExplanationRequest, chances: Mapping[str, float], item: str
) -> None:
    """Draw the strip; for slow methods only if the user turns it on.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    request : ExplanationRequest
    chances : mapping
        The most probable classes, in descending order, with their probabilities.
    item : str
        As in `request_controls.choose_classes`.
    """
    shown = list(chances)[:_MAX_CLASSES]
    if len(shown) < 2:
        return
    slow = " This takes some seconds: the method runs the model a few hundred times." if request.method.is_slow else ""
    if not st.toggle(
        f"Compare the {len(shown)} most probable classes",
        # Choosing a slow method must not start it for all classes.
        key=Key.EXPLAIN_STRIP.of("slow" if request.method.is_slow else "quick"),
        value=not request.method.is_slow,
        persist_state="session",
        help=f"Draws a map for each class.{slow}",
    ):
        return
    with st.grid(_MAX_CLASSES, min_column_width=150, gap="small"):
        for label in shown:
            with st.container(border=True, gap="xsmall", height="stretch"):
                _draw_class(key, photo, request, label, chances[label], item)
    st.caption("Each map has its own scale: compare where the colors are, not how bright they are.")


def _draw_class(key: ModelKey, photo: Photo, request: ExplanationRequest, label: str, chance: float, item: str) -> None:
    alone = ExplanationRequest(label, method=request.method, layer=request.layer, max_side=_MAX_SIDE)
    try:
        with st.skeleton(110):
            small = explanation_cache.overlay_jpeg(key, photo, alone)
    except SneakerError as error:
        st.caption(escape_markdown(str(error)))
        return
    st.image(small, width="stretch", alt=f"The photo, colored by evidence for {label}")
    st.markdown(f"**{escape_markdown(label)}** {percent(chance)}")
    st.space("stretch")
    st.button(
        "Explain this class",
        key=Key.EXPLAIN_STRIP_PICK.of(f"{item}-{label}"),
        type="tertiary",
        disabled=label == request.target and request.versus is None,
        on_click=explain_class,
        args=(label,),
    )
