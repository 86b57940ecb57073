"""Small real test objects: generated photos, and networks that answer in milliseconds."""

import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from click.testing import CliRunner
from PIL import Image

from sneaker_core.__main__ import main
from sneaker_core.networks.architectures import build_network
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.decision import Outputs, unit_length
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.training.taught_model import taught_summary
from sneaker_core.training.trainer import TrainingData

PROJECT = Path(__file__).resolve().parent.parent
CLASSES = ("boot", "clog", "sandal")
# One network of each kind of block. The others differ in the number of blocks, so for them shapes are enough.
ONE_OF_EACH_KIND = (
    "sneaker_cnn",
    "resnet18",
    "resnet50",
    "vgg16",
    "inception_v3",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
)

# Such small networks don't benefit from a second thread, which slows them down on a busy machine.
torch.set_num_threads(1)


def photo(seed: int, size: tuple[int, int] = (64, 48)) -> Image.Image:
    """A picture of random blobs, different for each seed."""
    blobs = np.random.default_rng(seed).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    return Image.fromarray(blobs).resize(size, Image.Resampling.BICUBIC)


def photo_of_class(number: int, seed: int, size: tuple[int, int] = (40, 32)) -> Image.Image:
    """A picture whose class determines its color: red, blue or green."""
    color = np.roll([200, 60, 60], -number)
    noise = np.random.default_rng([number, seed]).integers(-40, 40, (16, 16, 3))
    return Image.fromarray((color + noise).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def packed_bmp(width: int, height: int) -> bytes:
    """A black BMP whose rows are run-length encoded: one pixel and "end of line"."""
    body = b"\1\0\0\0" * height
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(body), 0, 0, 1078) + header + bytes(1024) + body


def slow_photo() -> bytes:
    """41 kB that take half a minute to decode, if a photo may have that many pixels: Pillow unpacks it in Python."""
    return packed_bmp(10_000, 10_000)


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def draw_dataset(folder: Path, counts: Mapping[str, int]) -> Path:
    """A folder laid out as <class>/*, with classes that are easy to distinguish."""
    for number, (label, count) in enumerate(counts.items()):
        for seed in range(count):
            write(folder / label / f"{seed:02}.jpg", jpeg(photo_of_class(number, seed)))
    return folder


def draw_arrays(per_class: int, classes: int = 2, size: int = 36, first_seed: int = 0) -> TrainingData:
    """Photos like those of `draw_dataset`, as arrays."""
    made = [
        (np.asarray(photo_of_class(number, seed, (size, size))), number)
        for number in range(classes)
        for seed in range(first_seed, first_seed + per_class)
    ]
    pixels, targets = zip(*made, strict=True)
    return TrainingData(np.stack(pixels), np.array(targets, dtype=np.int64), classes)


def lively_model(
    classes: tuple[str, ...] = CLASSES,
    *,
    has_negatives_class: bool = False,
    size: int = 32,
    seed: int = 0,
    **spec: object,
) -> SneakerModel:
    """A network with random weights whose predictions differ between photos."""
    described = ModelSpec("lively", "mobilenet_v2", classes, has_negatives_class, Preprocessing(size, size), **spec)
    torch.manual_seed(seed)
    network = build_network("mobilenet_v2", described.outputs)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        # A forward pass on noise sets the batch-norm statistics; without it, all predictions would be the same.
        network.train()(torch.randn(16, 3, size, size))
        network.head.weight.mul_(5)
    references = np.random.default_rng(seed).normal(size=(4, 1280)).astype(np.float32)
    return SneakerModel(described, network.eval().requires_grad_(False), unit_length(references))


def teachable_model(**spec: object) -> SneakerModel:
    """A lively network with negatives, whose references are embeddings of photos."""
    model = lively_model(has_negatives_class=True, **spec)
    seen = model.outputs(model.spec.preprocessing([photo(seed) for seed in range(30)]))
    return replace(model, references=unit_length(seen.embeddings))


def taught_names(folder: Path) -> tuple[str, ...]:
    """The sneakers that a model was taught by example, by its folder."""
    summary = taught_summary(folder)
    assert summary is not None
    return tuple(summary.sneakers)


def outputs_of(
    logits: np.ndarray, embeddings: np.ndarray | None = None, negatives_logit: np.ndarray | None = None
) -> Outputs:
    """Outputs of a network, made by hand; by default all embeddings are the same."""
    return Outputs(
        logits=np.asarray(logits, dtype=np.float32),
        negatives_logit=None if negatives_logit is None else np.asarray(negatives_logit, dtype=np.float32),
        embeddings=np.asarray(np.ones((len(logits), 2)) if embeddings is None else embeddings, dtype=np.float32),
    )


def prediction_rows(rows: list[tuple[str, dict[str, float], str]]) -> pd.DataFrame:
    """A prediction table from (label, probability of each class, status)."""
    table = pd.DataFrame(
        {
            "label": [label for label, _, _ in rows],
            "predicted": [max(chances, key=chances.__getitem__) for _, chances, _ in rows],
            "probability": [max(chances.values()) for _, chances, _ in rows],
            "status": [status for _, _, status in rows],
        }
    )
    columns = pd.DataFrame([chances for _, chances, _ in rows]).add_prefix("p:")
    return pd.concat([table, columns], axis=1)


def run_command(workspace: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """What a command of the program prints and returns, in this process: a new one takes seconds to import torch."""
    done = CliRunner().invoke(main, ["--workspace", str(workspace), *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def in_new_python(code: str) -> str:
    """Output of code in a new interpreter."""
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
