"""The address of the page: what it asks for is applied once, and what is shown is written into it."""

import contextlib
from collections.abc import Sequence

import streamlit as st

from sneaker_core.errors import SneakerError
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import find_model_of
from sneaker_core.evaluation.evaluation_record import Evaluation, Kind
from sneaker_core.inference.explanation.explanation_request import checked_method
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.workspace.paths import workspace
from ui.explain.explain_keys import Key
from ui.explain.explain_views import OLD_SECTIONS, Section, Source
from ui.kit.text import escape_markdown, truncate_middle

# The parameters of the address, in their order.
PARAMS = ("show", "dataset", "evaluation", "kind", "sample", "model", "target", "versus", "method")


def arrive(models: Sequence[ModelEntry]) -> None:
    """Apply the address, unless this page wrote it.

    Parameters
    ----------
    models : sequence of ModelEntry
        Available models.
    """
    st.session_state[Key.EXPLAIN_ARRIVED] = False
    address = {name: st.query_params[name] for name in PARAMS if st.query_params.get(name)}
    if not address or address == st.session_state.get(Key.EXPLAIN_WRITTEN):
        return
    st.session_state[Key.EXPLAIN_WRITTEN] = address
    notices: list[str] = []
    _apply_controls(address, {model.name for model in models}, notices)
    _apply_photo(address, models)
    st.session_state[Key.EXPLAIN_ASKED] = {name: address[name] for name in ("target", "versus") if name in address}
    st.session_state[Key.EXPLAIN_NOTICES] = notices
    st.session_state[Key.EXPLAIN_ARRIVED] = True


def _apply_controls(address: dict[str, str], models: set[str], notices: list[str]) -> None:
    """Section, model and method."""
    asked = address.get("show", "")
    section = Section(asked) if asked in list(Section) else Section.ONE
    st.session_state[Key.EXPLAIN_PART] = OLD_SECTIONS.get(asked, section)
    model = address.get("model")
    if model in models:
        st.session_state[Key.EXPLAIN_MODEL] = model
    elif model is not None:
        name = escape_markdown(truncate_middle(model))
        notices.append(f"The link leads to the model {name}, which isn't here. Another model is used.")
    if "method" in address:
        try:
            st.session_state[Key.EXPLAIN_METHOD] = checked_method(address["method"])
        except SneakerError as error:
            notices.append(escape_markdown(str(error)))


def _apply_photo(address: dict[str, str], models: Sequence[ModelEntry]) -> None:
    """The photo and its source."""
    sample = address.get("sample")
    if "dataset" in address:
        st.session_state[Key.EXPLAIN_SOURCE] = Source.DATASET
        st.session_state[Key.EXPLAIN_DATASET] = address["dataset"]
    elif "evaluation" in address:
        st.session_state[Key.EXPLAIN_SOURCE] = Source.EVALUATION
        st.session_state[Key.EXPLAIN_EVALUATION] = f"{address.get('kind', '')}/{address['evaluation']}"
        if "model" not in address:
            kind = address.get("kind")
            with contextlib.suppress(SneakerError):  # the picker of evaluations says what is missing
                known = Kind(kind) if kind in list(Kind) else None
                use_model_of(find_evaluation(workspace(), address["evaluation"], known), models)
    else:
        return
    st.session_state.pop(Key.EXPLAIN_CLASS, None)
    st.session_state[Key.EXPLAIN_CHOOSING] = sample is None
    if sample is not None:
        # Belongs to the dataset or evaluation that the address names.
        st.session_state[Key.EXPLAIN_SAMPLE] = ("", sample)


def use_model_of(evaluation: Evaluation, models: Sequence[ModelEntry]) -> None:
    """Choose the model that was evaluated, if it is still available."""
    with contextlib.suppress(SneakerError):
        folder = find_model_of(workspace(), evaluation)
        for model in models:
            if model.folder.samefile(folder):
                st.session_state[Key.EXPLAIN_MODEL] = model.name


def notice(text: str) -> None:
    """Show a message about the link, until something else is shown.

    Parameters
    ----------
    text : str
        Markdown.
    """
    notices: list[str] = st.session_state.setdefault(Key.EXPLAIN_NOTICES, [])
    if text not in notices:
        notices.append(text)


def draw_notices() -> None:
    """Draw the messages about the link."""
    for text in st.session_state.get(Key.EXPLAIN_NOTICES, []):
        st.warning(text, icon=":material/link_off:")


def write_address(**query: str | None) -> None:
    """Write what is shown into the address, so that it can be reloaded and shared; keywords are `PARAMS`."""
    asked = {name: value for name in PARAMS if (value := query.get(name))}
    if asked != st.session_state.get(Key.EXPLAIN_WRITTEN) and not st.session_state.get(Key.EXPLAIN_ARRIVED):
        # The user chose something else, so messages about the link no longer apply.
        st.session_state[Key.EXPLAIN_NOTICES] = []
    st.session_state[Key.EXPLAIN_WRITTEN] = asked
    if {name: value for name, value in st.query_params.items() if name in PARAMS} != asked:
        st.query_params.from_dict(asked)
