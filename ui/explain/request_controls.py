"""Controls of an explanation: method, class, class to compare with, layer."""

from collections.abc import Mapping, Sequence

import streamlit as st

from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.workspace.safe_names import natural_order
from ui.explain.explain_address import notice
from ui.explain.explain_keys import Key
from ui.kit.text import escape_markdown, probability_text, truncate_middle

NO_CLASS = ""


def choose_method() -> Method:
    """Choose the method; a caption says what it shows."""
    # Not a default value of the widget, because the address sets it too.
    st.session_state.setdefault(Key.EXPLAIN_METHOD, Method.GRADCAM)
    method = st.segmented_control(
        "Method",
        list(Method),
        required=True,
        format_func=lambda method: method.display_name,
        key=Key.EXPLAIN_METHOD,
        wrap=True,
        persist_state="session",
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
        help="Early stages respond to edges and colors, later ones to whole shapes. Maps of early stages are finer but "
        "say less about the class.",
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
    _apply_address(order, item)
    target = st.selectbox(
        "Class to explain",
        order,
        format_func=lambda label: f"{label} ({probability_text(chances[label])})" if label in chances else label,
        key=target_key(item),
        persist_state="session",
        help="The most probable classes come first. You can also choose a wrong one.",
    )
    target = str(target or order[0])
    others = [NO_CLASS, *(label for label in order if label != target)]
    if st.session_state.get(versus_key(item)) not in others:
        st.session_state.pop(versus_key(item), None)
    versus = st.selectbox(
        "Compare with",
        others,
        format_func=lambda label: label or "No other class",
        key=versus_key(item),
        persist_state="session",
        help="With a second class, the map shows what counts for the first class more than for the second: what tells "
        "them apart.",
    )
    return target, str(versus) if versus else None


def target_key(item: str) -> str:
    """Key of the class to explain."""
    return Key.EXPLAIN_TARGET.of(item)


def versus_key(item: str) -> str:
    """Key of the class to compare with."""
    return Key.EXPLAIN_VERSUS.of(item)


def explain_class(item: str, target: str, versus: str | None = None) -> None:
    """Explain another class; only from a callback."""
    st.session_state[target_key(item)] = target
    st.session_state[versus_key(item)] = versus or NO_CLASS


def _apply_address(known: Sequence[str], item: str) -> None:
    """Apply the classes of the address, once."""
    asked: dict[str, str] = st.session_state.pop(Key.EXPLAIN_ASKED, None) or {}
    for name, key in (("target", target_key(item)), ("versus", versus_key(item))):
        label = asked.get(name)
        if label in known:
            st.session_state[key] = label
        elif label is not None:
            notice(f"This model has no class {escape_markdown(truncate_middle(label))}, which the link asks for.")
    for key in (target_key(item), versus_key(item)):
        if st.session_state.get(key) not in (None, NO_CLASS, *known):
            del st.session_state[key]


def subject(request: ExplanationRequest) -> str:
    """What is explained, in markdown: "**Air Max 90** compared with **Air Max 1**"."""
    target = f"**{escape_markdown(request.target or '')}**"
    return target if request.versus is None else f"{target} compared with **{escape_markdown(request.versus)}**"
