"""Why the model gave an answer: the photo under a heat map, for one class or compared with another."""

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY, ExplanationRequest
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.model_registry import list_models
from sneaker_core.workspace.paths import workspace
from ui.identify.identify_keys import Key
from ui.kit import explanation_cache
from ui.kit.kept_uploads import keep_upload
from ui.kit.model_cache import ModelKey
from ui.kit.page_links import Page, draw_page_link
from ui.kit.photo_previews import jpeg_bytes
from ui.kit.text import escape_markdown, probability_text


def draw_explanation(key: ModelKey, photo: Photo, answer: Answer, compact: bool) -> None:
    """Draw the heat map of a guess, with the controls next to it or below.

    Parameters
    ----------
    key : ModelKey
    photo : Photo
    answer : Answer
    compact : bool
        Whether to draw picture and controls below each other.
    """
    picture, controls = (st.container(), st.container()) if compact else st.columns([5, 6], gap="medium")
    probabilities = {guess.label: probability_text(guess.probability) for guess in answer.top}
    with controls:
        label = st.selectbox(
            "Explain",
            list(probabilities),
            format_func=lambda label: f"{label} ({probabilities[label]})",
            key=Key.TARGET.of(photo.key),
            persist_state="session",
        )
        versus = _choose_versus(photo, answer, label)
        opacity = st.slider(
            "Opacity of the map",
            0,
            100,
            round(100 * DEFAULT_OPACITY),
            5,
            format="%d%%",
            key=Key.OPACITY.of(photo.key),
            persist_state="session",
        )
    try:
        with picture.skeleton(260):
            request = ExplanationRequest(label, versus, opacity=opacity / 100)
            explanation = explanation_cache.explain(key, photo, request)
            heated = jpeg_bytes(explanation.overlay())
    except SneakerError as error:
        controls.warning(escape_markdown(str(error)))
        return
    contrast = f" instead of {versus}" if versus else ""
    picture.image(heated, width="stretch", alt=f"Your photo, colored where it speaks for {label}{contrast}")
    with controls:
        _draw_legend(label, versus, empty=explanation.heat is None or not explanation.heat.any())
        _draw_more(key, photo, label, versus)


def _choose_versus(photo: Photo, answer: Answer, label: str) -> str | None:
    """The class to compare with; None for none."""
    # All guesses of the answer, not only those shown: with one shown there would be no choice.
    others = ["", *(guess.label for guess in answer.top if guess.label != label)]
    key = Key.WHY_VERSUS.of(photo.key)
    if st.session_state.get(key) not in others:
        st.session_state.pop(key, None)
    versus = st.selectbox(
        "Compare with",
        others,
        format_func=lambda other: other or "No other sneaker",
        key=key,
        persist_state="session",
        help="Shows what speaks for the first sneaker but not for the second.",
    )
    return versus or None


def _draw_legend(label: str, versus: str | None, empty: bool) -> None:
    contrast = f" instead of **{escape_markdown(versus)}**" if versus else ""
    name = f"**{escape_markdown(label)}**{contrast}"
    if empty:
        st.markdown(f"Nothing in this photo speaks for {name}.")
    else:
        st.markdown(
            f"**Yellow** areas speak most for {name}, **violet** areas a little. Areas without color don't speak for "
            "it."
        )
    st.caption(
        "The map (Grad-CAM) is coarse. It shows where the model looked, not what it saw there. Color in a sensible "
        "place doesn't prove that the answer is right."
    )


def _draw_more(key: ModelKey, photo: Photo, label: str, versus: str | None) -> None:
    """Draw the link to this photo on the Explain page."""
    model = next((one.name for one in list_models(workspace()) if str(one.folder) == key.folder), None)
    draw_page_link(
        "More on the Explain page",
        Page.EXPLAIN,
        help="Other methods, all guesses side by side, and sanity checks of the map.",
        upload=keep_upload(photo),
        model=model,
        target=label,
        versus=versus,
    )
