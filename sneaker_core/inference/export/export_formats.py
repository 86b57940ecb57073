"""What a model can be exported as. Imports nothing heavy: pages and commands load it early."""

from enum import StrEnum


class ExportFormat(StrEnum):
    """A format of exported files."""

    ONNX = "onnx"
    ONNX_INT8 = "onnx-int8"
