"""Answers the operations of the API: each method of `Answering` is named as an operation."""

import asyncio
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sneaker_core.api.api_errors import json_response
from sneaker_core.api.api_examples import HEALTH
from sneaker_core.api.openapi_document import openapi_document
from sneaker_core.api.operations import PNG
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
    Query,
)
from sneaker_core.api.rate_limit import TokenBuckets, address_of
from sneaker_core.api.request_bodies import SentPhotos, read_photos
from sneaker_core.catalog.entry_values import entry_values
from sneaker_core.catalog.lookup import find_entry, read_catalog
from sneaker_core.catalog.search import near_entries, search_all
from sneaker_core.evaluation.class_results import ClassResult, bundled_results
from sneaker_core.evaluation.model_facts import described_models, model_facts
from sneaker_core.images import Photo
from sneaker_core.inference.explanation.explain_photos import explain_bytes
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest
from sneaker_core.inference.model_service import shared_models, shared_queue, slow_queue
from sneaker_core.inference.predictor import check_top, predict_bytes
from sneaker_core.inference.runner import Runner
from sneaker_core.inference.same_sneaker import predict_same
from sneaker_core.networks.bundled_models import replacement_note
from sneaker_core.networks.checkpoint import SneakerModel
from sneaker_core.networks.decision import Status
from sneaker_core.networks.model_registry import find_named_model
from sneaker_core.number_text import listed
from sneaker_core.settings import ImageLimits

# Longest side of an overlay, in pixels: a PNG of 50 megapixels would take 100 MB.
MOST_PIXELS = 1600


class Answering:
    """Answers requests.

    Parameters
    ----------
    workspace : Path
        Where runs are looked up.
    buckets : TokenBuckets
        Charged for every further photo of a request.
    """

    def __init__(self, workspace: Path, buckets: TokenBuckets) -> None:
        self._workspace = workspace
        self._buckets = buckets
        self._queue = shared_queue()
        self._limits = ImageLimits.from_environment()

    async def health(self, _: Request, __: Query) -> Response:
        """Whether the server is there."""
        return json_response(HEALTH)

    async def openapi(self, _: Request, __: Query) -> Response:
        """The description of the API."""
        return json_response(openapi_document())

    async def models(self, _: Request, __: Query) -> Response:
        """All models."""
        return json_response(await asyncio.to_thread(described_models, self._workspace))

    async def model(self, request: Request, _: Query) -> Response:
        """One model."""
        return json_response(await asyncio.to_thread(model_facts, self._workspace, request.path_params["name"]))

    async def catalog(self, _: Request, query: Query) -> Response:
        """What is known of all that the catalog has, or of those that a text names."""
        return json_response(await asyncio.to_thread(_entries, query[TEXT.name]))

    async def catalog_entry(self, request: Request, _: Query) -> Response:
        """What is known of a class."""
        return json_response(await asyncio.to_thread(_entry, request.path_params["name"]))

    async def predict(self, request: Request, query: Query) -> Response:
        """Name the sneaker in photos."""
        model, top = query[MODEL.name], check_top(query[TOP.name])
        sent = await self._photos(request)
        work = self._together if query[SAME_SNEAKER.name] else self._each if sent.several else self._one
        answer, readable = await asyncio.wrap_future(self._queue.submit_request(work, model, sent.photos, top))
        return json_response(answer, 200 if readable else 422, _note_header(model))

    def _one(self, model: str, photos: tuple[Photo], top: int, run: Runner) -> tuple[Mapping[str, Any], bool]:
        (answer,) = self._answers(model, photos, top, run)
        return answer, _is_readable(answer)

    def _each(self, model: str, photos: tuple[Photo, ...], top: int, run: Runner) -> tuple[Mapping[str, Any], bool]:
        answers = self._answers(model, photos, top, run)
        return {"answers": answers}, any(map(_is_readable, answers))

    def _answers(self, model: str, photos: tuple[Photo, ...], top: int, run: Runner) -> list[Mapping[str, Any]]:
        loaded = self._model(model)
        return [predict_bytes(loaded, photo.name, photo.data, top, run=run).to_dict() for photo in photos]

    def _together(self, model: str, photos: tuple[Photo, ...], top: int, run: Runner) -> tuple[Mapping[str, Any], bool]:
        found = predict_same(self._model(model), photos, top, run=run)
        answer = {**found.to_dict(), "photos": [photo.to_dict() for photo in found.photos]}
        return answer, _is_readable(answer)

    def _model(self, name: str) -> SneakerModel:
        return shared_models().load(find_named_model(self._workspace, name))

    async def explain(self, request: Request, query: Query) -> Response:
        """Show what in a photo speaks for a class."""
        model, wanted = query[MODEL.name], _explanation_request(query)
        (photo,) = (await self._photos(request, most=1)).photos
        queue = slow_queue() if wanted.method.is_slow else self._queue
        png, target = await asyncio.wrap_future(queue.submit_request(self._explain, model, photo, wanted))
        # Headers are ASCII, so the target is percent-encoded.
        return Response(png, media_type=PNG, headers={"X-Target": quote(target), **_note_header(model)})

    def _explain(self, model: str, photo: Photo, wanted: ExplanationRequest, run: Runner) -> tuple[bytes, str]:
        explanation = explain_bytes(self._model(model), photo.name, photo.data, wanted, run=run)
        return explanation.png(), explanation.request.target or ""

    async def _photos(self, request: Request, **most: int) -> SentPhotos:
        sent = await read_photos(request, self._limits, **most)
        self._buckets.charge(address_of(request.scope), len(sent.photos) - 1)
        return sent


def _is_readable(answer: Mapping[str, Any]) -> bool:
    return bool(answer["status"] != Status.ERROR)


def _entries(text: str) -> list[dict[str, Any]]:
    return [entry_values(entry, _results().get(entry.name)) for entry in search_all(read_catalog(), text)]


def _entry(name: str) -> dict[str, Any]:
    """What the catalog knows of a class, by its name or an alias."""
    entry = find_entry(name)
    if entry is None:
        known = read_catalog()
        near = near_entries([*known.sneakers, *known.shoe_types], name)
        hint = f" Did you mean {listed(near)}?" if near else ""
        raise HTTPException(404, f"The catalog knows nothing named {name[:80]!r}.{hint}")
    return entry_values(entry, _results().get(entry.name))


@cache
def _results() -> dict[str, ClassResult]:
    """How the bundled model does on each class, read once: it doesn't change while the server runs."""
    return bundled_results()


def _note_header(model: str) -> dict[str, str]:
    """The header that tells a program that the model it asked for was replaced."""
    note = replacement_note(model)
    return {} if note is None else {"X-Note": quote(note, safe=" ,.")}


def _explanation_request(query: Query) -> ExplanationRequest:
    """The request in a query; classes and layer are checked later, with the model."""
    values = {one.name: query[one.name] for one in (TARGET, VERSUS, METHOD, LAYER, OPACITY)}
    return ExplanationRequest.from_dict({**values, "max_side": MOST_PIXELS})
