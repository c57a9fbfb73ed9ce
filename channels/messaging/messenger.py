"""Facebook Messenger: a page's webhook and its Send API (Graph API, https://developers.facebook.com/docs/messenger-platform)."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2

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
    list_of,
    object_of,
    text_of,
)
from contact_center.core.i18n import mark
from tickets.channel_accounts import Account
from tickets.states import Delivery

API = "https://graph.facebook.com/v24.0"
LONGEST_TEXT = 20_000
# The year 9999 in milliseconds: what stands beyond is no moment.
LATEST = 253_000_000_000_000
LONGEST_URL = 4_000
# A page may answer within 24 hours, a person of ours within 7 days where the page was granted it.
CLOSED = frozenset({2018278, 2534022})
GONE = frozenset({551, 2018108})
NO_TOKEN = mark("The Messenger account has no page token. An administrator must enter it.")
WINDOW_OVER = mark(
    "More than 24 hours have passed since the customer wrote; Messenger takes no answer now. Write by another channel."
)
UNREACHABLE = mark("This person cannot be reached on Messenger any more.")
REFUSED = mark("Messenger refused the message.")
BUSY = mark("Messenger cannot take messages at the moment.")
KINDS = {"image": "image", "video": "video", "audio": "audio"}


class MessengerApp:
    """`app_secret` signs what comes, `page_token` opens the Send API, `verify_token` proves the address once."""

    def is_genuine(self, account: Account, headers: Mapping[str, str], body: bytes) -> bool:
        """`X-Hub-Signature-256`: HMAC-SHA256 of the body by the app secret."""
        secret = str(account.secrets.get("app_secret", ""))
        expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        given = headers.get("x-hub-signature-256", "").removeprefix("sha256=")
        return bool(secret) and hmac.compare_digest(expected.encode(), given.encode())

    def read(self, payload: Any) -> Sequence[Item]:
        """Messages, deliveries and reads of all entries; echoes of our own and other events tell nothing."""
        if not isinstance(payload, dict) or payload.get("object") != "page":
            raise BadPayload("this is no event of a page")
        told = [list_of(entry, "messaging") for entry in list_of(payload, "entry")]
        return [item for events in told for event in events for item in _items(event)]

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        """`hub.challenge`, for whoever knows the verify token."""
        token = str(account.secrets.get("verify_token", ""))
        right = query.get("hub.mode") == "subscribe" and hmac.compare_digest(
            query.get("hub.verify_token", "").encode(), token.encode()
        )
        return query.get("hub.challenge") if token and right else None

    async def send(self, line: Line, outbound: Outbound, files: Sequence[OutgoingFile]) -> Sent:
        """One request for the text and one for each file; the first one's id stands for the message."""
        token = str(outbound.account.secrets.get("page_token", ""))
        if not token:
            raise SendFailed("no_token", NO_TOKEN, retryable=False)
        parts: list[dict[str, Any]] = [{"text": outbound.text}] if outbound.text.strip() else []
        parts += [{"attachment": {"type": _kind(file), "payload": {"url": file.url}}} for file in files]
        first = ""
        for number, part in enumerate(parts):
            try:
                given = await _post(line.http, outbound, part, token)
            except SendFailed as error:
                if number:
                    # Repeating would send the text again.
                    raise SendUncertain(error.text) from error
                raise
            first = first or given
        return Sent(external_id=first or None)


async def _post(http: httpx2.AsyncClient, outbound: Outbound, part: dict[str, Any], token: str) -> str:
    address = f"{outbound.account.settings.get('api_url') or API}/me/messages"
    asked = {"recipient": {"id": outbound.to}, "messaging_type": "RESPONSE", "message": part}
    answer = await http.post(address, json=asked, headers={"authorization": f"Bearer {token}"})
    if _error_of(answer) in CLOSED and outbound.account.settings.get("human_agent") and not outbound.automatic:
        asked |= {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        answer = await http.post(address, json=asked, headers={"authorization": f"Bearer {token}"})
    if answer.is_success:
        return str(answer_of(answer).get("message_id", ""))[:200]
    raise _refusal(answer)


def _error_of(answer: httpx2.Response) -> int:
    """The most particular number of a Graph API error; 0 if there is none."""
    error = answer_of(answer).get("error")
    return 0 if not isinstance(error, dict) else int(error.get("error_subcode") or error.get("code") or 0)


def _refusal(answer: httpx2.Response) -> SendFailed | SendUncertain:
    number = _error_of(answer)
    error = answer_of(answer).get("error")
    said = str(error.get("message", ""))[:500] if isinstance(error, dict) else ""
    if number in CLOSED:
        return SendFailed(str(number), WINDOW_OVER, retryable=False)
    if number in GONE:
        return SendFailed(str(number), UNREACHABLE, retryable=False, suppress=True)
    if answer.status_code == 429 or number in (4, 32, 613):
        return SendFailed(str(number), BUSY, retryable=True)
    if answer.status_code >= 500:
        return SendUncertain(BUSY)
    return SendFailed(str(number or answer.status_code), said or REFUSED, retryable=False)


def _items(event: Mapping[str, Any]) -> list[Item]:
    person = text_of(object_of(event, "sender"), "id")
    match event:
        case {"message": {"is_echo": True}}:
            return []
        case {"message": dict(message)}:
            return [_said(message, person)]
        case {"postback": dict(postback)}:
            text = text_of(postback, "title", longest=LONGEST_TEXT, required=False)
            return [Said(text_of(postback, "mid"), person, "", text)] if text and postback.get("mid") else []
        case {"delivery": {"mids": list(ids)}}:
            return [Reported(Delivery.DELIVERED, id=str(one)) for one in ids]
        case {"read": {"watermark": int(moment)}} if 0 < moment < LATEST:
            return [Reported(Delivery.READ, person=person, until=datetime.fromtimestamp(moment / 1000, UTC))]
        case _:
            return []


def _said(message: Mapping[str, Any], person: str) -> Said:
    files: list[RemoteFile] = []
    texts = [text_of(message, "text", longest=LONGEST_TEXT, required=False)]
    for kind, payload in attachments_of(message):
        url = text_of(payload, "url", longest=LONGEST_URL, required=False)
        if url and kind in (*KINDS, "file"):
            files.append(RemoteFile(url))
        elif url:
            # A shared page or a place: its address is all there is of it.
            texts.append(url)
    return Said(text_of(message, "mid"), person, "", "\n".join(filter(None, texts)), tuple(files))


def _kind(file: OutgoingFile) -> str:
    return KINDS.get(file.content_type.partition("/")[0], "file")
