"""Twilio's official SDK over our own HTTP client: a timeout, one try, nothing logged, the host from a setting."""

import logging
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx2
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

TIMEOUT = httpx2.Timeout(10.0, connect=5.0)

# Opens the client for one errand; the caller closes it. Tests and the demo put their carrier behind it.
OpenHttp = Callable[[], httpx2.AsyncClient]

# The SDK reads TWILIO_* of the environment unless it is given one; an empty one counts as none.
_NO_ENVIRONMENT = {"CONTACT_CENTER": "1"}


class CarrierHttp(AsyncHttpClient):  # type: ignore[misc]  # the SDK has no types
    """One request, one answer or one httpx2 error; redirects and repetition are the caller's decision (never)."""

    def __init__(self, http: httpx2.AsyncClient, base_url: str = "") -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self.http = http
        self.base_url = base_url

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """The answer of the carrier, or of what `base_url` names in its place; raises httpx2.HTTPError."""
        is_json = (headers or {}).get("Content-Type", "").endswith("json")
        answer = await self.http.request(
            method,
            moved(uri, self.base_url),
            params=params or None,
            data=None if is_json else data,
            json=data if is_json else None,
            headers=headers,
            auth=auth,
            timeout=timeout or TIMEOUT,
            follow_redirects=False,
        )
        return Response(answer.status_code, answer.text, answer.headers)


@cache
def _trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()  # 20 ms: once a process, not once a message


def open_http() -> httpx2.AsyncClient:
    """A client for the real network; an SMS is rare enough for a connection of its own."""
    return httpx2.AsyncClient(verify=_trust(), timeout=TIMEOUT)


def moved(uri: str, base_url: str) -> str:
    """An address at Twilio with another scheme and host, if one is set in its place."""
    if not base_url:
        return uri
    wanted, base = urlsplit(uri), urlsplit(base_url)
    return urlunsplit((base.scheme, base.netloc, base.path.rstrip("/") + wanted.path, wanted.query, ""))


def open_client(http: httpx2.AsyncClient, *, account_sid: str, auth_token: str, base_url: str = "") -> Client:
    """The SDK for one account; credentials only from the arguments."""
    return Client(
        account_sid,
        auth_token,
        http_client=CarrierHttp(http, base_url),
        environment=_NO_ENVIRONMENT,
    )
