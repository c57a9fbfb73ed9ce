"""Sending SMS and WhatsApp messages through Twilio: one request per attempt, and the truth about what became of it."""

import json
from typing import Any
from urllib.parse import quote

import httpx2
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest.api.v2010.account.message import MessageInstance

from channels.base import Outbound, SendFailed, SendUncertain, Sent
from channels.receipts import attempt_token
from channels.sms import errors
from channels.sms.client import OpenHttp, open_client, open_http
from channels.sms.whatsapp import with_prefix
from contact_center.core.i18n import mark
from contact_center.core.secrets import Vault
from tickets.states import Channel
from tickets.windows import TEMPLATE

NOT_SET_UP = mark("The SMS account has no credentials. An administrator must enter them.")
MEDIA_PURPOSE = "sms-media"
MEDIA_SECONDS = 24 * 3600
MOST_FILES = 10
NO_CONNECTION = mark("The carrier could not be reached.")
NO_ANSWER = mark("The carrier did not answer; a receipt will tell whether the message was sent.")

# Raised before a single byte of the request left: the same message may be sent again.
_NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class TwilioSender:
    """The SMS channel's sending side. A repeated request is a second SMS, so it is never repeated blindly."""

    idempotent = False

    def __init__(self, vault: Vault, *, public_url: str, api_url: str = "", http: OpenHttp = open_http) -> None:
        self.open_http = http
        self.vault = vault
        self.public_url = public_url
        self.api_url = api_url

    async def send(self, outbound: Outbound) -> Sent:
        """Hand one message to the carrier; raises SendFailed or SendUncertain."""
        secrets = outbound.account.secrets
        if not (secrets.get("account_sid") and secrets.get("auth_token")):
            raise SendFailed("no_credentials", NOT_SET_UP, retryable=False)
        if len(outbound.attachments) > MOST_FILES:
            too_many = errors.ERRORS["21623"]
            raise SendFailed(too_many.code, too_many.text, retryable=False)
        try:
            async with self.open_http() as http:
                message = await self._create(http, outbound)
        except _NEVER_LEFT as error:
            raise SendFailed("no_connection", NO_CONNECTION, retryable=True) from error
        except httpx2.HTTPError as error:
            raise SendUncertain(NO_ANSWER) from error
        except (TwilioRestException, TwilioServiceException) as error:
            raise _refusal(error) from error
        except (TwilioException, ValueError) as error:
            # A 2xx that is not Twilio's JSON: a proxy in between may have swallowed the answer.
            raise SendUncertain(NO_ANSWER) from error
        # What it cost, as the carrier counts: a messaging service reports 0 until it has chosen a sender.
        parts = f" · {message.num_segments} × SMS" if str(message.num_segments or "0") != "0" else ""
        if outbound.account.channel is Channel.WHATSAPP:
            parts = ""
        return Sent(external_id=message.sid, said=f"{message.status or ''} {message.sid}{parts}".strip())

    async def _create(self, http: httpx2.AsyncClient, outbound: Outbound) -> MessageInstance:
        account = outbound.account
        client = open_client(
            http,
            account_sid=str(account.secrets["account_sid"]),
            auth_token=str(account.secrets["auth_token"]),
            base_url=self.api_url,
        )
        service = account.settings.get("messaging_service_sid")
        by_whatsapp = account.channel is Channel.WHATSAPP
        own, to = (with_prefix(one) if by_whatsapp else one for one in (account.address, outbound.to))
        sender = {"messaging_service_sid": service} if service else {"from_": own}
        token = attempt_token(self.vault, outbound.attempt_id)
        return await client.messages.create_async(
            to=to,
            status_callback=receipt_url(self.public_url, account.key, token),
            **sender,
            **self._content(outbound),
        )

    def _content(self, outbound: Outbound) -> dict[str, Any]:
        """The words and files, or the template and its values: Twilio takes no words beside one."""
        template = outbound.meta.get(TEMPLATE)
        if template:
            variables = json.dumps(template["variables"], ensure_ascii=False)
            return {"content_sid": template["sid"], "content_variables": variables}
        media = {"media_url": self._media(outbound)} if outbound.attachments else {}
        return {"body": outbound.text, **media}

    def _media(self, outbound: Outbound) -> list[str]:
        """Signed addresses at which the carrier fetches the files of an MMS."""
        base = f"{self.public_url}/hooks/twilio/{quote(outbound.account.key, safe='')}/media/"
        return [
            base + self.vault.sign(MEDIA_PURPOSE, [file.digest, file.content_type]) for file in outbound.attachments
        ]


def receipt_url(public_url: str, key: str, token: str) -> str:
    """Where the carrier reports what became of one attempt."""
    return f"{public_url}/hooks/twilio/{quote(key, safe='')}/receipt/{token}"


def _refusal(error: TwilioRestException | TwilioServiceException) -> SendFailed | SendUncertain:
    """What an HTTP error of the carrier means for the message."""
    text = getattr(error, "msg", None) or getattr(error, "detail", None) or ""
    # The SDK puts the HTTP status where the body names no code of Twilio's.
    code = error.code if error.code != error.status else None
    found = errors.from_response(error.status, code, str(text).removeprefix("Unable to create record: "))
    if found is None:
        return SendUncertain(NO_ANSWER)
    said = f"HTTP {error.status} · {code or ''} {text}".strip(" ·")
    return SendFailed(found.code, found.text, retryable=found.retryable, suppress=found.suppress, said=said)
