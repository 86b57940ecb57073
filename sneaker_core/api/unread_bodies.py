"""Bodies of requests that are refused before they have been read."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FIRST_ERROR = 400


class ReadsToTheEnd:
    """Middleware that lets a client finish sending before it gets an error.

    A server that answers and closes while the client is still sending loses the answer: the client only sees that the
    connection broke. Larger bodies than the limit aren't waited for.

    Parameters
    ----------
    app : ASGI app
    at_most : int
        Bytes that are waited for.
    """

    def __init__(self, app: ASGIApp, at_most: int) -> None:
        self.app = app
        self._at_most = at_most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        length = Headers(scope=scope).get("content-length", "0") if scope["type"] == "http" else ""
        if not length.isdecimal() or not 0 < int(length) <= self._at_most:
            await self.app(scope, receive, send)
            return
        ended = False

        async def watched() -> Message:
            nonlocal ended
            part = await receive()
            ended = part["type"] != "http.request" or not part.get("more_body", False)
            return part

        async def patient(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= _FIRST_ERROR:
                while not ended:
                    await watched()
            await send(message)

        await self.app(scope, watched, patient)
