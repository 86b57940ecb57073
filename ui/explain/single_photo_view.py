"""One photo: chosen, asked about, shown beside its map."""

import streamlit as st

from sneaker_core.inference.explanation.explanation_request import Question
from sneaker_core.inference.predictor import Answer
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import ModelEntry
from ui.explain.class_strip import draw_strip
from ui.explain.explain_address import tell
from ui.explain.explain_keys import Key
from ui.explain.explain_labels import answer_line
from ui.explain.explain_views import Part
from ui.explain.heat_map_view import draw_picture
from ui.explain.photo_shelf import Looked
from ui.explain.photo_sources import choose_photo
from ui.explain.request_controls import choose_classes, choose_layer, choose_method, explain_class
from ui.explain.sanity_view import draw_honesty
from ui.kit import model_cache
from ui.kit.model_cache import ModelKey
from ui.kit.model_picker import pick_model
from ui.kit.text import plain


def draw_one(models: list[ModelEntry]) -> None:
    """Draw the part.

    Parameters
    ----------
    models : list of ModelEntry
        At least one.

    Raises
    ------
    SneakerError
        The photo cannot be read, or the model is damaged.
    """
    with st.container(border=True):
        model = pick_model(models, Key.EXPLAIN_MODEL)
        looked = choose_photo(models)
    if looked is None:
        return
    key = ModelKey(str(model.folder), model.version)
    with st.spinner("Looking at the photo…"):
        answer = model_cache.answer(key, looked.photo)
    if answer.status is Status.ERROR:
        st.warning(plain(answer.sentence()), icon=":material/broken_image:")
        return
    st.markdown(answer_line(answer, looked.label))
    chances = {guess.label: guess.probability for guess in answer.top}
    item = f"{model.name}-{looked.photo.digest[:16]}"
    question = _ask(model, chances, item)
    _offer_contrast(answer, looked, question, model, item)
    _tell(looked, model, question)
    draw_picture(key, looked.photo, question)
    st.caption(
        "The map shows where the network looked, not what it saw there. Colours in a sensible place are no proof that "
        "the answer is right."
    )
    draw_strip(key, looked.photo, question, chances, item)
    draw_honesty(key, looked.photo, question)


def _tell(looked: Looked, model: ModelEntry, question: Question) -> None:
    how = {"model": model.name, "method": question.method.value}
    if looked.query:
        tell(**looked.query, **how, target=question.target, versus=question.versus)
    else:
        # An upload cannot be found again by an address, and its classes are of no use to another photo.
        tell(show=Part.ONE.value, **how)


def _ask(model: ModelEntry, chances: dict[str, float], item: str) -> Question:
    method = choose_method()
    with st.grid(3, min_column_width=220):
        target, versus = choose_classes(model.spec.classes, chances, item)
        layer = choose_layer(model.spec, method)
    return Question(target, versus, method, layer)


def _offer_contrast(answer: Answer, looked: Looked, question: Question, model: ModelEntry, item: str) -> None:
    """One click to the question that a mistake raises: why this class rather than the true one."""
    best, filed = answer.top[0].label, looked.label
    if filed is None or filed == best or filed not in model.spec.classes:
        return
    if (question.target, question.versus) == (best, filed):
        return
    st.button(
        f"Why {plain(best)} rather than {plain(filed)}?",
        key=Key.EXPLAIN_CONTRAST.of(item),
        icon=":material/compare_arrows:",
        on_click=explain_class,
        args=(item, best, filed),
    )
