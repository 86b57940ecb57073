"""One photo: choose it, choose what to explain, and see its map."""

import streamlit as st

from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import ModelEntry
from ui.explain.class_strip import draw_class_strip
from ui.explain.explain_keys import Key
from ui.explain.explain_labels import answer_line
from ui.explain.heat_map_view import draw_heat_map
from ui.explain.photo_shelf import ChosenPhoto
from ui.explain.photo_sources import choose_photo, model_of_evaluation
from ui.explain.request_controls import choose_classes, choose_layer, choose_method, explain_class
from ui.explain.sanity_view import draw_sanity_check
from ui.kit import model_cache
from ui.kit.identify_link import draw_identify_link
from ui.kit.model_cache import ModelKey
from ui.kit.model_picker import choose_model
from ui.kit.text import escape_markdown


def draw_single_photo(models: list[ModelEntry]) -> None:
    """Draw the section.

    Parameters
    ----------
    models : list of ModelEntry
        At least one.

    Raises
    ------
    SneakerError
        The photo can't be read, or the model is damaged.
    """
    with st.container(border=True):
        model = choose_model(models, usual=model_of_evaluation(models))
        chosen = choose_photo(models)
    if chosen is None:
        return
    key = ModelKey(str(model.folder), model.version)
    with st.spinner("Identifying the photo…"):
        answer = model_cache.answer(key, chosen.photo)
    if answer.status is Status.ERROR:
        st.warning(escape_markdown(answer.sentence()), icon=":material/broken_image:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(answer_line(answer, chosen.label), width="content")
        draw_identify_link(chosen.photo, model.name)
    chances = {guess.label: guess.probability for guess in answer.top}
    item = f"{model.name}-{chosen.photo.digest[:16]}"
    request = _choose_request(model, chances, item)
    _offer_contrast(answer, chosen, request, model, item)
    draw_heat_map(key, chosen.photo, request)
    st.caption(
        "The map shows where the model found evidence, not what it recognized there. A map that looks sensible doesn't "
        "prove that the answer is right."
    )
    draw_class_strip(key, chosen.photo, request, chances, item)
    draw_sanity_check(key, chosen.photo, request)


def _choose_request(model: ModelEntry, chances: dict[str, float], item: str) -> ExplanationRequest:
    method = choose_method()
    with st.grid(3, min_column_width=220):
        target, versus = choose_classes(model.spec.classes, chances, item)
        layer = choose_layer(model.spec, method)
    return ExplanationRequest(target, versus, method, layer)


def _offer_contrast(
    answer: Answer, chosen: ChosenPhoto, request: ExplanationRequest, model: ModelEntry, item: str
) -> None:
    """Offer to explain a mistake: why the predicted class and not the true one."""
    best, true = answer.top[0].label, chosen.label
    if true is None or true == best or true not in model.spec.classes:
        return
    if (request.target, request.versus) == (best, true):
        return
    st.button(
        f"Why {escape_markdown(best)} and not {escape_markdown(true)}?",
        key=Key.EXPLAIN_CONTRAST.of(item),
        icon=":material/compare_arrows:",
        on_click=explain_class,
        args=(best, true),
    )
