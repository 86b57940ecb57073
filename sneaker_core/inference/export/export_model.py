"""Export a model: write its ONNX file, check that it agrees, and only then put it where it was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sneaker_core.errors import ExportError, SpaceError
from sneaker_core.inference.export.export_photos import drawn_photos, test_photos
from sneaker_core.inference.export.onnx_writer import onnx_model
from sneaker_core.inference.export.parity_check import Agreement, check_float32, compare
from sneaker_core.networks.checkpoint import SneakerModel, load_model, onnx_file, weights_checksum
from sneaker_core.networks.onnx_network import OnnxNetwork
from sneaker_core.workspace.atomic_files import write_atomically

if TYPE_CHECKING:
    import onnx

# Photos that a float32 file is compared on.
_COMPARED = 200
_WRITING, _COMPARING = "Writing the graph", "Comparing answers"

Report = Callable[[int, int, str], None]


class ExportFormat(StrEnum):
    """What a model can be exported as."""

    ONNX = "onnx"
    ONNX_INT8 = "onnx-int8"


@dataclass(frozen=True)
class Export:
    """An exported file.

    Attributes
    ----------
    file : Path
    format : ExportFormat
    size : int
        In bytes.
    agreement : Agreement
    """

    file: Path
    format: ExportFormat
    size: int
    agreement: Agreement

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "file": str(self.file),
            "format": self.format.value,
            "bytes": self.size,
            "agreement": self.agreement.to_dict(),
        }

    def sentence(self) -> str:
        """What was written and how well it agrees."""
        return f"Wrote {self.file} ({self.size / 1e6:.1f} MB). {self.agreement.sentence()}"


def export_model(
    workspace: Path,
    folder: Path,
    file: Path,
    chosen: ExportFormat = ExportFormat.ONNX,
    *,
    is_change: bool = False,
    report: Report = lambda done, total, step: None,
) -> Export:
    """Export a model to a file, which is written only if it agrees with the model.

    Parameters
    ----------
    workspace : Path
        Where photos to compare on are looked for.
    folder : Path
        The model's folder.
    file : Path
        What to write; replaced if it exists.
    chosen : ExportFormat
    is_change : bool
        Whether the file is part of the workspace, which may be read-only.
    report : callable
        Called with the number of photos done, the total, and the current step.

    Raises
    ------
    CheckpointError
        The model is damaged.
    ExportError
        The file would disagree with the model, or the model is an ONNX file already.
    SpaceError
        The file can't be written.
    """
    if onnx_file(folder) is not None:
        raise ExportError(f"{folder} is an ONNX file already. Export the model it was exported from.")
    report(0, 0, _WRITING)
    model = load_model(folder)
    written = onnx_model(model, weights_checksum(folder))
    photos = _photos_to_compare(workspace, folder, model)
    found = compare(model, _network(written, model), photos, lambda done, total: report(done, total, _COMPARING))
    check_float32(found)
    data = written.SerializeToString()
    try:
        write_atomically(file, data, is_change=is_change)
    except OSError as error:
        raise SpaceError(f"Can't write {file}: {error.strerror or error}. Choose another place.") from None
    return Export(file, chosen, len(data), found)


def _network(written: "onnx.ModelProto", model: SneakerModel) -> OnnxNetwork:
    return OnnxNetwork(written.SerializeToString(), model.spec, "the exported file")


def _photos_to_compare(workspace: Path, folder: Path, model: SneakerModel) -> pd.DataFrame:
    own = test_photos(workspace, folder, model.spec, _COMPARED)
    missing = _COMPARED - len(own)
    return pd.concat([own, drawn_photos(workspace, missing)], ignore_index=True) if missing else own
