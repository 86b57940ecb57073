"""The description of the API is true: of its own examples, of real answers, and of requests made from it."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.engine.events import NonFatalError, ScenarioFinished
from starlette.applications import Starlette

from sneaker_core.api.api_errors import MEANINGS
from sneaker_core.api.api_routes import routes
from sneaker_core.api.openapi_document import openapi_document
from sneaker_core.api.operations import OPERATIONS
from sneaker_core.settings import ApiSettings
from tests.api_server import jpeg, serving

PHOTOS = [jpeg((12, 8)), jpeg((12, 8), "navy"), (Path(__file__).parent.parent / "data/samples/Mug.jpg").read_bytes()]
# A schema can't say what a photo is.
schemathesis.openapi.format("binary", st.sampled_from(PHOTOS))
schemathesis.openapi.format("byte", st.sampled_from([base64.b64encode(photo).decode() for photo in PHOTOS[:2]]))
CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"max-examples": 12, "deterministic": bool(os.environ.get("CI")), "database": "none"},
        "phases": {"stateful": {"enabled": False}},
        "request-timeout": 120,
        "parameters": {"query.model": "tiny"},  # a quick one
        "operations": [
            # Which classes and layers there are depends on the model, so a valid name may be one that it doesn't have.
            {"include-name": "POST /api/explain", "checks": {"positive_data_acceptance": {"enabled": False}}}
        ],
    }
)


@pytest.fixture(scope="module")
def address(workspace: Path) -> Iterator[str]:
    with serving(Starlette(routes=routes(workspace, ApiSettings(photos_per_minute=0))), log_level="error") as served:
        yield served


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as opened:
        yield opened


def test_requests_made_from_the_description_get_what_it_says(address: str) -> None:
    """Valid and invalid ones; never a failure, nor a status, header or field that isn't described."""
    described = schemathesis.openapi.from_url(f"{address}/api/openapi.json", config=CONFIG)
    events = list(schemathesis.engine.from_schema(described).execute())
    wrong = [str(one.value) for one in events if isinstance(one, NonFatalError)]
    tried = [one for one in events if isinstance(one, ScenarioFinished)]
    # It leaves out the address of the description itself.
    assert {one.label for one in tried} == {f"{one.method} /api{one.path}" for one in OPERATIONS if one.id != "openapi"}
    checks = [check for one in tried for of_case in one.recorder.checks.values() for check in of_case]
    failed = [check.failure_info for check in checks if check.failure_info is not None]
    assert wrong + [f"{one.failure.title}: {one.failure.message}\n{one.code_sample}" for one in failed] == []


def closed(schema: Any) -> Any:
    """The schema without room for fields that it doesn't describe."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        inner["additionalProperties"] = False
    return inner


def validator(name: str) -> Draft202012Validator:
    """Checks values against a schema of the description, which has no room for other fields."""
    components = closed(openapi_document()["components"])
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})


def content_of(operation: str, code: str) -> dict[str, Any]:
    found = next(
        one for path in openapi_document()["paths"].values() for one in path.values() if one["operationId"] == operation
    )
    return found["responses"][code]["content"]["application/json"]


@pytest.mark.parametrize("operation", ["health", "models", "model", "catalog_entry", "predict"])
def test_examples_fit_their_schemas(operation: str) -> None:
    content = content_of(operation, "200")
    document = closed({**content["schema"], "components": openapi_document()["components"]})
    for example in content["examples"].values():
        Draft202012Validator(document).validate(json.loads(json.dumps(example["value"])))


def test_real_answers_have_the_described_fields_and_no_other(client: httpx.Client) -> None:
    photo, body = jpeg(), {"photo": base64.b64encode(jpeg()).decode()}
    for model in ("tiny", "street72"):
        validator("ModelFacts").validate(client.get(f"/api/models/{model}").json())
        params = {"model": model}
        validator("Answer").validate(client.post("/api/predict", params=params, files={"file": photo}).json())
        validator("Answers").validate(client.post("/api/predict", params=params, json={"photos": [body, body]}).json())
        files = [("file", photo), ("file", jpeg(color="navy"))]
        together = client.post("/api/predict", params={**params, "same_sneaker": 1}, files=files)
        validator("SameSneaker").validate(together.json())
    for one in client.get("/api/models").json():
        validator("DescribedModel").validate(one)
    validator("Sneaker").validate(client.get("/api/catalog/air_jordan_iv").json())
    validator("ShoeType").validate(client.get("/api/catalog/Loafers").json())
    validator("Error").validate(client.get("/api/models/nope").json())


def test_every_status_of_the_description_has_a_meaning() -> None:
    for operation in OPERATIONS:
        assert set(operation.errors) <= set(MEANINGS)
