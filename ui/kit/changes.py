"""What pages offer only where something may be changed: SoleScope can be read-only, as when phones use it."""

from typing import Any

import streamlit as st

from sneaker_core.settings import read_only
from sneaker_core.workspace.read_only import READ_ONLY_TEXT

READ_ONLY_NOTE = f"{READ_ONLY_TEXT} To change something, use the computer that runs SoleScope."


def can_change() -> bool:
    """Whether anything may be saved, changed or started."""
    return not read_only()


def change_button(label: str, *, disabled: bool = False, **options: Any) -> bool:
    """Draw a button that saves, changes or starts something: it is disabled while SoleScope is read-only.

    Parameters
    ----------
    label : str
    disabled : bool
    **options
        As for `st.button`.
    """
    return st.button(label, disabled=disabled or not can_change(), **options)


def server_path_input(label: str, **options: Any) -> str:
    """Ask for a path on the computer that runs SoleScope.

    While SoleScope is read-only it is empty, whatever a browser sends: visitors must not look around on that computer.

    Parameters
    ----------
    label : str
    **options
        As for `st.text_input`.
    """
    text = st.text_input(label, disabled=not can_change(), **options)
    return (text or "").strip() if can_change() else ""


def draw_read_only_note() -> None:
    """Say that nothing can be changed here, if that is so."""
    if not can_change():
        st.caption(f":material/lock: {READ_ONLY_NOTE}")
