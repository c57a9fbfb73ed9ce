"""Who carries an account's SMS: Twilio, or the HTTP gateway that its settings describe."""

from channels.base import Outbound, Sender, Sent
from channels.sms.gateway.config import is_gateway


class SmsSender:
    """The SMS channel's sending side: each account through its own provider."""

    idempotent = False

    def __init__(self, twilio: Sender, gateway: Sender) -> None:
        self.twilio = twilio
        self.gateway = gateway

    async def send(self, outbound: Outbound) -> Sent:
        """Hand one message to the account's provider; raises SendFailed or SendUncertain."""
        chosen = self.gateway if is_gateway(outbound.account.settings) else self.twilio
        return await chosen.send(outbound)
