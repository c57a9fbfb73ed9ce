"""Keeps the templates of all WhatsApp accounts as Twilio has them."""

import httpx2
import structlog
from twilio.base.exceptions import TwilioException

from channels.sms import templates
from channels.sms.client import OpenHttp, open_client, open_http
from channels.sms.templates import Template
from contact_center.core.clock import utcnow
from contact_center.core.errors import Conflict
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

log = structlog.get_logger()

MOST = 2_000
PAGE = 100


class TemplateLoop:
    """The loop's step: every account once."""

    def __init__(self, held: Services, http: OpenHttp = open_http) -> None:
        self.held = held
        self.open_http = http

    async def run_once(self) -> bool:
        """Fetch all; an account that fails keeps what it had."""
        for account in await self.held.db.read(channel_accounts.enabled, self.held.vault, Channel.WHATSAPP):
            if not account.secrets.get("auth_token"):
                continue
            try:
                await refresh(self.held, account, self.open_http)
            except Conflict as error:
                log.info("whatsapp.templates_not_fetched", account=account.name, reason=error.detail)
        return False


async def refresh(held: Services, account: Account, http: OpenHttp = open_http) -> int:
    """Fetch the templates of an account; returns how many there are. Conflict, in words, if Twilio gives none."""
    try:
        found = await fetch(account, api_url=held.settings.twilio_api_url, http=http)
    except (TwilioException, httpx2.HTTPError, ValueError) as error:
        said = getattr(error, "msg", "") or type(error).__name__
        raise Conflict("Twilio did not give the templates: {said}", said=said[:200]) from error
    return await held.db.write(templates.keep, account.id, found, now=utcnow())


async def fetch(account: Account, *, api_url: str, http: OpenHttp = open_http) -> list[Template]:
    """What Twilio's Content API lists; raises TwilioException or httpx2.HTTPError."""
    async with http() as opened:
        client = open_client(
            opened,
            account_sid=str(account.secrets.get("account_sid", "")),
            auth_token=str(account.secrets.get("auth_token", "")),
            base_url=api_url,
        )
        listed = await client.content.v1.content_and_approvals.list_async(limit=MOST, page_size=PAGE)
    return [template for content in listed if (template := templates.read(content)) is not None]
