"""How many photos one address may send in a minute: a token bucket for each."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from sneaker_core.api.api_errors import error_response
from sneaker_core.number_text import counted

_MOST_ADDRESSES = 4096


class TokenBuckets:
    """A bucket of tokens for each address: a photo takes one, and they come back over a minute.

    Parameters
    ----------
    per_minute : float
        Tokens of a full bucket, and those that come back in a minute; 0 for no limit.
    clock : callable
        The present time, in seconds.
    most : int
        Addresses that are remembered; the one that has been silent longest is forgotten first.
    """

    def __init__(
        self, per_minute: float, clock: Callable[[], float] = time.monotonic, most: int = _MOST_ADDRESSES
    ) -> None:
        self.per_minute = per_minute
        self._clock, self._most = clock, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> float:
        """Take a token; returns 0, or the seconds until there is one, in which case none is taken."""
        if not self.per_minute:
            return 0.0
        tokens = self._tokens(address)
        if tokens < 1:
            return (1 - tokens) * 60 / self.per_minute
        self._keep(address, tokens - 1)
        return 0.0

    def charge(self, address: str, tokens: int) -> None:
        """Take further tokens for a request that has been let through, also ones that have yet to come back."""
        if self.per_minute and tokens:
            self._keep(address, self._tokens(address) - tokens)

    def _tokens(self, address: str) -> float:
        tokens, at = self._buckets.get(address, (self.per_minute, self._clock()))
        return min(self.per_minute, tokens + (self._clock() - at) * self.per_minute / 60)

    def _keep(self, address: str, tokens: float) -> None:
        self._buckets[address] = (tokens, self._clock())
        self._buckets.move_to_end(address)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)


def address_of(scope: Scope) -> str:
    """The address that a request comes from."""
    return str((scope.get("client") or ("",))[0])


class RateLimit:
    """Middleware that refuses photos from an address that sends too many.

    Parameters
    ----------
    app : ASGI app
    buckets : TokenBuckets
    """

    def __init__(self, app: ASGIApp, buckets: TokenBuckets) -> None:
        self.app = app
        self._buckets = buckets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request; only a POST brings photos."""
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        seconds = math.ceil(self._buckets.take(address_of(scope))) if is_post else 0
        if not seconds:
            await self.app(scope, receive, send)
            return
        allowed = f"{counted(round(self._buckets.per_minute), 'photo')} a minute"
        wait = f"Try again in {counted(seconds, 'second')}."
        message = f"This address has sent too many photos: {allowed} are allowed. {wait}"
        await error_response(message, 429, {"Retry-After": str(seconds)})(scope, receive, send)
