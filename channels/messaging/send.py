"""The messaging channel's sending side: through the app of the account."""

from dataclasses import replace
from functools import partial
from urllib.parse import quote

import httpx2

from channels.base import Outbound, SendFailed, SendUncertain, Sent
from channels.messaging.app import TIMEOUT, Line, OutgoingFile
from channels.messaging.apps import app_of
from channels.messaging.inbound import person_of
from contact_center.core.i18n import mark
from contact_center.core.outbound import NeverLeft, Resolve, Unanswered, exchange, resolved, trust
from contact_center.core.services import Services

MEDIA_PURPOSE = "messaging-media"
MEDIA_SECONDS = 24 * 3600
NO_CONNECTION = mark("The app could not be reached.")
NO_ANSWER = mark("The app did not answer; nobody knows whether the message was sent.")

# Raised before a single byte of the request left: the same message may be sent again.
_NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class MessagingSender:
    """Not every app recognises a repeated request, so none is repeated blindly."""

    idempotent = False

    def __init__(
        self, held: Services, transport: httpx2.AsyncBaseTransport | None = None, resolve: Resolve = resolved
    ) -> None:
        self.held = held
        self.transport = transport
        self.resolve = resolve

    async def send(self, outbound: Outbound) -> Sent:
        """Hand one message to the app; raises SendFailed or SendUncertain."""
        app = app_of(outbound.account, self.held)
        files = [self._file(outbound, number) for number in range(len(outbound.attachments))]
        addressed = replace(outbound, to=person_of(outbound.to))
        ask = partial(exchange, private=self.held.settings.own_network, transport=self.transport, resolve=self.resolve)
        try:
            async with httpx2.AsyncClient(
                verify=trust(), timeout=TIMEOUT, trust_env=False, transport=self.transport
            ) as http:
                return await app.send(Line(http, ask), addressed, files)
        except (NeverLeft, *_NEVER_LEFT) as error:
            raise SendFailed("no_connection", NO_CONNECTION, retryable=True) from error
        except (Unanswered, httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise SendUncertain(NO_ANSWER) from error

    def _file(self, outbound: Outbound, number: int) -> OutgoingFile:
        file = outbound.attachments[number]
        token = self.held.vault.sign(MEDIA_PURPOSE, [file.digest, file.content_type, file.filename])
        base = f"{self.held.settings.base_url}/hooks/messaging/{quote(outbound.account.key, safe='')}/media/"
        return OutgoingFile(base + token, file.filename, file.content_type, file.size)
