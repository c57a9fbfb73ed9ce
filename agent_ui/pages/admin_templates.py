"""Administration of a WhatsApp account's templates: what Twilio lists, with WhatsApp's word on each."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.pages.admin import admin_page, administer, go
from channels.sms import templates
from channels.sms.template_loop import refresh
from contact_center.accounts.web import locale_of
from contact_center.core.errors import Conflict, NotFound
from contact_center.core.i18n import explain, mark
from contact_center.core.services import services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

# WhatsApp's word -> (tone, ours).
STATUSES = {
    "approved": ("ok", mark("approved")),
    "received": ("", mark("handed in")),
    "pending": ("", mark("being checked")),
    "rejected": ("bad", mark("refused")),
    "paused": ("warn", mark("paused")),
    "disabled": ("bad", mark("switched off")),
}


def routes() -> list[Route]:
    """/admin/channels/…/templates."""
    return [administer("/channels/{account_id:int}/templates", index, "GET", "POST")]


async def index(request: Request) -> Response:
    """All templates; a POST fetches them anew."""
    held = services(request)
    account = await _account(request)
    error = ""
    if request.method == "POST":
        try:
            await refresh(held, account)
            return go(f"/admin/channels/{account.id}/templates", "fetched")
        except Conflict as refused:
            error = explain(await locale_of(request), refused)
    found = await held.db.read(templates.all_of, account.id)
    return await admin_page(
        request,
        "templates.html",
        "channels",
        status=409 if error else 200,
        account=account,
        templates=found,
        statuses=STATUSES,
        error=error,
    )


async def _account(request: Request) -> Account:
    held = services(request)
    account = await held.db.read(channel_accounts.by_id, held.vault, request.path_params["account_id"])
    if account.channel is not Channel.WHATSAPP:
        raise NotFound("Only WhatsApp accounts have templates.")
    return account
