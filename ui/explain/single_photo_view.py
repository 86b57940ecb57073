"""One photo: choose it, choose what to explain, and see its map."""

import streamlit as st

from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import ModelEntry
from ui.explain.class_strip import draw_class_strip
from ui.explain.explain_address import tell
from ui.explain.explain_keys import Key
from ui.explain.explain_labels import answer_line
from ui.explain.explain_views import Section
from ui.explain.heat_map_view import draw_heat_map
from ui.explain.photo_shelf import Looked
from ui.explain.photo_sources import choose_photo
from ui.explain.request_controls import choose_classes, choose_layer, choose_method, explain_class
from ui.explain.sanity_view import draw_sanity_check
from ui.kit import model_cache
from ui.kit.model_cache import ModelKey
from ui.kit.model_picker import pick_model
from ui.kit.text import plain


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
        model = pick_model(models, Key.EXPLAIN_MODEL)
        looked = choose_photo(models)
    if looked is None:
        return
    key = ModelKey(str(model.folder), model.version)
    with st.spinner("Identifying the photo…"):
        answer = model_cache.answer(key, looked.photo)
    if answer.status is Status.ERROR:
        st.warning(plain(answer.sentence()), icon=":material/broken_image:")
        return
    st.markdown(answer_line(answer, looked.label))
    chances = {guess.label: guess.probability for guess in answer.top}
    item = f"{model.name}-{looked.photo.digest[:16]}"
    request = _choose_request(model, chances, item)
    _offer_contrast(answer, looked, request, model, item)
    _tell(looked, model, request)
    draw_heat_map(key, looked.photo, request)
    st.caption(
        "The map shows where the model found evidence, not what it recognized there. A map that looks sensible doesn't "
        "prove that the answer is right."
    )
    draw_class_strip(key, looked.photo, request, chances, item)
    draw_sanity_check(key, looked.photo, request)


def _tell(looked: Looked, model: ModelEntry, request: ExplanationRequest) -> None:
    how = {"model": model.name, "method": request.method.value}
    if looked.query:
        tell(**looked.query, **how, target=request.target, versus=request.versus)
    else:
        # A link can't lead to an upload, and its classes mean nothing for another photo.
        tell(show=Section.ONE.value, **how)


def _choose_request(model: ModelEntry, chances: dict[str, float], item: str) -> ExplanationRequest:
    method = choose_method()
    with st.grid(3, min_column_width=220):
        target, versus = choose_classes(model.spec.classes, chances, item)
        layer = choose_layer(model.spec, method)
    return ExplanationRequest(target, versus, method, layer)


def _offer_contrast(answer: Answer, looked: Looked, request: ExplanationRequest, model: ModelEntry, item: str) -> None:
    """Offer to explain a mistake: why the predicted class and not the true one."""
    best, true = answer.top[0].label, looked.label
    if true is None or true == best or true not in model.spec.classes:
        return
    if (request.target, request.versus) == (best, true):
        return
    st.button(
        f"Why {plain(best)} and not {plain(true)}?",
        key=Key.EXPLAIN_CONTRAST.of(item),
        icon=":material/compare_arrows:",
        on_click=explain_class,
        args=(item, best, true),
    )
