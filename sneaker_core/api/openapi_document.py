"""The description of the API for programs, in OpenAPI 3.1, made from the list of operations."""

from functools import cache
from typing import Any

from sneaker_core import __version__
from sneaker_core.api.api_errors import JSON, MEANINGS, RETRYING
from sneaker_core.api.api_schemas import Schema, all_schemas
from sneaker_core.api.operations import ERROR, OPERATIONS, Content, Operation
from sneaker_core.api.query_parameters import Parameter

PREFIX = "/api"
_ABOUT = """Names sneakers in photos, and says how sure it is and why.

Photos come in the request; nothing is fetched from an address. Errors are `{"error": "one sentence"}`. A parameter that
isn't listed is refused. If the server has a password, send it with each request as a bearer token, or as the password
of basic authentication."""
_HEADERS: dict[str, Schema] = {
    "ETag": {
        "description": "Changes with the answer. Send it back as `If-None-Match` to get 304 while it hasn't.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "X-Note": {
        "description": "Said if the model that was asked for has been replaced; percent-encoded.",
        "schema": {"type": "string"},
    },
    "X-Target": {"description": "The class that is explained; percent-encoded.", "schema": {"type": "string"}},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Entity tags of the answers that you have.",
    "schema": {"type": "string"},
}


@cache
def openapi_document() -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SoleScope",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": all_schemas(), "headers": _HEADERS},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    parameters = [*_names(operation), *map(_parameter, operation.parameters)]
    described: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.about,
        "parameters": [*parameters, *([_IF_NONE_MATCH] if operation.is_tagged else [])],
        "responses": _responses(operation),
    }
    if operation.body:
        described["requestBody"] = {"required": True, "content": _contents(operation.body)}
    return described


def _names(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": "name",
            "in": "path",
            "required": True,
            "description": about,
            "schema": {"type": "string", "minLength": 1},
            "example": example,
        }
        for about, example in (operation.names or {}).items()
    ]


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = dict(parameter.schema)
    if parameter.default is not None:
        schema.setdefault("default", parameter.default)
    return {"name": parameter.name, "in": "query", "description": parameter.about, "schema": schema}


def _contents(contents: Any) -> dict[str, Any]:
    return {kind: _content(content) for kind, content in contents.items()}


def _content(content: Content) -> dict[str, Any]:
    examples = {name: {"value": value} for name, value in content.examples().items()}
    return {"schema": content.schema, **({"examples": examples} if examples else {})}


def _responses(operation: Operation) -> dict[str, Any]:
    own = [*(("ETag",) if operation.is_tagged else ()), *operation.headers]
    responses: dict[str, Any] = {
        "200": {"description": operation.summary, "headers": _headers(own), "content": _contents(operation.answers)}
    }
    if operation.is_tagged:
        responses["304"] = {"description": MEANINGS[304], "headers": _headers(["ETag"])}
    for code in operation.errors:
        schema = ERROR
        if code == 422 and operation.unreadable:
            schema = {"anyOf": [ERROR, *operation.answers[JSON].schema["oneOf"]]}
        responses[str(code)] = {
            "description": MEANINGS[code],
            **({"headers": _headers(["Retry-After"])} if code in RETRYING else {}),
            "content": {JSON: {"schema": schema, "examples": {"error": {"value": _EXAMPLE_ERROR}}}},
        }
    return responses


def _headers(names: list[str]) -> dict[str, Schema]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


_EXAMPLE_ERROR = {"error": "No model named 'street7'. Available models: street72, synthetic12."}
