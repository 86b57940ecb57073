"""Read a model's ONNX file, which anyone may have made: with limits, and only what an export consists of."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sneaker_core.errors import CheckpointError, DamagedError
from sneaker_core.networks import onnx_metadata as names
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.decision import Floats, unit_length

if TYPE_CHECKING:
    import onnx

# More than any network here takes up.
MAX_BYTES = 500_000_000
# What exports consist of. None of them runs other graphs, reads files, or makes much of little.
OPERATORS = frozenset({
    *("Add", "Cast", "Clip", "Concat", "Div", "Flatten", "Gather", "Identity", "Mul", "Pad", "Reshape", "Shape"),
    *("Slice", "Sub", "Transpose", "Unsqueeze", "Conv", "Gemm", "MatMul", "BatchNormalization", "AveragePool"),
    *("GlobalAveragePool", "MaxPool", "ReduceL2", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "Relu", "Sigmoid"),
    *("HardSigmoid", "HardSwish", "Softmax", "QuantizeLinear", "DequantizeLinear"),
})  # fmt: skip
_KEPT_DESCRIPTIONS = 32


@dataclass(frozen=True)
class OnnxDescription:
    """What an ONNX file says of its model.

    Attributes
    ----------
    spec : ModelSpec
    checksum : str
        SHA-256 of the file.
    source_checksum : str
        Checksum of the weights that it was exported from.
    precision : str
        "float32" or "int8".
    """

    spec: ModelSpec
    checksum: str
    source_checksum: str
    precision: str


def read_onnx_description(file: Path) -> tuple[ModelSpec, str]:
    """The spec of a model's ONNX file, and the file's checksum.

    Raises
    ------
    CheckpointError
        The file can't be read or isn't one of SoleScope's.
    """
    found = describe_onnx(file)
    return found.spec, found.checksum


def describe_onnx(file: Path) -> OnnxDescription:
    """What an ONNX file says of its model; kept until the file changes.

    Raises
    ------
    CheckpointError
        As `read_onnx_description`.
    """
    try:
        status = file.stat()
    except OSError as error:
        raise CheckpointError(f"Can't read {file}: {error.strerror}.") from None
    return _described(file.absolute(), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=_KEPT_DESCRIPTIONS)
def _described(file: Path, _changed: int, _size: int) -> OnnxDescription:
    data = _read(file)
    return _description(_parsed(data, file), data, file)


def load_onnx(file: Path, spec: ModelSpec, checksum: str) -> SneakerModel:
    """The model in an ONNX file.

    Parameters
    ----------
    file : Path
    spec : ModelSpec
        From the file, or from the ``model.json`` next to it.
    checksum : str
        That of the file, or of the weights that it was exported from.

    Raises
    ------
    CheckpointError
        The file is damaged, isn't one of SoleScope's, or doesn't fit the spec.
    """
    from sneaker_core.networks.onnx_network import OnnxNetwork

    data = _read(file)
    model = _parsed(data, file)
    own = _description(model, data, file)
    fits = (own.spec.classes, own.spec.footwear_types, own.spec.preprocessing, own.spec.has_negatives_class) == (
        spec.classes, spec.footwear_types, spec.preprocessing, spec.has_negatives_class
    )  # fmt: skip
    if checksum not in (own.checksum, own.source_checksum) or not fits:
        raise CheckpointError(f"{file} isn't the file that the description next to it was made for. Copy both again.")
    references = _references(model, file)
    network = OnnxNetwork(data, spec, str(file))
    if references.shape[1] != network.embedding_size:
        raise CheckpointError(f"{file} doesn't fit its own description. Export the model again.")
    return SneakerModel(spec, network, unit_length(references))


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CheckpointError(f"Can't read {file}: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise CheckpointError(f"{file} is larger than {MAX_BYTES / 1e6:g} MB, which no exported model is.")
    return data


def _parsed(data: bytes, file: Path) -> "onnx.ModelProto":
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, RecursionError):
        raise CheckpointError(f"{file} isn't an ONNX file, or is cut off. Export the model again.") from None
    if unknown := _first_unknown(model):
        raise CheckpointError(f"{file} holds {unknown}, which exports of SoleScope don't. It isn't run.")
    return model


def _first_unknown(model: "onnx.ModelProto") -> str:
    """What the file holds that no export does; empty if there is nothing."""
    from onnx import AttributeProto, TensorProto

    if model.functions or model.training_info or model.graph.sparse_initializer:
        return "functions or training"
    nested = (AttributeProto.GRAPH, AttributeProto.GRAPHS)
    for node in model.graph.node:
        if node.op_type not in OPERATORS or node.domain:
            return f"the operator {node.op_type[:80]!r}"
        if any(attribute.type in nested for attribute in node.attribute):
            return "a graph inside its graph"
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in _tensors(model)):
        return "weights in another file"
    return ""


def _tensors(model: "onnx.ModelProto") -> Iterator["onnx.TensorProto"]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            yield attribute.t
            yield from attribute.tensors


def _description(model: "onnx.ModelProto", data: bytes, file: Path) -> OnnxDescription:
    texts = [entry.value for entry in model.metadata_props if entry.key == names.PROPERTY]
    if len(texts) != 1:
        raise CheckpointError(f"{file} has no description of a model: SoleScope didn't export it.")
    try:
        spec, record = names.read_description(texts[0], file)
    except DamagedError as error:
        raise CheckpointError(f"{error} Export the model again.") from None
    return OnnxDescription(spec, hashlib.sha256(data).hexdigest(), record.weights_sha256, record.precision)


def _references(model: "onnx.ModelProto", file: Path) -> Floats:
    """The reference embeddings, (R, D)."""
    from onnx import numpy_helper

    for tensor in model.graph.initializer:
        if tensor.name == names.REFERENCES and len(tensor.dims) == 2:
            try:
                values = np.asarray(numpy_helper.to_array(tensor), np.float32)
            except (ValueError, TypeError):
                break
            if values.size and np.isfinite(values).all():
                return np.ascontiguousarray(values.T)
    raise CheckpointError(f"{file} is damaged: its reference embeddings are missing. Export the model again.")
