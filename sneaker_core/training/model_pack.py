"""A model pack: a model as one zip archive, to be installed in another workspace.

::

    model.json, weights.safetensors        the model; a pack holds at least these. A model that is an ONNX file has
                                           model.onnx in place of weights
    split.csv                              the photos it was trained on and tested with, by the hashes of their bytes
    taught.json, taught.safetensors        what it was taught by example
    MODEL_CARD.md
    evaluation/evaluation.json             the evaluation on its test photos: figures, also by world,
    evaluation/predictions.parquet         and predictions, without photos and paths
    calibration.json                       ranges for int8, if it comes with them
    *.onnx                                 the model for other programs, if it was exported
    pack.json                              what the pack holds, with sizes and checksums; see `PackFile`

`pack_reading` reads one.
"""

import contextlib
import hashlib
import json
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any, BinaryIO

from sneaker_core import __version__
from sneaker_core.datasets.split import SPLIT_FILE
from sneaker_core.errors import CheckpointError, RunError
from sneaker_core.evaluation.evaluation_collection import own_evaluation
from sneaker_core.evaluation.evaluation_files import description_bytes, distributed, read_table
from sneaker_core.evaluation.evaluation_record import EVALUATION_FILE, Evaluation
from sneaker_core.evaluation.table_columns import compact
from sneaker_core.networks.calibration_ranges import CALIBRATION_FILE, read_ranges
from sneaker_core.networks.checkpoint import (
    MODEL_FILE,
    ONNX_FILE,
    WEIGHTS_FILE,
    ModelSpec,
    load_model,
    onnx_file,
    read_spec,
    weights_checksum,
    weights_version,
)
from sneaker_core.networks.model_registry import find_model
from sneaker_core.records.reading import read_values
from sneaker_core.training.run_card import run_card
from sneaker_core.training.run_collection import CARD_FILE, Run, read_run
from sneaker_core.training.taught_model import EMBEDDINGS_FILE, TAUGHT_FILE
from sneaker_core.workspace.paths import (
    BUNDLED_MODELS,
    PREDICTIONS_FILE,
    RUN_FILE,
    model_evaluation_folder,
    run_model_folder,
    runs_folder,
)
from sneaker_core.workspace.safe_names import safe_folder_name

FORMAT = 1
PACK_FILE = "pack.json"
EVALUATION = f"{model_evaluation_folder(Path()).name}/{EVALUATION_FILE}"
PREDICTIONS = f"{model_evaluation_folder(Path()).name}/{PREDICTIONS_FILE}"
_MB = 1_000_000
# Every file that a pack may hold -> its largest size, in bytes.
PACKED_FILES: Mapping[str, int] = MappingProxyType(
    {
        MODEL_FILE: 64 * _MB,
        WEIGHTS_FILE: 1_500 * _MB,
        SPLIT_FILE: 200 * _MB,
        TAUGHT_FILE: 64 * _MB,
        EMBEDDINGS_FILE: 200 * _MB,
        CALIBRATION_FILE: 5 * _MB,
        CARD_FILE: 5 * _MB,
        EVALUATION: 64 * _MB,
        PREDICTIONS: 200 * _MB,
        PACK_FILE: _MB,
    }
)
EXPORT_ENDING, LARGEST_EXPORT, MOST_EXPORTS = ".onnx", 1_500 * _MB, 4
_CHUNK = 1 << 20
# Copied from the model's folder as they are.
_COPIED = (WEIGHTS_FILE, SPLIT_FILE, TAUGHT_FILE, EMBEDDINGS_FILE)
# Zip archives can't say that a file has no date.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ModelPack:
    """A pack that was written.

    Attributes
    ----------
    name : str
        Of the model.
    weights : str
        Its `weights_version`.
    files : dict of str to int
        Name -> size in bytes.
    left_out : str
        Why it has no evaluation, in a sentence; empty if it has one, or if the model has none.
    """

    name: str
    weights: str
    files: dict[str, int]
    left_out: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dict(vars(self))


def most_bytes(name: str) -> int | None:
    """The largest size of a file in a pack; None if packs have no such file."""
    if name.endswith(EXPORT_ENDING) and safe_folder_name(name) == name:
        return LARGEST_EXPORT
    return PACKED_FILES.get(name)


def pack_name(model: str) -> str:
    """The usual name of a model's pack."""
    return f"{safe_folder_name(model)}.zip"


def save_pack(workspace: Path, model: str, target: Path) -> ModelPack:
    """Write a model's pack to a file that the user named, in place of one that is there.

    Parameters
    ----------
    workspace : Path
    model : str
        As for `find_model`.
    target : Path

    Raises
    ------
    ModelNotFoundError, CheckpointError
        There is no such model, or it is damaged.
    RunError
        The file can't be written.
    """
    folder = find_model(workspace, model)
    unfinished = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            done = write_pack(workspace, folder, file)
        unfinished.replace(target)
    except OSError as error:
        raise RunError(f"Can't write {target}: {error.strerror}.") from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return done


def write_pack(workspace: Path, folder: Path, file: BinaryIO) -> ModelPack:
    """Write the pack of a model to an open file.

    Parameters
    ----------
    workspace : Path
    folder : Path
        The model's: a bundled one, a run's, or any other, or an ONNX file.
    file : BinaryIO

    Raises
    ------
    CheckpointError
        The model is damaged.
    """
    spec, version, run = read_spec(folder), weights_version(folder), _run_of(workspace, folder)
    found = own_evaluation(folder, folder.absolute().parent == BUNDLED_MODELS)
    evaluation = {} if found is None or not found.is_ready else _evaluation(folder, found, spec.name)
    parts: dict[str, bytes | Path] = {MODEL_FILE: _description(folder, spec)}
    parts |= _copied(folder)
    parts |= {CARD_FILE: run_card(spec, run, with_note=False).encode(), **evaluation}
    exported = onnx_file(folder)
    if exported is not None:
        load_model(folder)  # it has no checksum of its own to tell whether it is whole
    with zipfile.ZipFile(file, "w") as archive:
        rows = [_add(archive, name, content) for name, content in parts.items()]
        if exported is None and not any(
            row["name"] == WEIGHTS_FILE and row["sha256"].startswith(version) for row in rows
        ):
            raise CheckpointError(f"{folder / WEIGHTS_FILE} is missing or damaged. Copy the model's folder again.")
        record = {
            "format": FORMAT,
            "name": spec.name,
            "weights": version,
            "packed": time.time(),
            "solescope": __version__,
            "data": run.dataset if run is not None else "" if found is None else found.data,
            "taught_from": run.taught_from if run is not None else None,
            "files": rows,
        }
        _add(archive, PACK_FILE, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode(errors="replace"))
    left_out = "" if found is None or evaluation else f"The evaluation is left out: {found.problem}"
    return ModelPack(spec.name, version, {row["name"]: row["size"] for row in rows}, left_out)


def _run_of(workspace: Path, folder: Path) -> Run | None:
    """The run that a model belongs to; an ONNX file that was put among the runs by hand belongs to none."""
    run_folder = folder.absolute().parent
    is_run = run_folder.parent == runs_folder(workspace).absolute() and run_model_folder(run_folder) == folder
    if not is_run or (onnx_file(folder) is not None and not (run_folder / RUN_FILE).exists()):
        return None
    return read_run(run_folder)


def _description(folder: Path, spec: ModelSpec) -> bytes:
    """The model's ``model.json`` without paths of this computer; an ONNX file may come without one."""
    file = folder / MODEL_FILE
    values = read_values(file) if file.is_file() else {**spec.to_dict(), "weights_sha256": weights_checksum(folder)}
    recipe = values["recipe"]
    if isinstance(recipe.get("init"), str):
        recipe["init"] = PurePath(recipe["init"].replace("\\", "/")).name
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode(errors="replace")


def _evaluation(folder: Path, found: Evaluation, model: str) -> dict[str, bytes]:
    """The files of the model's evaluation on its test photos."""
    kept = distributed(replace(found, model=model))
    return {EVALUATION: description_bytes(kept), PREDICTIONS: _predictions(folder, found)}


def _predictions(folder: Path, evaluation: Evaluation) -> bytes:
    """The prediction table as models are distributed with it."""
    if evaluation.saved_in == model_evaluation_folder(folder):
        return (evaluation.saved_in / PREDICTIONS_FILE).read_bytes()
    buffer = BytesIO()
    compact(read_table(evaluation)).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _copied(folder: Path) -> dict[str, Path]:
    """The files that are packed as they are: those that belong to the model, and exports of it."""
    if folder.is_file():
        return {ONNX_FILE: folder}
    names = [name for name in _COPIED if (folder / name).is_file()]
    if read_ranges(folder, weights_checksum(folder)) is not None:
        names.append(CALIBRATION_FILE)
    found = (file for file in folder.glob(f"*{EXPORT_ENDING}") if file.is_file() and not file.is_symlink())
    exports = sorted(found, key=lambda file: (file.name != ONNX_FILE, file.name))
    names += [file.name for file in exports if most_bytes(file.name) is not None][:MOST_EXPORTS]
    return {name: folder / name for name in names}


def _add(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> dict[str, Any]:
    """Add a file to an archive; returns its row of ``pack.json``."""
    info = zipfile.ZipInfo(name, _NO_DATE)
    # Weights hardly get smaller.
    info.compress_type = (
        zipfile.ZIP_DEFLATED if isinstance(content, bytes) or name == SPLIT_FILE else zipfile.ZIP_STORED
    )
    checksum, size = hashlib.sha256(), 0
    source = BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    with source, archive.open(info, "w", force_zip64=True) as packed:
        while chunk := source.read(_CHUNK):
            checksum.update(chunk)
            size += len(chunk)
            packed.write(chunk)
    return {"name": name, "size": size, "sha256": checksum.hexdigest()}
