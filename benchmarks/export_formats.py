"""Compare street72 with its exports: ``python -m benchmarks.export_formats --home FOLDER`` in the project folder.

Size, accuracy and refusals on a sample of its test photos from each world, and the time from prepared photos to
outputs, measured in turn, so that a busy machine slows all formats alike. Prints a table in Markdown. ``--home`` is the
workspace that ``benchmarks.street72`` prepared; needs ``SOLESCOPE_REAL_DATA``.
"""

import argparse
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks.street72 import photos_of
from sneaker_core import images
from sneaker_core.datasets.photo_worlds import WORLD
from sneaker_core.datasets.split import Split
from sneaker_core.inference.export.int8_quantization import quantize
from sneaker_core.inference.export.onnx_writer import describe, onnx_model
from sneaker_core.networks.bundled_models import DEFAULT_MODEL
from sneaker_core.networks.calibration_ranges import read_ranges
from sneaker_core.networks.checkpoint import WEIGHTS_FILE, SneakerModel, load_model, weights_checksum
from sneaker_core.networks.decision import Outputs, ood_score
from sneaker_core.networks.onnx_metadata import INT8, description
from sneaker_core.workspace.paths import BUNDLED_MODELS

_BATCH = 16
Models = Mapping[str, tuple[SneakerModel, int]]


def formats(folder: Path, place: Path) -> Models:
    """The model in each format, and its size in bytes."""
    model, checksum = load_model(folder), weights_checksum(folder)
    whole, ranges = onnx_model(model, checksum), read_ranges(folder, checksum)
    assert ranges is not None
    small = quantize(whole, ranges)
    describe(small, description(model.spec, checksum, INT8))
    found = {"torch": (model, (folder / WEIGHTS_FILE).stat().st_size)}
    for name, written in (("onnx", whole), ("onnx-int8", small)):
        file = place / f"{name}.onnx"
        file.write_bytes(written.SerializeToString())
        found[name] = (load_model(file), file.stat().st_size)
    return found


def prepared(model: SneakerModel, rows: pd.DataFrame) -> Tensor:
    """Photos as the network takes them."""
    preprocessing = model.spec.preprocessing
    read = [images.load(Path(path), shrink_to=preprocessing.shrink_to) for path in rows["path"]]
    return preprocessing(read)


def scores(model: SneakerModel, photos: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The number of the first class of each photo, and whether the photo is refused."""
    top, refused = [], []
    for start in range(0, len(photos), _BATCH):
        outputs: Outputs = model.outputs(photos[start : start + _BATCH])
        top.append(outputs.logits.argmax(1))
        refused.append(ood_score(outputs, model.references, model.spec.decision) > model.spec.decision.ood_threshold)
    return np.concatenate(top), np.concatenate(refused)


def timings(models: Models, photos: Tensor, rounds: int) -> dict[str, np.ndarray]:
    """Milliseconds of each round, in which every format takes its turn."""
    taken: dict[str, list[float]] = {name: [] for name in models}
    for number in range(rounds + 1):
        for name, (model, _) in models.items():
            started = time.perf_counter()
            model.outputs(photos)
            if number:  # the first round warms up
                taken[name].append(1000 * (time.perf_counter() - started))
    return {name: np.array(values) for name, values in taken.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="workspace")
    parser.add_argument("--per-world", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    folder = BUNDLED_MODELS / DEFAULT_MODEL
    with tempfile.TemporaryDirectory() as place:
        models = formats(folder, Path(place))
        labeled, negatives = (found[Split.TEST] for found in photos_of(asked.home, folder))
        worlds = [rows.sample(min(asked.per_world, len(rows)), random_state=0) for _, rows in labeled.groupby(WORLD)]
        chosen, others = pd.concat(worlds), negatives.sample(min(asked.per_world, len(negatives)), random_state=0)
        model = models["torch"][0]
        photos, strange = prepared(model, chosen), prepared(model, others)
        truth = np.array([model.spec.classes.index(label) for label in chosen["label"]])
        one, many = timings(models, photos[:1], 3 * asked.rounds), timings(models, photos[:32], asked.rounds)
        print(f"{len(photos)} test photos, {len(strange)} of other things, {torch.get_num_threads()} threads\n")
        print("| format | size | top-1 | known refused | others refused | 1 photo | of torch's | 32 | of torch's |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for name, (tried, size) in models.items():
            (top, refused), (_, rejected) = scores(tried, photos), scores(tried, strange)
            cells = [
                name,
                f"{size / 1e6:.1f} MB",
                *(f"{part.mean():.3f}" for part in (top == truth, refused, rejected)),
            ]
            for taken in (one, many):
                ratio = float(np.median(taken[name] / taken["torch"]))
                cells += [f"{np.median(taken[name]):.0f} ms", f"{ratio:.2f}"]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
