"""Exports that a page starts, in the background.

::

    <workspace>/exports/<model>-<format>/      the file, and the job of kind "export" in job/
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sneaker_core.errors import CheckpointError, StoppedError
from sneaker_core.inference.export.export_formats import ExportFormat
from sneaker_core.workspace.jobs import Worker, start_job
from sneaker_core.workspace.paths import exports_folder
from sneaker_core.workspace.safe_names import safe_folder_name


def export_folder(workspace: Path, reference: str, chosen: ExportFormat) -> Path:
    """The folder of an export.

    Parameters
    ----------
    workspace : Path
    reference : str
        From `model_registry.model_reference`.
    chosen : ExportFormat
    """
    return exports_folder(workspace) / f"{safe_folder_name(reference)}-{chosen.value}"


def export_job_folder(workspace: Path, reference: str, chosen: ExportFormat) -> Path:
    """Folder of the job that makes an export."""
    return export_folder(workspace, reference, chosen) / "job"


def exported_file(workspace: Path, reference: str, chosen: ExportFormat) -> Path:
    """Where an export lies once it is made."""
    return export_folder(workspace, reference, chosen) / "model.onnx"


def find_export(workspace: Path, reference: str, chosen: ExportFormat) -> Path | None:
    """The exported file of a model as it is now; None if there is none, or the model has changed since.

    The file says what it was exported from: the weights, by their checksum, and all that an answer needs. Times of
    files say less: those of a restored or copied model are older than its exchange.
    """
    from sneaker_core.networks.checkpoint import read_spec, weights_checksum
    from sneaker_core.networks.model_registry import find_model_by_reference
    from sneaker_core.networks.onnx_file import describe_onnx
    from sneaker_core.networks.onnx_metadata import description

    file, folder = exported_file(workspace, reference, chosen), find_model_by_reference(workspace, reference)
    with contextlib.suppress(CheckpointError):
        found = describe_onnx(file)
        present = description(read_spec(folder), weights_checksum(folder), found.precision)
        if description(found.spec, found.source_checksum, found.precision) == present:
            return file
    return None


def start_export(workspace: Path, reference: str, name: str, chosen: ExportFormat) -> Path:
    """Start an export in the background; returns the job's folder.

    Parameters
    ----------
    workspace, reference, chosen
        As for `export_folder`.
    name : str
        Display name of the model.

    Raises
    ------
    BusyError
        It is running already.
    """
    return start_job(
        export_job_folder(workspace, reference, chosen),
        "export",
        {"model": reference, "format": chosen.value},
        title=f"Exporting {name} ({chosen.label})",
        workspace=workspace,
    )


def run_export_job(workspace: Path, params: Mapping[str, Any], worker: Worker) -> None:
    """Export a model; params: model, format."""
    from sneaker_core.inference.export.export_model import export_model
    from sneaker_core.networks.model_registry import find_model_by_reference

    reference, chosen = str(params["model"]), ExportFormat(params.get("format", ExportFormat.ONNX))

    def report(done: int, total: int, step: str) -> None:
        worker.report(done, total, step)
        if worker.stopped():
            raise StoppedError("The export was stopped. Nothing was written.")

    folder = find_model_by_reference(workspace, reference)
    file = exported_file(workspace, reference, chosen)
    done = export_model(workspace, folder, file, chosen, is_change=True, report=report)
    worker.result = {"finding": done.agreement.sentence()}
    worker.log(done.sentence())
