"""Ranges of activations that a model comes with, for int8: measured on photos that don't come with it.

`benchmarks/calibration_table.py` makes those of a bundled model.
"""

import json
from pathlib import Path

from sneaker_core.records.model_records import CalibrationFile
from sneaker_core.records.reading import find_record
from sneaker_core.workspace.atomic_files import write_atomically

CALIBRATION_FILE = "calibration.json"
_FORMAT = 1
# Tensor -> the lowest and highest value to represent.
Ranges = dict[str, tuple[float, float]]


def write_ranges(folder: Path, ranges: Ranges, weights_sha256: str, photos: int) -> None:
    """Keep ranges with the model that they were measured for."""
    values = {"format": _FORMAT, "weights_sha256": weights_sha256, "photos": photos, "ranges": ranges}
    write_atomically(folder / CALIBRATION_FILE, (json.dumps(values, indent=1) + "\n").encode())


def read_ranges(folder: Path, weights_sha256: str) -> Ranges | None:
    """The ranges that a model comes with; None if there are none, or they were measured for other weights.

    Raises
    ------
    DamagedError
        The file is damaged.
    """
    record = find_record(folder / CALIBRATION_FILE, CalibrationFile)
    return record.ranges if record is not None and record.weights_sha256 == weights_sha256 else None
