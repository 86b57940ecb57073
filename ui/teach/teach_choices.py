"""What is taught to which model: a copy of one that is installed, or one that knows nothing yet; in the address."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.model_registry import ModelEntry
from sneaker_core.number_text import counted
from sneaker_core.training import teaching
from sneaker_core.training.taught_model import TaughtSummary, taught_summary
from ui.kit import page_address
from ui.kit.address import address_value, choose_section, follow_address
from ui.kit.item_dialogs import LONGEST_NAME
from ui.kit.kept_uploads import UPLOADS_PARAM
from ui.kit.model_picker import choose_model
from ui.kit.text import escape_markdown
from ui.teach.teach_keys import Key

ADD, EMPTY = "A model you have", "An empty model"
_ICONS = {ADD: ":material/add_circle:", EMPTY: ":material/compare_arrows:"}
_EMPTY_NAME = "my two sneakers"


@dataclass(frozen=True)
class Place:
    """Where one sneaker is given: the parameters of the address with its name and with its photos."""

    name: Key
    tray: str


FIRST, SECOND = Place(Key.SNEAKER, UPLOADS_PARAM), Place(Key.SECOND_SNEAKER, Key.SECOND_PHOTOS)


@dataclass(frozen=True)
class Target:
    """The model that is taught.

    Attributes
    ----------
    base : str
        Name of the model that is copied.
    empty : bool
        Whether the copy starts without the sneakers that the base knows.
    name : str
        Of the copy.
    copy : ModelEntry or None
        The copy, if it was taught before.
    summary : TaughtSummary or None
        What it was taught.
    """

    base: str
    empty: bool
    name: str
    copy: ModelEntry | None
    summary: TaughtSummary | None

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the sneakers are given that are taught together."""
        return (FIRST, SECOND) if self.empty else (FIRST,)

    @property
    def answering(self) -> str | None:
        """Name of the model that answers what the camera sees; None if there is none yet."""
        return self.copy.name if self.copy is not None else None if self.empty else self.base


def choose_start() -> bool:
    """Draw the choice of what to begin with; returns whether it is an empty model."""
    return choose_section(Key.START, [ADD, EMPTY], label="Teach", icons=_ICONS) == EMPTY


def choose_target(models: Sequence[ModelEntry], empty: bool) -> Target:
    """Draw the choice of the model and the name of its copy.

    Parameters
    ----------
    models : sequence of ModelEntry
        At least one; the first is the default.
    empty : bool
        Whether the copy starts without the sneakers that the base knows.
    """
    by_name = {entry.name: entry for entry in models}
    with st.grid(2, min_column_width=260):
        if empty:
            base = by_name.get(DEFAULT_MODEL, models[0])
            usual = _EMPTY_NAME
        else:
            base = choose_model(list(models))
            is_mine = not base.bundled and taught_summary(base.folder) is not None
            usual = base.name if is_mine else f"{base.name} plus mine"
        name = _ask_name(usual)
    copy = by_name.get(name)
    summary = None if copy is None or copy.bundled else taught_summary(copy.folder)
    target = Target(base.name, empty, name, copy if summary else None, summary)
    st.caption(_about(target))
    return target


def _about(target: Target) -> str:
    name, base = escape_markdown(target.name), escape_markdown(target.base)
    if target.summary is not None:
        known = counted(len(target.summary.sneakers), "sneaker")
        return f"“{name}” was taught {known} already. What you teach it now is added."
    if target.empty:
        return f"A new model, “{name}”, knows only what you teach it. It sees like {base}."
    return f"{base} stays as it is. A copy of it, “{name}”, learns the sneaker."


def _ask_name(usual: str) -> str:
    given = address_value(Key.COPY)
    follow_address(Key.COPY, Key.COPY, () if given is None else (given,), noun="model", usual=usual)
    st.text_input(
        "Name of the taught model",
        key=Key.COPY,
        max_chars=LONGEST_NAME,
        on_change=_keep_text,
        args=(Key.COPY, usual),
        help="Enter the name of a model that you taught before to teach it more.",
    )
    return given or usual


def ask_sneaker(place: Place, label: str) -> str:
    """Draw the field with a sneaker's name, and return it."""
    given = address_value(place.name)
    follow_address(place.name, place.name, () if given is None else (given,), noun="sneaker", usual="")
    st.text_input(
        label,
        key=place.name,
        max_chars=teaching.LONGEST_NAME,
        placeholder="Nike Vomero 5",
        on_change=_keep_text,
        args=(place.name,),
    )
    return given or ""


def _keep_text(key: Key, usual: str = "") -> None:
    """Write a text into the address; Back undoes choices, not typing."""
    text = (st.session_state[key] or "").strip()
    page_address.change({key: text if text != usual else None}, chosen=False)
