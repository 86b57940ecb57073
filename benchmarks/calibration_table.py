"""Measure the ranges of activations that street72 ships with: ``python -m benchmarks.calibration_table --home FOLDER``.

Its photos don't ship, so int8 exports of it take their ranges from ``models/street72/calibration.json``. The photos are
those that it was trained with, from the workspace that ``benchmarks.street72`` prepared. Needs
``SOLESCOPE_REAL_DATA``.
"""

import argparse
from pathlib import Path

from benchmarks.street72 import photos_of
from sneaker_core.datasets.split import Split
from sneaker_core.inference.export.int8_quantization import measure_ranges
from sneaker_core.inference.export.onnx_writer import onnx_model
from sneaker_core.inference.export.parity_check import read_pixels
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.calibration_ranges import write_ranges
from sneaker_core.networks.checkpoint import load_model, weights_checksum
from sneaker_core.workspace.paths import BUNDLED_MODELS


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="workspace")
    parser.add_argument("--photos", type=int, default=128)
    asked = parser.parse_args()
    folder = BUNDLED_MODELS / DEFAULT_MODEL
    model, checksum = load_model(folder), weights_checksum(folder)
    chosen = photos_of(asked.home, folder)[0][Split.TRAIN].sample(asked.photos, random_state=0)
    ranges = measure_ranges(onnx_model(model, checksum), read_pixels(model, chosen))
    write_ranges(folder, ranges, checksum, len(chosen))
    print(f"Measured {len(ranges)} activations on {len(chosen)} photos.")


if __name__ == "__main__":
    main()
