"""Clients that leave before they have their answer."""

import contextlib

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send


class HangUps:
    """Middleware for the whole app: a client that hangs up is no error, so no traceback goes to the log.

    Parameters
    ----------
    app : ASGI app
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        with contextlib.suppress(ClientDisconnect):
            await self.app(scope, receive, send)
