"""Which dialog is open: kept with the session, so that it stays open when the page runs anew, as when work ends."""

from enum import StrEnum

import streamlit as st

from ui.datasets.datasets_keys import Key


class Dialog(StrEnum):
    """The dialogs of the page, by the words that open them."""

    ADD = "Add photos"
    NEW = "New dataset"
    RENAME = "Rename"
    DELETE = "Delete"
    BIN = "Restore from the bin"


def open_dialog(dialog: Dialog) -> None:
    """Have the next run of the page show a dialog."""
    st.session_state[Key.DIALOG] = dialog


def opened_dialog() -> Dialog | None:
    """The dialog to show."""
    dialog = st.session_state.get(Key.DIALOG)
    return dialog if isinstance(dialog, Dialog) else None


def close_dialog() -> None:
    """Have the next run of the page show none."""
    st.session_state.pop(Key.DIALOG, None)
