"""The address of the page: what it asks for is applied once, and what is shown is written into it."""

import contextlib
from collections.abc import Sequence

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import Evaluation, Kind, find_evaluation, find_model_of
from sneaker_core.inference.explanation.explanation_request import checked_method
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.paths import workspace
from ui.explain.explain_keys import Key
from ui.explain.explain_views import OLD_SECTIONS, Section, Source
from ui.kit.explain_links import QUERY, explain_query
from ui.kit.text import plain, shortened


def arrive(models: Sequence[ModelEntry]) -> None:
    """Take over what an address asks for, unless this page wrote it itself.

    Parameters
    ----------
    models : sequence of ModelEntry
        Those there are.
    """
    st.session_state[Key.EXPLAIN_ARRIVED] = False
    address = {name: st.query_params[name] for name in QUERY if st.query_params.get(name)}
    if not address or address == st.session_state.get(Key.EXPLAIN_TOLD):
        return
    st.session_state[Key.EXPLAIN_TOLD] = address
    notices: list[str] = []
    _take_how(address, {model.name for model in models}, notices)
    _take_what(address, models)
    st.session_state[Key.EXPLAIN_ASKED] = {name: address[name] for name in ("target", "versus") if name in address}
    st.session_state[Key.EXPLAIN_NOTICES] = notices
    st.session_state[Key.EXPLAIN_ARRIVED] = True


def _take_how(address: dict[str, str], models: set[str], notices: list[str]) -> None:
    """Section of the page, model and method."""
    asked = address.get("show", "")
    section = Section(asked) if asked in list(Section) else Section.ONE
    st.session_state[Key.EXPLAIN_PART] = OLD_SECTIONS.get(asked, section)
    model = address.get("model")
    if model in models:
        st.session_state[Key.EXPLAIN_MODEL] = model
    elif model is not None:
        notices.append(f"The link names the model {plain(shortened(model))}, which is not here: another one answers.")
    if "method" in address:
        try:
            st.session_state[Key.EXPLAIN_METHOD] = checked_method(address["method"])
        except SneakerError as error:
            notices.append(plain(str(error)))


def _take_what(address: dict[str, str], models: Sequence[ModelEntry]) -> None:
    """The photo, and where it is looked for."""
    sample = address.get("sample")
    if "dataset" in address:
        st.session_state[Key.EXPLAIN_SOURCE] = Source.DATASET
        st.session_state[Key.EXPLAIN_DATASET] = address["dataset"]
    elif "evaluation" in address:
        st.session_state[Key.EXPLAIN_SOURCE] = Source.EVALUATION
        st.session_state[Key.EXPLAIN_EVALUATION] = f"{address.get('kind', '')}/{address['evaluation']}"
        if "model" not in address:
            kind = address.get("kind")
            with contextlib.suppress(SneakerError):  # what is not there is said where it is chosen
                known = Kind(kind) if kind in list(Kind) else None
                use_model_of(find_evaluation(workspace(), address["evaluation"], known), models)
    else:
        return
    st.session_state.pop(Key.EXPLAIN_CLASS, None)
    st.session_state[Key.EXPLAIN_CHOOSING] = sample is None
    if sample is not None:
        # Of the dataset or evaluation that is about to be opened.
        st.session_state[Key.EXPLAIN_SAMPLE] = ("", sample)


def use_model_of(evaluation: Evaluation, models: Sequence[ModelEntry]) -> None:
    """Ask the model that was measured, where it still is there."""
    with contextlib.suppress(SneakerError):
        folder = find_model_of(workspace(), evaluation)
        for model in models:
            if model.folder.samefile(folder):
                st.session_state[Key.EXPLAIN_MODEL] = model.name


def notice(text: str) -> None:
    """Say something of the link that led here, as long as what it led to is on show.

    Parameters
    ----------
    text : str
        Markdown.
    """
    notices: list[str] = st.session_state.setdefault(Key.EXPLAIN_NOTICES, [])
    if text not in notices:
        notices.append(text)


def draw_notices() -> None:
    """What of the link could not be had."""
    for text in st.session_state.get(Key.EXPLAIN_NOTICES, []):
        st.warning(text, icon=":material/link_off:")


def tell(**query: str | None) -> None:
    """Write what is on show into the address, so that it can be reloaded and passed on."""
    asked = explain_query(**query)
    if asked != st.session_state.get(Key.EXPLAIN_TOLD) and not st.session_state.get(Key.EXPLAIN_ARRIVED):
        # Something else was chosen since: what was said of the link is past.
        st.session_state[Key.EXPLAIN_NOTICES] = []
    st.session_state[Key.EXPLAIN_TOLD] = asked
    if {name: value for name, value in st.query_params.items() if name in QUERY} != asked:
        st.query_params.from_dict(asked)
