"""JSON schemas of what the API takes and gives, made from the types that the code itself uses.

Descriptions come from the types' docstrings: the first paragraph, and for each field what stands under "Attributes".
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from sneaker_core.api.api_errors import ErrorValues
from sneaker_core.api.request_bodies import PhotoBody, PhotosBody
from sneaker_core.catalog.entries import ShoeType, Sneaker, Source
from sneaker_core.catalog.entry_values import ENTRY_KINDS
from sneaker_core.evaluation.class_results import ClassResult
from sneaker_core.evaluation.model_facts import (
    DescribedModelValues,
    InputValues,
    ModelFacts,
    RefusedValues,
    ThresholdValues,
)
from sneaker_core.evaluation.worlds import Share, WorldMetrics
from sneaker_core.inference.answer_values import AnswerValues, GuessValues, SaidValues
from sneaker_core.inference.same_sneaker import AgreementValues, SameSneakerValues
from sneaker_core.networks.model_registry import FiguresValues, ModelValues
from sneaker_core.networks.sneaker_groups import GroupValues
from sneaker_core.records.model_records import ShareRecord, WorldRecord

PLACE = "#/components/schemas/"
# The types that are described, with those whose docstrings describe their fields, the most special last.
_TYPES: dict[Any, tuple[Any, ...]] = {
    **{one: (one,) for one in (PhotoBody, PhotosBody, ErrorValues, GuessValues, GroupValues, AgreementValues)},
    **{one: (one,) for one in (ThresholdValues, InputValues, RefusedValues, Sneaker, ShoeType, Source, ClassResult)},
    AnswerValues: (SaidValues, AnswerValues),
    SameSneakerValues: (SaidValues, SameSneakerValues),
    DescribedModelValues: (FiguresValues, ModelValues, DescribedModelValues),
    ModelFacts: (FiguresValues, ModelValues, DescribedModelValues, ModelFacts),
    WorldRecord: (WorldMetrics,),
    ShareRecord: (Share,),
}
_ENDINGS = re.compile(r"(Values|Record)$")
_FIELD = re.compile(r"^(\w+(?:, \w+)*) : .*\n((?:[ ]{4}.*\n?|\n(?=[ ]{4}))*)", re.MULTILINE)
_LITERALS = {"None": "null", "nan": "null", "True": "true", "False": "false"}

Schema = dict[str, Any]


def name_of(kind: Any) -> str:
    """The name of a type's schema: `AnswerValues` is Answer."""
    return _ENDINGS.sub("", kind.__name__)


def reference(kind: Any) -> Schema:
    """A schema that stands for that of a type."""
    return {"$ref": PLACE + name_of(kind)}


def all_schemas() -> dict[str, Schema]:
    """All schemas by name."""
    _, found = msgspec.json.schema_components(list(_TYPES), ref_template=PLACE + "{name}")
    text = re.sub(rf'("{PLACE})(\w+)"', lambda match: f'{match[1]}{_ENDINGS.sub("", match[2])}"', json.dumps(found))
    schemas = {_ENDINGS.sub("", name): schema for name, schema in json.loads(text).items()}
    for kind, described in _TYPES.items():
        _describe(schemas[name_of(kind)], described)
    for kind, entry in ENTRY_KINDS.items():
        _extend_entry(schemas[entry.__name__], kind)
    schemas["Answers"] = _object({"answers": {"type": "array", "items": reference(AnswerValues)}})
    schemas["Answers"]["description"] = "The answers to several photos, in their order."
    schemas[name_of(SameSneakerValues)] = _with_photos(schemas[name_of(SameSneakerValues)])
    for schema in schemas.values():
        schema.pop("title", None)
    return schemas


def _object(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _with_photos(schema: Schema) -> Schema:
    """The schema of an answer to several photos together, which the API sends with the answers to each."""
    alone = {"type": "array", "items": reference(AnswerValues), "description": "The answers to each photo alone."}
    return {
        **schema,
        "properties": {**schema["properties"], "photos": alone},
        "required": [*schema["required"], "photos"],
    }


def _extend_entry(schema: Schema, kind: str) -> None:
    """Add what `entry_values` adds to an entry."""
    result = {"anyOf": [reference(ClassResult), {"type": "null"}]}
    added: dict[str, Schema] = {
        "kind": {"const": kind, "description": "What it is."},
        "search": {"type": "string", "format": "uri", "description": "Address of a web search for it."},
        "result": {**result, "description": "How the bundled model does on its test photos of it."},
    }
    schema["properties"] |= added
    schema["required"] += added


def _describe(schema: Schema, described: tuple[Any, ...]) -> None:
    """Put the descriptions of a type and its fields into its schema."""
    schema["description"] = _said(_docstring(described[-1]).partition("\n\n")[0])
    for field, text in (pair for one in described for pair in _field_texts(one)):
        if text and field in schema["properties"]:
            schema["properties"][field]["description"] = text


def _field_texts(described: Any) -> Iterator[tuple[str, str]]:
    """Each field with what its class says of it."""
    attributes = _docstring(described).partition("Attributes\n----------\n")[2].partition("\n\nReferences\n")[0]
    for names, text in _FIELD.findall(attributes + "\n"):
        for name in names.split(", "):
            yield name, _said(text)


def _said(text: str) -> str:
    """A text of a docstring in one line, with values as JSON writes them."""
    line = " ".join(text.split())
    for python, name in _LITERALS.items():
        line = re.sub(rf"\b{python}\b", name, line)
    return line


def _docstring(described: Any) -> str:
    return inspect.cleandoc(described.__doc__ or "")
