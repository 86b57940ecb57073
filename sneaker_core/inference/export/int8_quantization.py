"""Static quantization of an ONNX model to int8, by onnxruntime.

Weights become int8, one scale for each channel, and activations uint8, with ranges that were measured on photos
(*calibration*). Only the backbone is quantized: the head and what follows decide between near numbers, and take
hardly any time or space.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from sneaker_core.networks import onnx_metadata as names
from sneaker_core.networks.calibration_ranges import Ranges
from sneaker_core.networks.decision import Floats

if TYPE_CHECKING:
    import onnx

# The range of a tensor is the one that the extremes of this share of photos stay in.
SHARE_IN_RANGE = 0.99
_QUANTIZED = ("Conv", "Gemm", "MatMul", "Add", "Clip", "Relu", "MaxPool", "Pad")
# Constants of as many values are worth a cast.
_LARGE = 4096
_LOW, _HIGH = "/lowest", "/highest"


def measure_ranges(model: "onnx.ModelProto", batches: Iterable[Floats], share: float = SHARE_IN_RANGE) -> Ranges:
    """Measure the range of each activation that is quantized.

    Parameters
    ----------
    model : ModelProto
        From `onnx_writer.onnx_model`.
    batches : iterable of float32 array (N, 3, H, W)
        Photos, RGB from 0 to 1.
    share : float
        The share of photos whose lowest and highest values the range holds.
    """
    import onnxruntime

    measured, tensors = _with_extremes(model)
    session = onnxruntime.InferenceSession(measured.SerializeToString(), providers=["CPUExecutionProvider"])
    wanted = [tensor + end for tensor in tensors for end in (_LOW, _HIGH)]
    found = [session.run(wanted, {names.PHOTOS: batch}) for batch in batches]
    extremes = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    return {
        tensor: (float(np.quantile(low, 1 - share)), float(np.quantile(high, share)))
        for tensor, low, high in zip(tensors, extremes[::2], extremes[1::2], strict=True)
    }


def fits(model: "onnx.ModelProto", ranges: Mapping[str, tuple[float, float]]) -> bool:
    """Whether there is a range for each activation."""
    return set(_activations(model)) <= set(ranges)


def _with_extremes(model: "onnx.ModelProto") -> tuple["onnx.ModelProto", list[str]]:
    """The model with two more outputs for each activation: its lowest and its highest value, photo by photo."""
    import onnx
    from onnx import TensorProto, helper

    measured = onnx.ModelProto()
    measured.CopyFrom(model)
    graph, tensors = measured.graph, _activations(model)
    flat = helper.make_tensor("per_photo", TensorProto.INT64, [2], [0, -1])
    rows = helper.make_tensor("rows", TensorProto.INT64, [1], [1])
    graph.initializer.extend([flat, rows])
    for tensor in tensors:
        graph.node.append(helper.make_node("Reshape", [tensor, "per_photo"], [tensor + "/flat"]))
        for kind, end in (("ReduceMin", _LOW), ("ReduceMax", _HIGH)):
            graph.node.append(helper.make_node(kind, [tensor + "/flat", "rows"], [tensor + end], keepdims=0))
            graph.output.append(helper.make_tensor_value_info(tensor + end, TensorProto.FLOAT, None))
    return measured, tensors


def quantized_nodes(model: "onnx.ModelProto") -> "list[onnx.NodeProto]":
    """The nodes of the backbone that can be quantized: what the embeddings follow from."""
    makers = {output: node for node in model.graph.node for output in node.output}
    found, waiting = {}, [names.EMBEDDINGS]
    while waiting:
        tensor = waiting.pop()
        node = makers.get(tensor)
        if node is not None and node.name not in found:
            found[node.name] = node
            waiting.extend(node.input)
    return [node for node in model.graph.node if node.name in found and node.op_type in _QUANTIZED]


def _activations(model: "onnx.ModelProto") -> list[str]:
    """The tensors that the quantized nodes read and write, without constants."""
    constants = {tensor.name for tensor in model.graph.initializer} | {""}
    found = [tensor for node in quantized_nodes(model) for tensor in (*node.input, *node.output)]
    return [tensor for tensor in dict.fromkeys(found) if tensor not in constants]


def quantize(model: "onnx.ModelProto", ranges: Mapping[str, tuple[float, float]]) -> "onnx.ModelProto":
    """The int8 model: weights are stored in a quarter of the space, with quantize and dequantize nodes between layers.

    Parameters
    ----------
    model : ModelProto
        From `onnx_writer.onnx_model`.
    ranges : mapping
        From `measure_ranges`.
    """
    import onnx
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import CalibrationMethod, TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    copied = onnx.ModelProto()
    copied.CopyFrom(model)
    known = {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items()}
    quantizer = QDQQuantizer(
        copied,
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, known),
        nodes_to_quantize=[node.name for node in quantized_nodes(model)],
        nodes_to_exclude=[],
        op_types_to_quantize=list(_QUANTIZED),
        extra_options={},
    )
    quantizer.quantize_model()
    done: onnx.ModelProto = quantizer.model.model
    _halve(done)
    return done


def _halve(model: "onnx.ModelProto") -> None:
    """Store large constants that stayed float32 in half precision, as checkpoints do; a cast makes them whole."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= _LARGE:
            whole = tensor.name + "/float32"
            for node in model.graph.node:
                node.input[:] = [whole if name == tensor.name else name for name in node.input]
            values = numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
            casts.append(helper.make_node("Cast", [tensor.name], [whole], name=whole, to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
