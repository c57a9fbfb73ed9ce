"""The generic app: any program that keeps our contract, signed as Standard Webhooks describe, in and out.

The contract is docs/messaging.md. A bridge to another app is a program of its own and needs nothing of ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from channels.base import Outbound, SendFailed, SendUncertain, Sent
from channels.messaging.app import (
    MOST_FILES,
    BadPayload,
    Item,
    Line,
    OutgoingFile,
    RemoteFile,
    Reported,
    Said,
    list_of,
    object_of,
    text_of,
)
from contact_center.core.clock import utcnow
from contact_center.core.i18n import mark
from contact_center.core.outbound import Answered
from tickets.channel_accounts import Account
from tickets.states import Delivery

LONGEST_TEXT = 50_000
LONGEST_URL = 2_000
STATES = {"delivered": Delivery.DELIVERED, "read": Delivery.READ, "failed": Delivery.FAILED}
NO_ADDRESS = mark("This account has no address to send to. An administrator must enter it.")
REFUSED = mark("The program behind this account refused the message.")
BUSY = mark("The program behind this account cannot take messages at the moment.")


class WebhookApp:
    """`target` is where our messages go; `secret` signs both ways."""

    def is_genuine(self, account: Account, headers: Mapping[str, str], body: bytes) -> bool:
        """Signed by the secret within the last five minutes."""
        try:
            Webhook(str(account.secrets.get("secret", ""))).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):
            return False
        return True

    def read(self, payload: Any) -> Sequence[Item]:
        """One message or one report."""
        if not isinstance(payload, dict):
            raise BadPayload("the body must be a JSON object")
        match payload.get("type"):
            case "message":
                return [_said(payload)]
            case "report":
                state = STATES.get(str(payload.get("state")))
                if state is None:
                    raise BadPayload(f"“state” must be one of {', '.join(STATES)}")
                error = text_of(payload, "error", longest=500, required=False)
                return [Reported(state, id=text_of(payload, "id"), error=error)]
            case _:
                raise BadPayload("“type” must be message or report")

    def challenge(self, account: Account, query: Mapping[str, str]) -> str | None:
        """Our contract asks nothing."""
        return None

    async def send(self, line: Line, outbound: Outbound, files: Sequence[OutgoingFile]) -> Sent:
        """POST the message; the same `webhook-id` every time lets the program take it once."""
        target = str(outbound.account.settings.get("target", ""))
        if not target:
            raise SendFailed("no_address", NO_ADDRESS, retryable=False)
        body = orjson.dumps(_message(outbound, files)).decode()
        answer = await line.exchange("POST", target, headers=signed(outbound, body), content=body.encode())
        if 200 <= answer.status < 300:
            given = _told(answer).get("id")
            return Sent(external_id=str(given)[:200] if given else _own_id(outbound))
        if answer.status in (408, 425, 429, 503):
            raise SendFailed(str(answer.status), BUSY, retryable=True)
        if answer.status >= 500:
            raise SendUncertain(BUSY)
        why = _told(answer).get("detail")
        raise SendFailed(str(answer.status), str(why)[:500] if why else REFUSED, retryable=False)


def signed(outbound: Outbound, body: str) -> dict[str, str]:
    """The headers of a request, with its signature."""
    now = utcnow()
    own_id = _own_id(outbound)
    return {
        "content-type": "application/json",
        "webhook-id": own_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(str(outbound.account.secrets.get("secret", ""))).sign(own_id, now, body),
    }


def _told(answer: Answered) -> Mapping[str, Any]:
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _own_id(outbound: Outbound) -> str:
    return f"message-{outbound.message_id}"


def _message(outbound: Outbound, files: Sequence[OutgoingFile]) -> dict[str, Any]:
    return {
        "type": "message",
        "id": _own_id(outbound),
        "to": {"id": outbound.to, "name": outbound.to_name},
        "text": outbound.text,
        "author": outbound.author,
        "automatic": outbound.automatic,
        "conversation": outbound.ticket_number,
        "files": [
            {"url": file.url, "name": file.filename, "type": file.content_type, "size": file.size} for file in files
        ],
    }


def _said(payload: Mapping[str, Any]) -> Said:
    person = object_of(payload, "from")
    found = tuple(
        RemoteFile(text_of(file, "url", longest=LONGEST_URL), text_of(file, "type", required=False))
        for file in list_of(payload, "files", most=MOST_FILES)
    )
    text = text_of(payload, "text", longest=LONGEST_TEXT, required=not found)
    return Said(text_of(payload, "id"), text_of(person, "id"), text_of(person, "name", required=False), text, found)
