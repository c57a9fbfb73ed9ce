"""What every request passes: request id, one access log line, security headers, the same-origin guard, errors.

All of it plain ASGI: three of Starlette's BaseHTTPMiddleware cost twelve times as much. What only passes a socket on is
no coroutine of its own: its frame would wait beside the socket for hours.
"""

import re
import secrets
from collections.abc import Awaitable, Sequence
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contact_center.core.clock import monotonic
from contact_center.core.errors import DomainError, Invalid, TooMany

log = structlog.get_logger()

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Addresses that programs of other people call: they prove themselves by signature or token, never by cookie.
OPEN_PREFIXES = ("/hooks/", "/api/")
# Pages for people whose address is the whole right, and to which mail programs post without a word of where they are.
TOKEN_PREFIXES = ("/unsubscribe/",)
PROBLEM_TYPE = "application/problem+json"

Csp = "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data: blob:; "
Csp += "frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"


class RequestContext:
    """Gives each request an id and a CSP nonce, and writes one log line at its end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            return self._request(scope, receive, send)
        if scope["type"] == "websocket":
            # A socket is a task, so that what is bound here ends with it.
            structlog.contextvars.bind_contextvars(request_id=_named(scope))
        return self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _named(scope)
        scope["state"]["nonce"] = secrets.token_urlsafe(16)
        begun, status = monotonic(), 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, sent)
            finally:
                if not scope["path"].startswith("/static/"):
                    log.info(
                        "request",
                        method=scope["method"],
                        path=scope["path"],
                        status=status,
                        ms=round((monotonic() - begun) * 1000, 1),
                    )


def _named(scope: Scope) -> str:
    """The request's id: the caller's if it has a good one; kept for whoever answers."""
    given = Headers(scope=scope).get("x-request-id", "")
    request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    scope.setdefault("state", {})["request_id"] = request_id
    return request_id


class SecurityHeaders:
    """Adds the security headers that the endpoint did not set itself."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.app(scope, receive, send)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("x-content-type-options", "nosniff")
                headers.setdefault("referrer-policy", "same-origin")
                headers.setdefault("cross-origin-opener-policy", "same-origin")
                headers.setdefault("permissions-policy", "camera=(), geolocation=(), microphone=()")
                if "content-security-policy" not in headers:
                    headers["content-security-policy"] = policy(scope["state"]["nonce"])
                    headers.setdefault("x-frame-options", "DENY")
                if self.https:
                    headers.setdefault("strict-transport-security", "max-age=31536000; includeSubDomains")
            await send(message)

        return self.app(scope, receive, sent)


def policy(nonce: str, *, ancestors: str = "'none'") -> str:
    """Our Content-Security-Policy; `ancestors` are the origins that may show the page in a frame."""
    return Csp.format(nonce=nonce, ancestors=ancestors)


class SameOrigin:
    """Refuses unsafe requests and WebSocket handshakes that another site's page makes with our cookie."""

    def __init__(self, app: ASGIApp, *, open_prefixes: Sequence[str] = OPEN_PREFIXES + TOKEN_PREFIXES) -> None:
        self.app = app
        self.open_prefixes = tuple(open_prefixes)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        guarded = scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in SAFE_METHODS)
        if guarded and not scope["path"].startswith(self.open_prefixes) and not same_origin(Headers(scope=scope)):
            log.warning("request.cross_origin", path=scope["path"])
            if scope["type"] == "websocket":
                return send({"type": "websocket.close", "code": 4403, "reason": "cross-origin"})
            response = problem(403, "cross_origin", "This request came from another site, so it was refused.")
            return response(scope, receive, send)
        return self.app(scope, receive, send)


def same_origin(headers: Headers) -> bool:
    """Whether a browser says that the request comes from our own page. Programs without either header do not."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host", "")


def problem(status: int, code: str, detail: str, **extra: object) -> JSONResponse:
    """An error for programs, as RFC 9457 has it; `code` is our stable word for it."""
    body = {"type": "about:blank", "title": code.replace("_", " ").capitalize(), "status": status, "code": code}
    return JSONResponse({**body, "detail": detail, **extra}, status_code=status, media_type=PROBLEM_TYPE)


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a person reads the answer as a page (and not a script or another program)."""
    headers = connection.headers
    if "hx-request" in headers or connection.url.path.startswith(OPEN_PREFIXES):
        return False
    return "text/html" in headers.get("accept", "")


def problem_of(request: Request, error: DomainError, detail: str) -> Response:
    """The problem document of a domain error, with its own extras."""
    extra: dict[str, object] = {"request_id": request.state.request_id}
    if isinstance(error, Invalid) and error.field:
        extra["field"] = error.field
    response = problem(error.status, error.code, detail, **extra)
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.retry_after)
    return response


def http_detail(error: HTTPException) -> tuple[int, str]:
    """Status and sentence of an error that Starlette raised."""
    return error.status_code, str(error.detail)


def client_address(connection: HTTPConnection, trusted_proxies: str) -> str:
    """The caller's address: X-Forwarded-For is only believed from our own proxies."""
    peer = connection.client.host if connection.client else ""
    trusted = {part.strip() for part in trusted_proxies.split(",") if part.strip()}
    if peer not in trusted:
        return peer
    for hop in reversed(connection.headers.get("x-forwarded-for", "").split(",")):
        if hop.strip() and hop.strip() not in trusted:
            return hop.strip()
    return peer
