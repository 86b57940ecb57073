"""Controls of an explanation: method, class, class to compare with, layer."""

from collections.abc import Mapping, Sequence

import streamlit as st

from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.workspace.safe_names import natural_order
from ui.explain.explain_keys import Key
from ui.kit.address import address_value, follow_address, set_address_value, set_address_values, write_choice
from ui.kit.text import escape_markdown, probability_text

NO_CLASS = ""


def choose_method() -> Method:
    """Choose the method; a caption says what it shows."""
    methods = [method.value for method in Method]
    follow_address(Key.METHOD, Key.EXPLAIN_METHOD, methods, noun="method", usual=Method.GRADCAM.value)
    method = st.segmented_control(
        "Method",
        methods,
        required=True,
        format_func=lambda name: Method(name).display_name,
        key=Key.EXPLAIN_METHOD,
        wrap=True,
        on_change=write_choice,
        args=(Key.METHOD, Key.EXPLAIN_METHOD),
    )
    method = Method(method or Method.GRADCAM)
    st.caption(method.about)
    return method


def choose_layer(spec: ModelSpec, method: Method) -> str | None:
    """Choose the layer, for methods that have one; None for the default layer."""
    if not method.has_layer:
        return None
    # Imports torch.
    from sneaker_core.inference.explanation.gradcam_layers import layers

    found = {layer.name: layer for layer in layers(spec)}
    if len(found) < 2:
        return None
    default = next(name for name, layer in found.items() if layer.is_default)
    key = Key.EXPLAIN_LAYER.of(f"{spec.network}-{spec.preprocessing.height}-{spec.preprocessing.width}")
    st.session_state.setdefault(key, default)
    layer = st.selectbox(
        "Layer",
        list(found),
        format_func=lambda name: found[name].title + (" (default)" if found[name].is_default else ""),
        key=key,
        persist_state="session",
        help="The part of the neural network that the map shows. Early stages respond to edges and colors, later ones "
        "to whole shapes. Maps of early stages are finer but say less about the class.",
    )
    return None if layer == default else str(layer)


def choose_classes(classes: Sequence[str], chances: Mapping[str, float], item: str) -> tuple[str, str | None]:
    """Choose the class to explain, and the class to compare with.

    Parameters
    ----------
    classes : sequence of str
        The model's.
    chances : mapping
        The most probable classes, in descending order, with their probabilities.
    item : str
        Identifies the photo and the model, which choices belong to.
    """
    order = [*chances, *sorted(set(classes) - set(chances), key=natural_order)]
    follow_address(Key.TARGET, _target_key(item), order, noun="class", usual=order[0])
    target = st.selectbox(
        "Class to explain",
        order,
        format_func=lambda label: f"{label} ({probability_text(chances[label])})" if label in chances else label,
        key=_target_key(item),
        on_change=write_choice,
        args=(Key.TARGET, _target_key(item)),
        help="The most probable classes come first. You can choose any class, even a wrong one.",
    )
    target = str(target or order[0])
    others = [NO_CLASS, *(label for label in order if label != target)]
    if address_value(Key.VERSUS) == target:
        set_address_value(Key.VERSUS, None)
    follow_address(Key.VERSUS, _versus_key(item), others, noun="class", usual=NO_CLASS)
    versus = st.selectbox(
        "Compare with",
        others,
        format_func=lambda label: label or "No other class",
        key=_versus_key(item),
        on_change=write_choice,
        args=(Key.VERSUS, _versus_key(item)),
        help="The map then shows what counts more toward the first class than toward this one: what tells them apart.",
    )
    return target, str(versus) if versus else None


def _target_key(item: str) -> str:
    """Key of the class to explain."""
    return Key.EXPLAIN_TARGET.of(item)


def _versus_key(item: str) -> str:
    """Key of the class to compare with."""
    return Key.EXPLAIN_VERSUS.of(item)


def explain_class(target: str, versus: str | None = None) -> None:
    """Explain another class; only from a callback."""
    set_address_values({Key.TARGET: target, Key.VERSUS: versus})


def subject(request: ExplanationRequest) -> str:
    """What is explained, in markdown: "**Air Max 90** compared with **Air Max 1**"."""
    target = f"**{escape_markdown(request.target or '')}**"
    return target if request.versus is None else f"{target} compared with **{escape_markdown(request.versus)}**"
