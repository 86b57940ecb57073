"""Write a model's graph in the ONNX format, in plain float32."""

import io
import warnings
from typing import TYPE_CHECKING

import torch

from sneaker_core import __version__
from sneaker_core.inference.export.onnx_graph import OnnxGraph
from sneaker_core.networks import onnx_metadata as names
from sneaker_core.networks.checkpoint import SneakerModel

if TYPE_CHECKING:
    import onnx

# Read by onnxruntime 1.15 and later, also in browsers.
OPSET = 18
_BATCH = "photos"


def onnx_model(model: SneakerModel, weights_sha256: str) -> "onnx.ModelProto":
    """The ONNX model of a model: any number of photos in, the answer out.

    Parameters
    ----------
    model : SneakerModel
    weights_sha256 : str
        Checksum of its weights.
    """
    graph = OnnxGraph(model).eval().requires_grad_(False)
    written = _simplified(_traced(graph))
    describe(written, names.description(model.spec, weights_sha256, names.FLOAT32))
    return written


def describe(written: "onnx.ModelProto", description: str) -> None:
    """Put a description of the model into its ONNX model, in place of an earlier one."""
    import onnx

    written.producer_name, written.producer_version = "SoleScope", __version__
    written.doc_string = "Names the sneaker in a photo; the property 'solescope' describes input, classes and decision."
    onnx.helper.set_model_props(written, {names.PROPERTY: description})


def _traced(graph: OnnxGraph) -> bytes:
    # The older of torch's two exporters: it takes a second rather than ten, and what it writes is the same after
    # simplification.
    file = io.BytesIO()
    free = {name: {0: _BATCH} for name in (names.PHOTOS, *graph.outputs)}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            (graph.example_input(),),
            file,  # type: ignore[arg-type]  # takes files, too
            input_names=[names.PHOTOS],
            output_names=list(graph.outputs),
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )
    return file.getvalue()


def _simplified(written: bytes) -> "onnx.ModelProto":
    """The graph with everything computed that doesn't depend on the photos."""
    import tempfile
    from pathlib import Path

    import onnx
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "simple.onnx")
        onnxruntime.InferenceSession(written, options, providers=["CPUExecutionProvider"])
        simple = onnx.load(options.optimized_model_filepath)
    used = {node.domain for node in simple.graph.node}
    kept = [one for one in simple.opset_import if one.domain in used]
    del simple.opset_import[:]
    simple.opset_import.extend(kept)
    for node in simple.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(simple)
    return simple
