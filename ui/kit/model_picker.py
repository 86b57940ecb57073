"""The choice of the model that answers."""

import streamlit as st

from sneaker_core.errors import CheckpointError, ModelNotFoundError
from sneaker_core.networks.bundled_models import DEFAULT_MODEL, REPLACED_MODELS, present_name, replacement_note
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.networks.model_registry import ModelEntry, find_model, list_models
from sneaker_core.number_text import counted
from sneaker_core.workspace.paths import workspace
from ui.kit.address import address_value, choose_item
from ui.kit.page_frame import end_page
from ui.kit.text import escape_markdown

# The parameter of the address that names the model, on every page that asks one.
MODEL_PARAM = "model"
NO_MODEL = (
    f"There is no model yet. Copy a model folder, such as {DEFAULT_MODEL}, into the **models** folder and reload this "
    "page, or train your own model on the Train page."
)


def installed_models() -> list[ModelEntry]:
    """All models that can be used, the default first; if there is none, a warning says what to do."""
    entries = list_models(workspace())
    if not entries:
        st.warning(_why_none(), icon=":material/inventory_2:")
    return sorted(entries, key=lambda entry: entry.name != DEFAULT_MODEL)


def _why_none() -> str:
    """Why there is no model: a damaged default model is not listed, but it is there."""
    try:
        read_spec(find_model(workspace(), DEFAULT_MODEL))
    except ModelNotFoundError:
        pass
    except CheckpointError as error:
        return escape_markdown(str(error))
    return NO_MODEL


def choose_model(entries: list[ModelEntry], usual: str | None = None) -> ModelEntry:
    """Draw the choice of a model, unless there is only one; it is in the address.

    The page ends here while the address names a model that isn't there: another one's answers are not what was asked.

    Parameters
    ----------
    entries : list of ModelEntry
        At least one; the first is the default.
    usual : str, optional
        Name of another default.
    """
    by_name = {entry.name: entry for entry in entries}
    linked = address_value(MODEL_PARAM)
    if len(entries) == 1 and (linked is None or present_name(linked) in by_name):
        _draw_note()
        return entries[0]
    name = choose_item(
        MODEL_PARAM,
        list(by_name),
        noun="model",
        usual=usual,
        old=REPLACED_MODELS,
        width=260,
        show_label=True,
        help="  \n".join(f"**{escape_markdown(entry.name)}** knows {_classes(entry)}." for entry in entries),
    )
    if name is None:
        end_page()
    _draw_note()
    return by_name[name]


def _draw_note() -> None:
    """Say so if a link names a model that another one has replaced."""
    if note := replacement_note(address_value(MODEL_PARAM) or ""):
        st.caption(f":material/info: {escape_markdown(note)}")


def _classes(entry: ModelEntry) -> str:
    return counted(len(entry.spec.classes), "sneaker")
