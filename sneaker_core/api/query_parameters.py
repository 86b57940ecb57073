"""Parameters in the query of a request: what there is, how they are read, and their schemas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import QueryParams

from sneaker_core.errors import SneakerError
from sneaker_core.inference.explanation.explanation_request import DEFAULT_OPACITY, Method
from sneaker_core.inference.predictor import MAX_TOP
from sneaker_core.networks.bundled_models import DEFAULT_MODEL

_LONGEST_SHOWN = 80
_FLAGS = {"0": False, "1": True}


@dataclass(frozen=True)
class Parameter:
    """A parameter in the query.

    Attributes
    ----------
    name : str
    about : str
        What it does, for people who read the description.
    default : object
        Its value if it is missing.
    schema : mapping
        JSON schema of its value.
    """

    name: str
    about: str
    default: Any = None
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})

    def read(self, text: str) -> Any:
        """Its value, whose range is for the core to check.

        Raises
        ------
        SneakerError
            The text is no number where there must be one.
        """
        shown = text[:_LONGEST_SHOWN]
        if "enum" in self.schema and set(self.schema["enum"]) == set(_FLAGS):
            if text not in _FLAGS:
                raise SneakerError(f"{self.name} is {shown!r}; it must be 0 or 1.")
            return _FLAGS[text]
        numbers = {"integer": (int, "a whole number"), "number": (float, "a number")}
        kind, called = numbers.get(self.schema["type"], (str, ""))
        try:
            return kind(text)
        except ValueError:
            raise SneakerError(f"{self.name} is {shown!r}; it must be {called}.") from None


MODEL = Parameter("model", "Name of a model, from `/api/models`.", DEFAULT_MODEL)
TOP = Parameter(
    "top", "How many classes to name.", 3, {"type": "integer", "minimum": 1, "maximum": MAX_TOP, "default": 3}
)
SAME_SNEAKER = Parameter(
    "same_sneaker",
    "1 if all photos show the same sneaker: they get one answer together.",
    False,
    {"type": "string", "enum": list(_FLAGS), "default": "0"},
)
TEXT = Parameter("text", "A name, nickname, brand, line or designer to search for; all entries if it is missing.", "")
TARGET = Parameter("target", "Class to explain; the most probable one if it is missing.")
VERSUS = Parameter("versus", "Class to compare with: why the target and not this one?")
METHOD = Parameter(
    "method",
    "Attribution method.",
    schema={"type": "string", "enum": list(Method), "default": Method.GRADCAM.value},
)
LAYER = Parameter("layer", "Layer of the network, for methods that have one; the usual one if it is missing.")
OPACITY = Parameter(
    "opacity",
    "Opacity of the map where it is strongest.",
    schema={"type": "number", "minimum": 0, "maximum": 1, "default": DEFAULT_OPACITY},
)

Query = Mapping[str, Any]


def read_query(query: QueryParams, parameters: Sequence[Parameter]) -> Query:
    """The value of each parameter.

    Parameters
    ----------
    query : QueryParams
    parameters : sequence of Parameter
        All that there are.

    Raises
    ------
    SneakerError
        A parameter is unknown, given twice, or isn't of its type.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name, _ in query.multi_items():
        if name not in known:
            there = f"Parameters: {', '.join(known)}." if known else "There are none here."
            raise SneakerError(f"There is no parameter {name[:_LONGEST_SHOWN]!r}. {there}")
        if len(query.getlist(name)) > 1:
            raise SneakerError(f"{name} is given more than once.")
    return {name: one.read(query[name]) if name in query else one.default for name, one in known.items()}
