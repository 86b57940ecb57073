"""Which model answers: found, chosen and, when there is none, said kindly."""

import streamlit as st

from sneaker_core.errors import CheckpointError, ModelNotFoundError
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.networks.model_registry import DEFAULT_MODEL, ModelEntry, find_model, list_models
from sneaker_core.workspace.paths import workspace
from ui.kit.state_keys import Key
from ui.kit.text import counted, plain

NO_MODEL = (
    "There is no model to answer with yet. Copy the folder of a model, such as street22, into the folder "
    "**models** and reload this page, or train one of your own with `python -m sneaker_core train`."
)


def installed_models() -> list[ModelEntry]:
    """All sound models, the default first; where there is none, a sentence that says what to do is shown."""
    entries = list_models(workspace())
    if not entries:
        st.warning(_why_none(), icon=":material/inventory_2:")
    return sorted(entries, key=lambda entry: entry.name != DEFAULT_MODEL)


def _why_none() -> str:
    """A damaged model is passed over by the list; to say that there is none would send its owner the wrong way."""
    try:
        read_spec(find_model(DEFAULT_MODEL, workspace()))
    except ModelNotFoundError:
        pass
    except CheckpointError as error:
        return plain(str(error))
    return NO_MODEL


def pick_model(entries: list[ModelEntry], key: Key = Key.MODEL) -> ModelEntry:
    """The model to use; asks only where there is a choice.

    Parameters
    ----------
    entries : list of ModelEntry
        At least one; the first is the default.
    key : Key
        Of the choice: each page has its own.
    """
    by_name = {entry.name: entry for entry in entries}
    if len(entries) == 1:
        return entries[0]
    name = st.selectbox(
        "Model",
        list(by_name),
        format_func=lambda name: f"{name} ({counted(len(by_name[name].spec.classes), 'sneaker')})",
        key=key,
        help="Which trained network answers. Each knows only the sneakers it was taught.",
        persist_state="session",
        width=260,
    )
    return by_name.get(name, entries[0])
