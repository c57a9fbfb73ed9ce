"""Sending SMS through Twilio: one request per attempt, and the truth about what became of it."""

from urllib.parse import quote

import httpx2
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest.api.v2010.account.message import MessageInstance

from channels.base import Outbound, SendFailed, SendUncertain, Sent
from channels.receipts import attempt_token
from channels.sms import errors
from channels.sms.client import open_client
from contact_center.core.secrets import Vault

NOT_SET_UP = "The SMS account has no credentials. An administrator must enter them."
NO_CONNECTION = "The carrier could not be reached."
NO_ANSWER = "The carrier did not answer; a receipt will tell whether the message was sent."

# Raised before a single byte of the request left: the same message may be sent again.
_NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class TwilioSender:
    """The SMS channel's sending side. A repeated request is a second SMS, so it is never repeated blindly."""

    idempotent = False

    def __init__(self, http: httpx2.AsyncClient, vault: Vault, *, public_url: str, api_url: str = "") -> None:
        self.http = http
        self.vault = vault
        self.public_url = public_url
        self.api_url = api_url

    async def send(self, outbound: Outbound) -> Sent:
        """Hand one message to the carrier; raises SendFailed or SendUncertain."""
        secrets = outbound.account.secrets
        if not (secrets.get("account_sid") and secrets.get("auth_token")):
            raise SendFailed("no_credentials", NOT_SET_UP, retryable=False)
        client = open_client(
            self.http,
            account_sid=str(secrets["account_sid"]),
            auth_token=str(secrets["auth_token"]),
            base_url=self.api_url,
        )
        service = outbound.account.settings.get("messaging_service_sid")
        sender = {"messaging_service_sid": service} if service else {"from_": outbound.account.address}
        try:
            message: MessageInstance = await client.messages.create_async(
                to=outbound.to,
                body=outbound.text,
                status_callback=receipt_url(
                    self.public_url, outbound.account.key, attempt_token(self.vault, outbound.attempt_id)
                ),
                **sender,
            )
        except _NEVER_LEFT as error:
            raise SendFailed("no_connection", NO_CONNECTION, retryable=True) from error
        except httpx2.HTTPError as error:
            raise SendUncertain(NO_ANSWER) from error
        except (TwilioRestException, TwilioServiceException) as error:
            raise _refusal(error) from error
        except (TwilioException, ValueError) as error:
            # A 2xx that is not Twilio's JSON: a proxy in between may have swallowed the answer.
            raise SendUncertain(NO_ANSWER) from error
        return Sent(external_id=message.sid)


def _refusal(error: TwilioRestException | TwilioServiceException) -> SendFailed | SendUncertain:
    """What an HTTP error of the carrier means for the message."""
    text = getattr(error, "msg", None) or getattr(error, "detail", None) or ""
    # The SDK puts the HTTP status where the body names no code of Twilio's.
    code = error.code if error.code != error.status else None
    found = errors.from_response(error.status, code, str(text).removeprefix("Unable to create record: "))
    if found is None:
        return SendUncertain(NO_ANSWER)
    return SendFailed(found.code, found.text, retryable=found.retryable, suppress=found.suppress)


def receipt_url(public_url: str, key: str, token: str) -> str:
    """Where the carrier reports what became of one attempt."""
    return f"{public_url}/hooks/twilio/{quote(key, safe='')}/receipt/{token}"
