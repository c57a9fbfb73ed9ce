"""Zalo Official Account: its webhook and its OpenAPI v3 (https://developers.zalo.me/docs/official-account)."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx2
import orjson

from channels.base import Outbound, SendFailed, SendUncertain, Sent
from channels.messaging.app import (
    BadPayload,
    Item,
    Line,
    OutgoingFile,
    RemoteFile,
    Reported,
    Said,
    answer_of,
    attachments_of,
    object_of,
    text_of,
)
from contact_center.core.i18n import mark
from tickets.channel_accounts import Account
from tickets.states import Delivery

API = "https://openapi.zalo.me"
LOGIN = "https://oauth.zaloapp.com"
LONGEST_TEXT = 20_000
LONGEST_URL = 4_000
TOKEN_OVER = frozenset({-216, -220, -124})
WINDOW_OVER_CODES = frozenset({-230, -213, -217})
BUSY_CODES = frozenset({-32, -200})
NO_TOKEN = mark("The Zalo account has no tokens. An administrator must enter them.")
LOGIN_OVER = mark("Zalo no longer accepts this account's tokens. An administrator must enter new ones.")
WINDOW_OVER = mark("Zalo takes no message to this person now: they have not written for 7 days, or have blocked us.")
WORDS_ONLY = mark("Zalo takes only words from here. Take the files off, or answer by another channel.")
REFUSED = mark("Zalo refused the message.")
BUSY = mark("Zalo cannot take messages at the moment.")
WITH_FILES = frozenset({"image", "gif", "file", "audio", "video", "sticker"})

# (account, its new secrets) -> the secrets that are valid now: another process may have been quicker.
KeepTokens = Callable[[Account, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


class ZaloApp:
    """`oa_secret` signs what comes; access tokens last a day, each refresh token works once."""

    def __init__(self, keep_tokens: KeepTokens) -> None:
        self.keep_tokens = keep_tokens

    def is_genuine(self, account: Account, headers: Mapping[str, str], body: bytes) -> bool:
        """`X-ZEvent-Signature`: SHA-256 of app id, body, its timestamp and the OA secret key."""
        secret = str(account.secrets.get("oa_secret", ""))
        try:
            moment = str(orjson.loads(body).get("timestamp", ""))
        except (ValueError, AttributeError):
            return False
        app_id = str(account.settings.get("app_id", ""))
        expected = hashlib.sha256(app_id.encode() + body + moment.encode() + secret.encode()).hexdigest()
        given = headers.get("x-zevent-signature", "").removeprefix("mac=").strip().lower()
        return bool(secret) and hmac.compare_digest(expected.encode(), given.encode())

    def read(self, payload: Any) -> Sequence[Item]:
        """A person's message, or what became of ours; followers and other events tell nothing."""
        if not isinstance(payload, dict):
            raise BadPayload("the body must be a JSON object")
        name = text_of(payload, "event_name")
        if name.startswith("user_send_") and name not in ("user_send_group_text",):
            return [_said(payload)]
        state = {"user_received_message": Delivery.DELIVERED, "user_seen_message": Delivery.READ}.get(name)
        if state is None:
            return []
        message = object_of(payload, "message")
        ids = message.get("msg_ids")
        told = ids if isinstance(ids, list) else [message.get("msg_id")]
        return [Reported(state, id=str(one)) for one in told if one]

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        """Zalo proves an address by a file or a tag on the domain, not by a question."""
        return None

    async def send(self, line: Line, outbound: Outbound, files: Sequence[OutgoingFile]) -> Sent:
        """A customer-care message; an access token that is over is renewed once."""
        if files:
            raise SendFailed("files", WORDS_ONLY, retryable=False)
        secrets = outbound.account.secrets
        if not secrets.get("access_token"):
            raise SendFailed("no_token", NO_TOKEN, retryable=False)
        found = await _post(line.http, outbound, str(secrets["access_token"]))
        if found.get("error") in TOKEN_OVER:
            secrets = await self._renewed(line.http, outbound.account)
            found = await _post(line.http, outbound, str(secrets["access_token"]))
        if found.get("error") == 0:
            data = found.get("data")
            given = data.get("message_id") if isinstance(data, dict) else None
            return Sent(external_id=str(given)[:200] if given else None)
        raise _refusal(found)

    async def _renewed(self, http: httpx2.AsyncClient, account: Account) -> Mapping[str, Any]:
        secrets = account.secrets
        answer = await http.post(
            f"{account.settings.get('login_url') or LOGIN}/v4/oa/access_token",
            data={
                "refresh_token": str(secrets.get("refresh_token", "")),
                "app_id": str(account.settings.get("app_id", "")),
                "grant_type": "refresh_token",
            },
            headers={"secret_key": str(secrets.get("app_secret", ""))},
        )
        given = {name: value for name, value in answer_of(answer).items() if name in ("access_token", "refresh_token")}
        valid = await self.keep_tokens(account, given if len(given) == 2 else {})
        if valid.get("access_token") in (None, secrets.get("access_token")):
            raise SendFailed("login_over", LOGIN_OVER, retryable=False)
        return valid


async def _post(http: httpx2.AsyncClient, outbound: Outbound, token: str) -> Mapping[str, Any]:
    answer = await http.post(
        f"{outbound.account.settings.get('api_url') or API}/v3.0/oa/message/cs",
        json={"recipient": {"user_id": outbound.to}, "message": {"text": outbound.text}},
        headers={"access_token": token},
    )
    if answer.status_code >= 500:
        raise SendUncertain(BUSY)
    return answer_of(answer)


def _refusal(found: Mapping[str, Any]) -> SendFailed | SendUncertain:
    number = found.get("error")
    if not isinstance(number, int):
        return SendUncertain(BUSY)
    if number in TOKEN_OVER:
        return SendFailed(str(number), LOGIN_OVER, retryable=False)
    if number in WINDOW_OVER_CODES:
        return SendFailed(str(number), WINDOW_OVER, retryable=False)
    if number in BUSY_CODES:
        return SendFailed(str(number), BUSY, retryable=True)
    return SendFailed(str(number), str(found.get("message") or REFUSED)[:500], retryable=False)


def _said(payload: Mapping[str, Any]) -> Said:
    message = object_of(payload, "message")
    texts = [text_of(message, "text", longest=LONGEST_TEXT, required=False)]
    files: list[RemoteFile] = []
    for kind, inner in attachments_of(message):
        url = text_of(inner, "url", longest=LONGEST_URL, required=False)
        if url and kind in WITH_FILES:
            files.append(RemoteFile(url))
        elif kind == "location":
            place = object_of(inner, "coordinates")
            texts.append(f"https://www.openstreetmap.org/?mlat={place.get('latitude')}&mlon={place.get('longitude')}")
        elif url:
            texts.append(url)
    person = text_of(object_of(payload, "sender"), "id")
    return Said(text_of(message, "msg_id"), person, "", "\n".join(filter(None, texts)), tuple(files))
