"""Serves the API: its routes, and what every request passes before it is answered."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from sneaker_core.api.answering import Answering
from sneaker_core.api.api_errors import ERROR_HANDLERS
from sneaker_core.api.entity_tags import tagged
from sneaker_core.api.openapi_document import PREFIX
from sneaker_core.api.operations import OPERATIONS, Operation
from sneaker_core.api.query_parameters import Query, read_query
from sneaker_core.api.rate_limit import RateLimit, TokenBuckets
from sneaker_core.api.request_bodies import largest_body
from sneaker_core.api.unread_bodies import ReadsToTheEnd
from sneaker_core.settings import ApiSettings, ImageLimits


def routes(workspace: Path, settings: ApiSettings | None = None) -> list[Mount]:
    """Routes of the API.

    Parameters
    ----------
    workspace : Path
        Where runs are looked up.
    settings : ApiSettings, optional
        By default, those in the environment.
    """
    settings = settings or ApiSettings.from_environment()
    buckets = TokenBuckets(settings.photos_per_minute)
    answering = Answering(workspace, buckets)
    app = Starlette(
        routes=[_route(operation, getattr(answering, operation.id)) for operation in OPERATIONS],
        middleware=[
            Middleware(ReadsToTheEnd, at_most=largest_body(ImageLimits.from_environment())),
            Middleware(RateLimit, buckets=buckets),
        ],
        exception_handlers=ERROR_HANDLERS,
    )
    app.router.redirect_slashes = False
    return [Mount(PREFIX, app=app)]


def _route(operation: Operation, answer: Callable[[Request, Query], Awaitable[Response]]) -> Route:
    async def endpoint(request: Request) -> Response:
        query = read_query(request.query_params, operation.parameters)
        response = await answer(request, query)
        return tagged(request, response) if operation.is_tagged else response

    # A name may hold a slash, which is decoded before the route is found.
    return Route(operation.path.replace("}", ":path}"), endpoint, methods=[operation.method], name=operation.id)
