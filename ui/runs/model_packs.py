"""Models as files: the button that saves one, and the place to drop one to install it."""

from dataclasses import dataclass
from io import BytesIO

import streamlit as st
from streamlit.typing import UploadedFile

from sneaker_core.errors import RunError, SneakerError
from sneaker_core.training.run_collection import runs_of
from sneaker_core.workspace.paths import run_model_folder, workspace
from ui.kit.changes import can_change, change_button
from ui.kit.page_links import Page, draw_page_link
from ui.kit.text import escape_markdown
from ui.runs.run_rows import Row
from ui.runs.run_table import select_runs
from ui.runs.runs_keys import Key

_HELP = (
    "A zip file that “Save as a file” or `models pack` made, here or on another computer. Everything in it is checked "
    "first; if anything is wrong, nothing is installed."
)


@dataclass(frozen=True)
class _Result:
    """What came of a file.

    Attributes
    ----------
    upload : str
        Its id.
    name : str
        Of the installed model; empty if none was.
    text : str
        What was understood, or what is wrong.
    needs_name : bool
        Whether the model can be installed under another name.
    """

    upload: str
    name: str
    text: str
    needs_name: bool = False


def draw_save_button(row: Row) -> None:
    """Draw the button that saves a model as a file.

    Parameters
    ----------
    row : Row
        With a model.
    """
    # Imported on demand, as it is slow.
    from sneaker_core.training.model_pack import pack_name

    st.download_button(
        "Save as a file",
        lambda: packed(row),
        pack_name(row.name),
        "application/zip",
        key=Key.RUN_PACK.of(row.name),
        type="tertiary",
        icon=":material/archive:",
        on_click="ignore",
        help="One zip file with the weights, the model card and the evaluation, to install the model elsewhere. "
        "It holds no photos and not your note.",
    )


def packed(row: Row) -> BytesIO:
    """The pack of a row's model."""
    from sneaker_core.training.model_pack import write_pack

    file = BytesIO()
    write_pack(workspace(), run_model_folder(row.folder) if row.run else row.folder, file)
    return file


def draw_install() -> None:
    """Draw the place to drop a model's file, which installs it, and what came of it."""
    with st.container(border=True):
        upload = st.file_uploader(
            "Install a model: drop its file here",
            type=["zip"],
            key=Key.INSTALL_FILE,
            disabled=not can_change(),
            help=_HELP,
        )
        if not isinstance(upload, UploadedFile) or not can_change():
            return
        result = st.session_state.get(Key.INSTALL_RESULT)
        if not isinstance(result, _Result) or result.upload != upload.file_id:
            result = _install(upload, None)
        if result.name:
            st.success(
                f"**{escape_markdown(result.name)}** {escape_markdown(result.text)}", icon=":material/check_circle:"
            )
            draw_page_link("Use in Identify", Page.IDENTIFY, model=result.name)
            return
        st.error(escape_markdown(result.text), icon=":material/error:")
        if result.needs_name:
            _draw_other_name(upload)


def _draw_other_name(upload: UploadedFile) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        usual = runs_of(workspace()).free_name(upload.name.removesuffix(".zip"))
        name = st.text_input("Name", usual, key=Key.INSTALL_NAME.of(upload.file_id), max_chars=80)
        if change_button("Install under this name", key=Key.INSTALL_START, type="primary"):
            _install(upload, name)
            st.rerun()


def _install(upload: UploadedFile, name: str | None) -> _Result:
    """Install a model, select it, and show the page anew; or say what is wrong."""
    from sneaker_core.training.model_install import install_model

    try:
        with st.spinner("Checking and installing the model…"):
            done = install_model(workspace(), upload, upload.name, name)
    except SneakerError as error:
        result = _Result(upload.file_id, "", str(error), isinstance(error, RunError))
        st.session_state[Key.INSTALL_RESULT] = result
        return result
    st.session_state[Key.INSTALL_RESULT] = _Result(upload.file_id, done.name, done.sentence())
    select_runs([done.name])
    st.toast(f"Installed {escape_markdown(done.name)}.", icon=":material/check:")
    return st.rerun()
