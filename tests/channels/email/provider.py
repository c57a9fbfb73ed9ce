"""A provider on loopback: consent, tokens, refresh and introspection, as RFC 6749, 7636 and 7662 have them."""

import asyncio
import base64
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "contact-center", "only-for-tests"
REDIRECT_URI = "https://desk.test/admin/channels/connected"


@dataclass
class Provider:
    """`lifetime` of the next tokens in seconds; `down` answers 503, `ended` refuses to refresh."""

    user: str = "shop"
    redirect_uri: str = REDIRECT_URI
    lifetime: int = 3600
    down: bool = False
    ended: bool = False
    rotates: bool = True
    valid: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    refreshed: int = 0
    port: int = 0
    _codes: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self, *, sends: bool = False) -> dict[str, Any]:
        """The settings of an account that signs in here."""
        chosen = {"provider": "other", "client_id": CLIENT_ID, "scope": "mail", "sends": sends}
        return {"oauth": {**chosen, "authorize_url": f"{self.url}/authorize", "token_url": f"{self.url}/token"}}

    @property
    def secrets(self) -> dict[str, Any]:
        return {"oauth": {"client_secret": CLIENT_SECRET}}

    def agree(self, consent_url: str) -> str:
        """What the person's browser is sent to after they agreed."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(consent_url).query).items()}
        assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT_ID, self.redirect_uri)
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self._codes[code] = asked["code_challenge"]
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}"

    def take_back(self) -> None:
        """All access tokens stop working, as after a changed password."""
        self.valid.clear()

    async def authorize(self, request: Request) -> Response:
        return RedirectResponse(self.agree(str(request.url)), 303)

    async def token(self, request: Request) -> Response:
        if self.down:
            return Response("<h1>Service unavailable</h1>", 503)
        form = {name: str(value) for name, value in (await request.form()).items()}
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        if not self._proven(form):
            return JSONResponse({"error": "invalid_grant", "error_description": "AADSTS70008"}, 400)
        access = secrets.token_urlsafe()
        self.valid.add(access)
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": self.lifetime}
        if form["grant_type"] == "authorization_code" or self.rotates:
            answer["refresh_token"] = secrets.token_urlsafe()
            self.refresh_tokens = {str(answer["refresh_token"])}
        return JSONResponse(answer)

    def _proven(self, form: dict[str, str]) -> bool:
        if form["grant_type"] == "refresh_token":
            self.refreshed += 1
            return not self.ended and form["refresh_token"] in self.refresh_tokens
        challenge = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        return challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    async def introspect(self, request: Request) -> Response:
        """What Dovecot asks: the token stands at the end of the address."""
        token = request.query_params["token"]
        return JSONResponse({"active": True, "username": self.user} if token in self.valid else {"active": False})


@contextlib.asynccontextmanager
async def open_provider() -> AsyncIterator[Provider]:
    provider = Provider()
    app = Starlette(
        routes=[
            Route("/authorize", provider.authorize),
            Route("/token", provider.token, methods=["POST"]),
            Route("/introspect", provider.introspect),
        ]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    provider.port = server.servers[0].sockets[0].getsockname()[1]
    yield provider
    server.should_exit = True
    await task
