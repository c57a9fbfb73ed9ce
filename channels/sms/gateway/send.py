"""Sending SMS through an HTTP gateway: one request per attempt, and the truth about what became of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from channels.base import Outbound, SendFailed, SendUncertain, Sent
from channels.receipts import attempt_token
from channels.sms import errors
from channels.sms.gateway import config
from channels.sms.gateway.answer import NotTaken, Taken, understand
from channels.sms.gateway.request import BadTemplate, Prepared, prepare, values
from channels.sms.send import NO_ANSWER, NO_CONNECTION, NOT_SET_UP
from contact_center.core.i18n import mark
from contact_center.core.outbound import Answered, NeverLeft, Unanswered, exchange
from contact_center.core.secrets import Vault

WRONG_TEMPLATE = mark("The request to the SMS gateway is not set up correctly. An administrator must check it.")


class GatewaySender:
    """The SMS channel's other sending side. A repeated request may be a second SMS: none is repeated blindly."""

    idempotent = False

    def __init__(self, vault: Vault, *, public_url: str, private: Sequence[str] = ()) -> None:
        self.vault = vault
        self.public_url = public_url
        self.ask = partial(ask, private=private)

    async def send(self, outbound: Outbound) -> Sent:
        """Hand one message to the gateway; raises SendFailed or SendUncertain."""
        if outbound.attachments:
            no_files = errors.ERRORS["21621"]
            raise SendFailed(no_files.code, no_files.text, retryable=False)
        gateway = config.of(outbound.account.settings)
        if not gateway.url:
            raise SendFailed("no_gateway", NOT_SET_UP, retryable=False)
        try:
            prepared = prepare(gateway, self.filled(outbound))
        except BadTemplate as error:
            raise SendFailed("template", WRONG_TEMPLATE, retryable=False) from error
        try:
            answer = await self.ask(prepared)
        except NeverLeft as error:
            raise SendFailed("no_connection", NO_CONNECTION, retryable=True) from error
        except Unanswered as error:
            raise SendUncertain(NO_ANSWER) from error
        match understand(gateway, answer.status, answer.body):
            case Taken(external_id):
                return Sent(external_id=external_id)
            case NotTaken(code, text, retryable):
                raise SendFailed(code, text, retryable=retryable)
            case _:
                raise SendUncertain(NO_ANSWER)

    def filled(self, outbound: Outbound) -> dict[str, str]:
        """What the placeholders stand for in this message."""
        token = attempt_token(self.vault, outbound.attempt_id)
        return values(
            to=outbound.to,
            sender=outbound.account.address,
            text=outbound.text,
            reference=reference_of(outbound.message_id, outbound.created_at),
            receipt_url=receipt_url(self.public_url, outbound.account.key, token),
            secrets=outbound.account.secrets,
        )


async def ask(prepared: Prepared, *, private: Sequence[str]) -> Answered:
    """Make a prepared request, once."""
    return await exchange(
        prepared.method,
        prepared.url,
        headers=prepared.headers,
        content=prepared.content,
        private=private,
    )


def reference_of(message_id: int, created_at: datetime | None) -> str:
    """Our own name for a message, the same for every attempt: gateways that know it take the message once.

    The time is in it because ids begin again in a new installation.
    """
    return f"{message_id}-{created_at.astimezone(UTC):%Y%m%d%H%M%S}" if created_at else str(message_id)


def receipt_url(public_url: str, key: str, token: str) -> str:
    """Where the gateway reports what became of one attempt."""
    return f"{public_url}/hooks/sms/{quote(key, safe='')}/receipt/{token}"
