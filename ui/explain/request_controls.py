"""What is asked about a photo: by which method, for which class, against which other one, at which layer."""

from collections.abc import Mapping, Sequence

import streamlit as st

from sneaker_core.datasets.safe_names import natural_order
from sneaker_core.inference.explanation.explanation_request import Method, Question
from sneaker_core.networks.checkpoint import ModelSpec
from ui.explain.explain_address import notice
from ui.explain.explain_keys import Key
from ui.kit.text import percent, plain, shortened

NOTHING = ""


def choose_method() -> Method:
    """The method, with what it shows in one line."""
    # Set and not given as a default, for the address sets it too.
    st.session_state.setdefault(Key.EXPLAIN_METHOD, Method.GRADCAM)
    method = st.segmented_control(
        "Method",
        list(Method),
        required=True,
        format_func=lambda method: method.plain_name,
        key=Key.EXPLAIN_METHOD,
        wrap=True,
        persist_state="session",
    )
    method = Method(method or Method.GRADCAM)
    st.caption(method.about)
    return method


def choose_layer(spec: ModelSpec, method: Method) -> str | None:
    """The layer, for methods that look at one; None for the network's usual one."""
    if not method.has_layer:
        return None
    # It knows the networks' insides, and so imports torch.
    from sneaker_core.inference.explanation.gradcam_layers import layers

    found = {layer.name: layer for layer in layers(spec)}
    if len(found) < 2:
        return None
    usual = next(name for name, layer in found.items() if layer.usual)
    key = Key.EXPLAIN_LAYER.of(f"{spec.network}-{spec.preprocessing.height}-{spec.preprocessing.width}")
    st.session_state.setdefault(key, usual)
    layer = st.selectbox(
        "Layer",
        list(found),
        format_func=lambda name: found[name].title + (", the usual one" if found[name].usual else ""),
        key=key,
        persist_state="session",
        help="How deep in the network to look: early stages see edges and colours, the last ones whole shapes. Maps of "
        "early stages are finer, and say less about the class.",
    )
    return None if layer == usual else str(layer)


def choose_classes(classes: Sequence[str], chances: Mapping[str, float], item: str) -> tuple[str, str | None]:
    """The class to explain, and the one to hold it against.

    Parameters
    ----------
    classes : sequence of str
        The model's.
    chances : mapping
        The most probable classes, the best first, with their probabilities.
    item : str
        Tells the choices for one photo and model from those for others.
    """
    order = [*chances, *sorted(set(classes) - set(chances), key=natural_order)]
    _take_asked(order, item)
    target = st.selectbox(
        "Class to explain",
        order,
        format_func=lambda label: f"{label} ({percent(chances[label])})" if label in chances else label,
        key=target_key(item),
        persist_state="session",
        help="The most probable one comes first. Any class can be asked for, a wrong one too.",
    )
    target = str(target or order[0])
    others = [NOTHING, *(label for label in order if label != target)]
    if st.session_state.get(versus_key(item)) not in others:
        st.session_state.pop(versus_key(item), None)
    versus = st.selectbox(
        "Rather than",
        others,
        format_func=lambda label: label or "nothing: this class alone",
        key=versus_key(item),
        persist_state="session",
        help="With a second class, the map shows what speaks for the first and not as much for the second: what tells "
        "them apart.",
    )
    return target, str(versus) if versus else None


def target_key(item: str) -> str:
    """Key of the class to explain."""
    return Key.EXPLAIN_TARGET.of(item)


def versus_key(item: str) -> str:
    """Key of the class that it is held against."""
    return Key.EXPLAIN_VERSUS.of(item)


def explain_class(item: str, target: str, versus: str | None = None) -> None:
    """Have another class explained; only from a callback."""
    st.session_state[target_key(item)] = target
    st.session_state[versus_key(item)] = versus or NOTHING


def _take_asked(known: Sequence[str], item: str) -> None:
    """Take over the classes that an address asked for, once."""
    asked: dict[str, str] = st.session_state.pop(Key.EXPLAIN_ASKED, None) or {}
    for name, key in (("target", target_key(item)), ("versus", versus_key(item))):
        label = asked.get(name)
        if label in known:
            st.session_state[key] = label
        elif label is not None:
            notice(f"The link asks for the class {plain(shortened(label))}, which this model does not know.")
    for key in (target_key(item), versus_key(item)):
        if st.session_state.get(key) not in (None, NOTHING, *known):
            del st.session_state[key]


def rather(question: Question) -> str:
    """What is explained, in markdown: "**Air Max 90** rather than **Air Max 1**"."""
    target = f"**{plain(question.target or '')}**"
    return target if question.versus is None else f"{target} rather than **{plain(question.versus)}**"
