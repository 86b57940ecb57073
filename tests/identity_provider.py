"""An OpenID Connect provider on this computer, at which everybody is Ada: a real one, without its questions."""

import contextlib
import time
from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "solescope", "a secret of the client"


class IdentityProvider:
    """The provider's routes.

    Attributes
    ----------
    address : str
        Set once it is served.
    """

    def __init__(self) -> None:
        self.address = ""
        self._key = RSAKey.generate_key(2048, {"kid": "one"})
        self._nonces: dict[str, str] = {}

    def app(self) -> Starlette:
        """The ASGI app."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._description),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _description(self, request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "jwks_uri": f"{self.address}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _authorize(self, request: Request) -> Response:
        code = f"code{len(self._nonces)}"
        self._nonces[code] = request.query_params["nonce"]
        query = urlencode({"code": code, "state": request.query_params["state"]})
        return RedirectResponse(f"{request.query_params['redirect_uri']}?{query}")

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        now = int(time.time())
        claims = {
            **{"iss": self.address, "aud": CLIENT, "sub": "1", "name": "Ada", "email": "ada@example.org"},
            **{"iat": now, "exp": now + 3600, "nonce": self._nonces[str(form["code"])]},
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self._key)
        return JSONResponse({"access_token": "token", "token_type": "Bearer", "expires_in": 3600, "id_token": token})

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


@contextlib.contextmanager
def serve_provider(port: int) -> Iterator[str]:
    """Serve a provider on a port of this computer; yields its address."""
    provider = IdentityProvider()
    provider.address = f"http://localhost:{port}"
    server = uvicorn.Server(uvicorn.Config(provider.app(), host="localhost", port=port, log_level="warning"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield provider.address
    finally:
        server.should_exit = True
        thread.join(10)
