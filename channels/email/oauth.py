"""Signing in to a mailbox by a provider's permission instead of a password: OAuth 2.0 with PKCE (RFC 6749, 7636).

1. An administrator is sent to the provider (`consent_url`), agrees there, and comes back with a code.
2. The code becomes an access token (about an hour) and a refresh token (until somebody takes it back).
3. The refresh token becomes new access tokens for as long as the permission lasts.

Account settings: `oauth` {provider: google | microsoft | other, client_id, tenant, authorize_url, token_url, scope,
sends}; secrets: `oauth` {client_secret}. The tokens have a table of their own (channels.email.grants).
"""

import base64
import hashlib
import hmac
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from contact_center.core.i18n import mark

TIMEOUT = httpx2.Timeout(15.0, connect=5.0)
# What a provider that names no lifetime is believed for.
SHORTEST_LIFE = 300

NOT_CONNECTED = mark("This mailbox is not connected with its provider yet: press “Connect” on its page.")
ENDED = mark("The permission to use this mailbox has ended. Press “Connect again” on its page.")
CLIENT_REFUSED = mark(
    "The provider does not accept our client ID or client secret. Enter valid ones (a secret of Microsoft 365 ends "
    "after two years at most)."
)
UNREACHABLE = mark("The provider's sign-in server does not answer.")
NO_ANSWER = mark("The provider's sign-in server answered with something that is no token.")
FOR_ONE_HOUR = mark("The provider gave a permission for an hour only. Connect again and allow access at any time.")
TOKEN_REFUSED = mark(
    "The mail server refuses the provider's permission. Check the user name, and that IMAP and SMTP are allowed for "
    "this mailbox."
)

# Opens the client for one errand; the caller closes it.
OpenHttp = Callable[[], httpx2.AsyncClient]


class NoToken(Exception):
    """There is no access token. `text` is a sentence for people; `final`: none comes until a person does something."""

    def __init__(self, text: str, *, final: bool) -> None:
        super().__init__(text)
        self.text = text
        self.final = final


@dataclass(frozen=True, slots=True)
class Provider:
    """Where permission is asked for and where tokens are fetched; `extra` is what else it wants to hear."""

    authorize_url: str
    token_url: str
    scope: str
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gave; never log it."""

    access: str
    refresh: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """Ourselves, as the provider knows us."""

    id: str
    secret: str


MICROSOFT = "https://login.microsoftonline.com"
GOOGLE = Provider(
    "https://accounts.google.com/o/oauth2/v2/auth",
    "https://oauth2.googleapis.com/token",
    "https://mail.google.com/",
    # Without both, Google gives a refresh token only the very first time.
    {"access_type": "offline", "prompt": "consent"},
)
MICROSOFT_SCOPE = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"


def uses_oauth(settings: Mapping[str, Any]) -> bool:
    """Whether an account signs in by a permission."""
    return bool((settings.get("oauth") or {}).get("provider"))


def provider_of(settings: Mapping[str, Any]) -> Provider:
    """The provider of an account that uses one."""
    chosen = settings["oauth"]
    match chosen["provider"]:
        case "google":
            return GOOGLE
        case "microsoft":
            base = f"{MICROSOFT}/{quote(str(chosen.get('tenant') or 'organizations'), safe='')}/oauth2/v2.0"
            return Provider(f"{base}/authorize", f"{base}/token", MICROSOFT_SCOPE, {"prompt": "select_account"})
        case _:
            return Provider(
                str(chosen.get("authorize_url") or ""),
                str(chosen.get("token_url") or ""),
                str(chosen.get("scope") or ""),
                {"prompt": "consent"},
            )


def client_of(settings: Mapping[str, Any], secrets: Mapping[str, Any]) -> Client:
    """Our client of an account's provider."""
    return Client(
        str((settings.get("oauth") or {}).get("client_id") or ""),
        str((secrets.get("oauth") or {}).get("client_secret") or ""),
    )


def verifier_of(key: bytes, nonce: str) -> str:
    """The PKCE verifier of one attempt: made of our secret, so nothing is stored until the person comes back."""
    return _urlsafe(hmac.new(key, nonce.encode(), hashlib.sha256).digest())


def consent_url(
    provider: Provider, client: Client, *, redirect_uri: str, state: str, verifier: str, address: str
) -> str:
    """Where the administrator agrees; `address` is proposed there as the account to agree for."""
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": redirect_uri,
        "scope": provider.scope,
        "state": state,
        "code_challenge": _urlsafe(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
        "login_hint": address,
        **provider.extra,
    }
    separator = "&" if "?" in provider.authorize_url else "?"
    return f"{provider.authorize_url}{separator}{urlencode({name: value for name, value in asked.items() if value})}"


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def redeem(
    http: httpx2.AsyncClient,
    provider: Provider,
    client: Client,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    now: datetime,
) -> Tokens:
    """The tokens for a code; raises NoToken."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    tokens = _tokens(await _post(http, provider, client, form), "", now)
    if not tokens.refresh:
        raise NoToken(FOR_ONE_HOUR, final=True)
    return tokens


async def refresh(
    http: httpx2.AsyncClient, provider: Provider, client: Client, refresh_token: str, *, now: datetime
) -> Tokens:
    """New tokens; some providers give a new refresh token each time, others keep the old. Raises NoToken."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "scope": provider.scope}
    return _tokens(await _post(http, provider, client, form), refresh_token, now)


async def _post(
    http: httpx2.AsyncClient, provider: Provider, client: Client, form: Mapping[str, str]
) -> Mapping[str, Any]:
    whole = {**form, "client_id": client.id, **({"client_secret": client.secret} if client.secret else {})}
    try:
        answer = await http.post(
            provider.token_url,
            data={name: value for name, value in whole.items() if value},
            headers={"accept": "application/json"},
            follow_redirects=False,
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise NoToken(UNREACHABLE, final=False) from error
    try:
        said = answer.json()
    except ValueError:
        said = None
    if answer.status_code != httpx2.codes.OK or not isinstance(said, dict) or said.get("error"):
        raise refusal(answer.status_code, said if isinstance(said, dict) else {})
    return said


def refusal(status: int, said: Mapping[str, Any]) -> NoToken:
    """What an error of a token endpoint means (RFC 6749, 5.2)."""
    match said.get("error"):
        case "invalid_grant" | "interaction_required" | "consent_required":
            return NoToken(ENDED, final=True)
        case "invalid_client" | "unauthorized_client":
            return NoToken(CLIENT_REFUSED, final=True)
        case _:
            return NoToken(UNREACHABLE if status >= 500 or status == 429 else NO_ANSWER, final=False)


def _tokens(said: Mapping[str, Any], kept: str, now: datetime) -> Tokens:
    access = said.get("access_token")
    if not isinstance(access, str) or not access:
        raise NoToken(NO_ANSWER, final=False)
    try:
        seconds = max(int(said.get("expires_in") or SHORTEST_LIFE), 1)
    except (TypeError, ValueError):
        seconds = SHORTEST_LIFE
    return Tokens(access, str(said.get("refresh_token") or kept), now + timedelta(seconds=min(seconds, 86_400)))


@cache
def _trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def open_http() -> httpx2.AsyncClient:
    """A client for the real network; a token is fetched once an hour."""
    return httpx2.AsyncClient(verify=_trust(), timeout=TIMEOUT)
