"""What a model can be exported as. Imports nothing heavy: pages and commands load it early."""

from enum import StrEnum

from sneaker_core.errors import ExportError


class ExportFormat(StrEnum):
    """A format of exported files."""

    ONNX = "onnx"
    ONNX_INT8 = "onnx-int8"

    @property
    def label(self) -> str:
        """Its name for people."""
        return "Full precision" if self is ExportFormat.ONNX else "int8"


def checked_format(text: str) -> ExportFormat:
    """The format of a name.

    Raises
    ------
    ExportError
        There is none of that name.
    """
    try:
        return ExportFormat(text)
    except ValueError:
        raise ExportError(f"No format named {text[:80]!r}. Formats: {', '.join(ExportFormat)}.") from None
