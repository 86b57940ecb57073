"""What the API offers: each operation with its address, what it takes, and what it gives.

The routes are made from this list, and so is the description for programs: what isn't here isn't served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sneaker_core.api import api_examples as examples
from sneaker_core.api.api_errors import JSON, ErrorValues
from sneaker_core.api.api_schemas import PLACE, Schema, reference
from sneaker_core.api.query_parameters import (
    LAYER,
    METHOD,
    MODEL,
    OPACITY,
    SAME_SNEAKER,
    TARGET,
    TEXT,
    TOP,
    VERSUS,
    Parameter,
)
from sneaker_core.api.request_bodies import FILE_PART, MOST_PHOTOS, MULTIPART, PhotoBody, PhotosBody
from sneaker_core.catalog.entry_values import ENTRY_KINDS
from sneaker_core.evaluation.model_facts import DescribedModelValues, ModelFacts
from sneaker_core.inference.answer_values import AnswerValues
from sneaker_core.inference.same_sneaker import SameSneakerValues

PNG = "image/png"
ERROR = reference(ErrorValues)


@dataclass(frozen=True)
class Content:
    """The content of an answer or a body in one media type.

    Attributes
    ----------
    schema : mapping
    examples : callable
        Makes values by name, when the description is asked for.
    """

    schema: Schema
    examples: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True)
class Operation:
    """Something that a program can ask for.

    Attributes
    ----------
    id : str
        Names the operation in generated code, and the method that answers it.
    method : str
        GET or POST.
    path : str
        Below ``/api``; ``{name}`` stands for a name.
    summary, about : str
        What it does, in a few words and in sentences.
    answers : mapping
        Content by media type.
    names : mapping
        What the name in the path is -> an example.
    parameters : tuple of Parameter
    body : mapping
        Content by media type.
    headers : tuple of str
        Headers of the answer that are told of, beside those of all answers.
    errors : tuple of int
    unreadable : bool
        Whether a photo that can't be read is answered with the content of an answer (422).
    """

    id: str
    method: str
    path: str
    summary: str
    about: str
    answers: Mapping[str, Content]
    names: Mapping[str, str] | None = None
    parameters: tuple[Parameter, ...] = ()
    body: Mapping[str, Content] | None = None
    headers: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    unreadable: bool = False

    @property
    def is_tagged(self) -> bool:
        """Whether its answers have an entity tag."""
        return self.method == "GET"


def _one_of(*schemas: Schema) -> Schema:
    return {"oneOf": list(schemas)}


def _files(most: int) -> Content:
    file = {"type": "string", "contentMediaType": "application/octet-stream", "format": "binary"}
    several = {"type": "array", "items": file, "minItems": 1, "maxItems": most}
    schema = {
        "type": "object",
        "properties": {FILE_PART: several if most > 1 else file},
        "required": [FILE_PART],
        "additionalProperties": False,
    }
    return Content(schema)


_PHOTO_ERRORS = (400, 404, 413, 415, 422, 429, 503)
_CATALOG_ENTRY = _one_of(*(reference(kind) for kind in ENTRY_KINDS.values()))
_ANSWERS = _one_of(reference(AnswerValues), {"$ref": PLACE + "Answers"}, reference(SameSneakerValues))

OPERATIONS = (
    Operation(
        "health",
        "GET",
        "/health",
        "Whether the server is there",
        "Answers as soon as the server runs, without loading a model.",
        {
            JSON: Content(
                {
                    "type": "object",
                    "properties": {"status": {"const": "ok"}, "version": {"type": "string"}},
                    "required": ["status", "version"],
                },
                lambda: {"running": examples.HEALTH},
            )
        },
        errors=(422,),
    ),
    Operation(
        "models",
        "GET",
        "/models",
        "All models",
        "The bundled models and those of finished runs, with their figures on their own test photos. Damaged ones come "
        "last, with a `problem`.",
        {
            JSON: Content(
                {"type": "array", "items": reference(DescribedModelValues)},
                lambda: {"one model": [examples.described_model()]},
            )
        },
        errors=(422,),
    ),
    Operation(
        "model",
        "GET",
        "/models/{name}",
        "One model",
        "What its card says: classes, groups of look-alikes, thresholds, and its scoreboard of worlds, least accurate "
        "first, each share with its 95% interval.",
        {JSON: Content(reference(ModelFacts), lambda: {"bundled": examples.facts()})},
        names={"Name of a model, from `/api/models`.": examples.MODEL},
        errors=(404, 422, 503),
    ),
    Operation(
        "catalog",
        "GET",
        "/catalog",
        "The sneakers and types of shoes in the catalog",
        "All that is known of each; with `text`, only of those that it names, however it is spelled: entries of "
        "exactly that name first. The list is empty if there are none.",
        {
            JSON: Content(
                {"type": "array", "items": _CATALOG_ENTRY},
                lambda: {"two entries": [examples.entry(examples.SNEAKER), examples.entry(examples.SHOE_TYPE)]},
            )
        },
        parameters=(TEXT,),
        errors=(422,),
    ),
    Operation(
        "catalog_entry",
        "GET",
        "/catalog/{name}",
        "What is known of a sneaker or a type of shoe",
        "Found by its name or an alias; case, spaces, hyphens and underscores don't matter. If there is none, the "
        "error names those that are written alike.",
        {
            JSON: Content(
                _CATALOG_ENTRY,
                lambda: {"sneaker": examples.entry(examples.SNEAKER), "shoe type": examples.entry(examples.SHOE_TYPE)},
            )
        },
        names={"Name of a class or of a type of shoe.": examples.SNEAKER},
        errors=(404, 422),
    ),
    Operation(
        "openapi",
        "GET",
        "/openapi.json",
        "This description",
        "In OpenAPI 3.1, for programs that make clients or tests of it.",
        {JSON: Content({"type": "object"})},
        errors=(422,),
    ),
    Operation(
        "predict",
        "POST",
        "/predict",
        "Name the sneaker in photos",
        f"One photo gets one answer. Several, at most {MOST_PHOTOS}, get `answers` in their order; a photo that can't "
        "be read has its own `error` and harms no other. `photos` in JSON always gets `answers`. With "
        "`same_sneaker=1` all get one answer together. The status is 422 if no photo could be read.",
        {
            JSON: Content(
                _ANSWERS,
                lambda: {
                    "known": examples.KNOWN.to_dict(),
                    "unsure": examples.UNSURE.to_dict(),
                    "unknown": examples.UNKNOWN.to_dict(),
                    "several": {"answers": [examples.KNOWN.to_dict(), examples.UNREADABLE.to_dict()]},
                    "same sneaker": examples.together(),
                },
            )
        },
        parameters=(MODEL, TOP, SAME_SNEAKER),
        body={
            MULTIPART: _files(MOST_PHOTOS),
            JSON: Content(
                _one_of(reference(PhotoBody), reference(PhotosBody)),
                lambda: {"one photo": examples.photo_body(), "several photos": {"photos": [examples.photo_body()]}},
            ),
        },
        headers=("X-Note",),
        errors=_PHOTO_ERRORS,
        unreadable=True,
    ),
    Operation(
        "explain",
        "POST",
        "/explain",
        "Show what in a photo speaks for a class",
        "The photo with a heat map on top, at most 1,600 pixels wide or high.",
        {PNG: Content({"type": "string", "contentMediaType": PNG, "format": "binary"})},
        parameters=(MODEL, METHOD, TARGET, VERSUS, LAYER, OPACITY),
        body={MULTIPART: _files(1), JSON: Content(reference(PhotoBody), lambda: {"one photo": examples.photo_body()})},
        headers=("X-Target", "X-Note"),
        errors=_PHOTO_ERRORS,
    ),
)
