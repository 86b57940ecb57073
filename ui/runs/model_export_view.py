"""Export of a model to a file for programs outside SoleScope."""

from pathlib import Path

import streamlit as st

from sneaker_core.inference.export.export_formats import ExportFormat
from sneaker_core.inference.export.export_jobs import export_job_folder, find_export, start_export
from sneaker_core.networks.model_registry import model_reference
from sneaker_core.workspace.job_record import Job, is_alive
from sneaker_core.workspace.paths import workspace
from ui.kit.changes import change_button
from ui.kit.job_panel import JobPanel, attempt, draw_job, note_job
from ui.kit.text import size_text
from ui.runs.runs_keys import Key

_ABOUT = (
    "An ONNX file runs in browsers, on phones and in other programs, without SoleScope. It holds all that an answer "
    "needs, and is compared with the model before it is saved."
)
_ENDINGS = {ExportFormat.ONNX: ".onnx", ExportFormat.ONNX_INT8: "-int8.onnx"}
_CAPTIONS = {
    ExportFormat.ONNX: "The same answers as here.",
    ExportFormat.ONNX_INT8: "About a third of the size and faster; at most one photo in a hundred more is wrong.",
}


def _finding(job: Job) -> str:
    return str((job.result or {}).get("finding", ""))


# "Export" stays below it, so the panel needs no button that does the same.
_PANEL = JobPanel(
    place="export",
    resumable=False,
    stop_help="Nothing is saved, but you can export again.",
    restart_text="",
    outcome=_finding,
)


def draw_export(name: str, model_folder: Path) -> None:
    """Draw the choice of a format, the export while it runs, and the file to download.

    Parameters
    ----------
    name : str
        Of the run or the built-in model.
    model_folder : Path
    """
    st.caption(_ABOUT)
    picked = st.radio(
        "Format",
        list(ExportFormat),
        key=Key.RUN_EXPORT_FORMAT.of(name),
        persist_state="session",
        format_func=lambda one: ExportFormat(one).label,
        captions=list(_CAPTIONS.values()),
    )
    chosen, reference = ExportFormat(picked or ExportFormat.ONNX), model_reference(workspace(), model_folder)
    job = export_job_folder(workspace(), reference, chosen)
    draw_job(job, _PANEL)
    if is_alive(job):
        return
    file = find_export(workspace(), reference, chosen)
    with st.container(horizontal=True):
        if file is not None:
            st.download_button(
                f"Download ({size_text(file.stat().st_size)})",
                file.read_bytes,
                file_name=f"{name}{_ENDINGS[chosen]}",
                mime="application/octet-stream",
                key=Key.RUN_EXPORTED.of(name),
                type="primary",
                icon=":material/download:",
                on_click="ignore",
            )
        change_button(
            "Export" if file is None else "Export again",
            key=Key.RUN_EXPORT.of(name),
            type="primary" if file is None else "secondary",
            icon=":material/output:",
            on_click=_start,
            args=(reference, name, chosen),
        )


def _start(reference: str, name: str, chosen: ExportFormat) -> None:
    if attempt(lambda: start_export(workspace(), reference, name, chosen)):
        note_job(export_job_folder(workspace(), reference, chosen))
