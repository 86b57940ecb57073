"""Export a model: write its ONNX file, check that it agrees, and only then put it where it was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sneaker_core.errors import ExportError, SpaceError
from sneaker_core.inference.export.export_formats import ExportFormat
from sneaker_core.inference.export.export_photos import drawn_photos, test_photos, training_photos
from sneaker_core.inference.export.int8_quantization import fits, measure_ranges, quantize
from sneaker_core.inference.export.onnx_writer import describe, onnx_model
from sneaker_core.inference.export.parity_check import Agreement, check_float32, check_int8, compare, read_pixels
from sneaker_core.networks.calibration_ranges import read_ranges
from sneaker_core.networks.checkpoint import SneakerModel, load_model, onnx_file, weights_checksum
from sneaker_core.networks.onnx_metadata import INT8, description
from sneaker_core.networks.onnx_network import OnnxNetwork
from sneaker_core.workspace.atomic_files import write_atomically

if TYPE_CHECKING:
    import onnx

# Photos that a float32 file is compared on, that int8 is measured on at most, and that its ranges are measured on.
_COMPARED, _MOST_TESTED, _CALIBRATED = 200, 2000, 128
_WRITING, _CALIBRATING, _COMPARING = "Writing the graph", "Measuring activations", "Comparing answers"

Report = Callable[[int, int, str], None]


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
    model, checksum = load_model(folder), weights_checksum(folder)
    written = onnx_model(model, checksum)
    own = test_photos(workspace, folder, model.spec, _COMPARED if chosen is ExportFormat.ONNX else _MOST_TESTED)
    if chosen is ExportFormat.ONNX_INT8:
        report(0, 0, _CALIBRATING)
        written = _quantized(written, model, checksum, workspace, folder)
    if chosen is ExportFormat.ONNX or own.empty:
        own = _with_drawn(own, workspace)
    found = compare(model, _network(written, model), own, lambda done, total: report(done, total, _COMPARING))
    (check_float32 if chosen is ExportFormat.ONNX else check_int8)(found)
    data = written.SerializeToString()
    try:
        write_atomically(file, data, is_change=is_change)
    except OSError as error:
        raise SpaceError(f"Can't write {file}: {error.strerror or error}. Choose another place.") from None
    return Export(file, chosen, len(data), found)


def _network(written: "onnx.ModelProto", model: SneakerModel) -> OnnxNetwork:
    return OnnxNetwork(written.SerializeToString(), model.spec, "the exported file")


def _quantized(
    written: "onnx.ModelProto", model: SneakerModel, checksum: str, workspace: Path, folder: Path
) -> "onnx.ModelProto":
    """The int8 model, with ranges that it comes with or that are measured on its training photos."""
    ranges = read_ranges(folder, checksum)
    if ranges is None or not fits(written, ranges):
        photos = training_photos(workspace, folder, _CALIBRATED)
        if photos.empty:
            raise ExportError(
                f"int8 needs some of the photos that {model.spec.name} was trained with, and none of them are here. "
                "Import them again, or export in full precision (onnx)."
            )
        ranges = measure_ranges(written, read_pixels(model, photos))
    quantized = quantize(written, ranges)
    describe(quantized, description(model.spec, checksum, INT8))
    return quantized


def _with_drawn(own: pd.DataFrame, workspace: Path) -> pd.DataFrame:
    """The photos, and drawn ones up to the number that a file is compared on."""
    missing = _COMPARED - len(own)
    return own if missing <= 0 else pd.concat([own, drawn_photos(workspace, missing)], ignore_index=True)
