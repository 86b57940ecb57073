"""What the files of an unpacked model pack must be, so that a model can be used as if it had been trained here."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import safetensors

from sneaker_core.datasets.split import SPLIT_FILE, read_split
from sneaker_core.errors import CheckpointError, DamagedError, DatasetError
from sneaker_core.evaluation.table_columns import (
    TOP_CLASSES,
    class_columns,
    table_damage,
    with_current_names,
)
from sneaker_core.networks.calibration_ranges import CALIBRATION_FILE, read_ranges
from sneaker_core.networks.checkpoint import (
    WEIGHTS_FILE,
    SneakerModel,
    load_model,
    onnx_file,
    read_spec,
    weights_checksum,
    weights_version,
)
from sneaker_core.records.evaluation_records import EvaluationFile
from sneaker_core.records.model_records import PackFile
from sneaker_core.records.reading import damaged, read_record
from sneaker_core.training.model_pack import EVALUATION, EXPORT_ENDING, PREDICTIONS
from sneaker_core.training.parquet_pages import column_totals
from sneaker_core.training.run_collection import CARD_FILE
from sneaker_core.training.taught_model import EMBEDDINGS_FILE, TAUGHT_FILE, read_taught

if TYPE_CHECKING:
    from pyarrow import DataType, Schema, Table
    from pyarrow.parquet import FileMetaData

_MOST_CLASSES = 20_000
_MOST_CELLS, _MOST_UNPACKED, _LONGEST_TEXT = 100_000_000, 1_000_000_000, 1000
# The only column of lists.
_LISTING = "top"
# Photos per class of the synthetic dataset that an evaluation may draw again.
_MOST_SYNTHETIC = 1000


def check_pack(folder: Path, record: PackFile) -> SneakerModel:
    """Check the files of a pack; returns the model.

    Parameters
    ----------
    folder : Path
        With the unpacked files, whose checksums are right.
    record : PackFile

    Raises
    ------
    CheckpointError
        One of them isn't what it must be; the message names it without the folder.
    """
    try:
        model = _checked_model(folder, record)
        for file, check in (
            (SPLIT_FILE, lambda: read_split(folder)),
            (TAUGHT_FILE, lambda: read_taught(folder)),
            (CALIBRATION_FILE, lambda: _check_ranges(folder)),
            (CARD_FILE, lambda: (folder / CARD_FILE).read_text(encoding="utf-8")),
            (EVALUATION, lambda: _check_evaluation(folder, model)),
        ):
            if (folder / file).exists():
                check()
        for file, needed in ((EMBEDDINGS_FILE, TAUGHT_FILE), (PREDICTIONS, EVALUATION), (EVALUATION, PREDICTIONS)):
            if (folder / file).exists() and not (folder / needed).exists():
                raise DamagedError(f"{file} is there without {needed}.")
        for exported in folder.glob(f"*{EXPORT_ENDING}"):
            _check_export(exported)
    except UnicodeDecodeError:
        raise CheckpointError(f"{CARD_FILE} is damaged: it is no text in UTF-8.") from None
    except (CheckpointError, DamagedError, DatasetError) as error:
        raise CheckpointError(_within(folder, str(error))) from None
    return model


def _within(folder: Path, message: str) -> str:
    """A message about a file in a folder that will be gone: without the folder and what to do about it."""
    told = message.replace(f"{folder}{os.sep}", "").replace(str(folder), "the pack")
    return told.split(" Train or download the model again.")[0].split(" Copy the model's folder again.")[0]


def _checked_model(folder: Path, record: PackFile) -> SneakerModel:
    if len(read_spec(folder).classes) > _MOST_CLASSES:
        raise DamagedError(f"Its model has more than {_MOST_CLASSES:,} classes.")
    is_onnx = onnx_file(folder) is not None
    if not is_onnx:
        _check_format(folder / WEIGHTS_FILE)
    if weights_version(folder) != record.weights:
        raise DamagedError("Its records name two versions of the weights.")
    model = load_model(folder)
    if is_onnx:
        return model  # whose numbers have been checked
    values = [model.references, *(value.numpy() for value in model.network.state_dict().values())]
    if not all(np.isfinite(value).all() for value in values):
        raise DamagedError(f"{WEIGHTS_FILE} holds values that aren't numbers.")
    if model.references.ndim != 2 or model.references.shape[1] != model.network.head.in_features:
        raise DamagedError(f"{WEIGHTS_FILE} holds references that don't fit the network.")
    return model


def _check_format(weights: Path) -> None:
    try:
        with safetensors.safe_open(weights, framework="np"):
            pass
    except (safetensors.SafetensorError, OSError):
        raise DamagedError(f"{weights.name} isn't in the safetensors format, and no other one is read.") from None


def _check_ranges(folder: Path) -> None:
    if read_ranges(folder, weights_checksum(folder)) is None:
        raise damaged(CALIBRATION_FILE, "it is about other weights")


def _check_evaluation(folder: Path, model: SneakerModel) -> None:
    described = read_record(folder / EVALUATION, EvaluationFile)
    if described.dataset_folder or described.model_folder or described.rejected:
        raise damaged(EVALUATION, "it names files of another computer")
    if described.model_version != weights_version(folder):
        raise damaged(EVALUATION, "it is about other weights")
    if described.synthetic is not None and described.synthetic.per_class > _MOST_SYNTHETIC:
        raise damaged(EVALUATION, "synthetic: there are too many photos to draw")
    _check_predictions(folder / PREDICTIONS, model, described.synthetic is not None)


def _check_predictions(file: Path, model: SneakerModel, is_synthetic: bool) -> None:
    """Check a prediction table; first its types and the figures of its pages, which unpack to nothing."""
    import pyarrow
    from pyarrow import parquet

    try:
        head, schema = parquet.read_metadata(file), parquet.read_schema(file)
        _check_columns(file, head, schema)
        # Dictionaries keep a long text that is repeated from filling the memory.
        names = [head.schema.column(place).path for place, field in enumerate(schema) if _holds_text(field.type)]
        stored = parquet.read_table(file, read_dictionary=names)
        _check_texts(stored)
        table = with_current_names(stored.to_pandas())
    except (OSError, ValueError, KeyError, TypeError, MemoryError, pyarrow.ArrowException):
        raise damaged(PREDICTIONS, "it is no complete Parquet file") from None
    table = table.astype({name: object for name in table if isinstance(table[name].dtype, _category())})
    if "path" in table and not is_synthetic:
        raise damaged(PREDICTIONS, "it names files of another computer")
    if damage := table_damage(table):
        raise damaged(PREDICTIONS, damage)
    if tuple(class_columns(table)) != model.spec.classes:
        raise damaged(PREDICTIONS, "its classes aren't those of the model")


def _check_columns(file: Path, head: "FileMetaData", schema: "Schema") -> None:
    """Check that the columns are of types that a table has, and hold no more than its rows say."""
    from pyarrow import types

    plain = (_holds_text, types.is_integer, types.is_floating, types.is_null)
    lists = [types.is_list(field.type) for field in schema]
    if not all(
        types.is_string(field.type.value_type) and field.name == _LISTING if is_list else _is_any(field.type, plain)
        for field, is_list in zip(schema, lists, strict=True)
    ):
        raise damaged(PREDICTIONS, "it holds something else than numbers and text")
    if head.num_rows * head.num_columns > _MOST_CELLS or head.num_columns != len(lists):
        raise damaged(PREDICTIONS, "it is larger than any prediction table")
    groups = column_totals(file, head)
    for number, columns in enumerate(groups):
        rows = head.row_group(number).num_rows
        most = [rows * TOP_CLASSES if is_list else rows for is_list in lists]
        if any(column.values > limit for column, limit in zip(columns, most, strict=True)):
            raise damaged(PREDICTIONS, "it holds more values than its rows have")
    if sum(column.size for columns in groups for column in columns) > _MOST_UNPACKED:
        raise damaged(PREDICTIONS, "it is larger than any prediction table")


def _is_any(kind: "DataType", tests: Iterable[Callable[["DataType"], bool]]) -> bool:
    return any(test(kind) for test in tests)


def _holds_text(kind: "DataType") -> bool:
    """Whether a column is of text, or lists it."""
    from pyarrow import types

    own = kind.value_type if types.is_list(kind) else kind
    return bool(types.is_string(own) or types.is_large_string(own))


def _category() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def _check_texts(table: "Table") -> None:
    """Check that no text is longer than any name."""
    from pyarrow import compute, types

    for column in table.itercolumns():
        for chunk in column.chunks:
            texts = chunk.values if types.is_list(chunk.type) else chunk
            if not types.is_dictionary(texts.type) or not len(texts.dictionary):
                continue
            if (compute.max(compute.binary_length(texts.dictionary)).as_py() or 0) > _LONGEST_TEXT:
                raise damaged(PREDICTIONS, "it holds a text that is longer than any name")


def _check_export(file: Path) -> None:
    """Check that an ONNX file is one, and reads no other files."""
    import onnx

    try:
        model = onnx.load(str(file), load_external_data=False)
    except Exception:  # protobuf has an error of its own, without types
        raise damaged(file.name, "it is no ONNX model") from None
    external = onnx.TensorProto.EXTERNAL
    if any(tensor.data_location == external for tensor in model.graph.initializer) or not model.graph.node:
        raise damaged(file.name, "it is no complete ONNX model")
