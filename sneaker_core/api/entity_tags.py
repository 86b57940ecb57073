"""Entity tags: a client that has an answer already doesn't get it again unless it has changed."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

# May be kept, but has to be asked for again each time.
_ASK_AGAIN = "no-cache"


def tagged(request: Request, response: Response) -> Response:
    """A response with its tag, or 304 if it is what the client has.

    Parameters
    ----------
    request : Request
        A GET or HEAD.
    response : Response
    """
    if response.status_code != 200:
        return response
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": _ASK_AGAIN}
    if _matches(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def _matches(conditions: list[str], tag: str) -> bool:
    """Whether a tag is among those of the client; whether a tag is weak makes no difference here (RFC 9110)."""
    wanted = [one.strip().removeprefix("W/") for condition in conditions for one in condition.split(",")]
    return "*" in wanted or tag in wanted
