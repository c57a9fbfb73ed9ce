"""A test message through an HTTP gateway: what would be sent, and what became of it when it was."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer
from channels.receipts import attempt_token
from channels.sms.gateway import config
from channels.sms.gateway.answer import NotTaken, Taken, Unclear, understand
from channels.sms.gateway.request import BadTemplate, Prepared, prepare, shown, values
from channels.sms.gateway.send import WRONG_TEMPLATE, ask, receipt_url
from channels.sms.send import NO_CONNECTION
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.outbound import NeverLeft, Unanswered
from contact_center.core.services import Services, services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.customers.identities import BadAddress, normalise_phone
from tickets.states import Channel

LONGEST_ANSWER = 2_000
SILENT = mark(
    "It did not answer. Whether the message was taken, only the gateway knows; a real one would be uncertain."
)
UNCLEAR = mark("Nobody can tell from this answer whether the message was taken; a real one would be uncertain.")


@dataclass(frozen=True, slots=True)
class Result:
    """How a test ended: `tone` is that of the badge, `answer` what the gateway wrote."""

    tone: str
    sentence: str
    status: int | None = None
    answer: str = ""
    external_id: str = ""


def routes() -> list[Route]:
    """/admin/channels/…/test."""
    return [administer("/channels/{account_id:int}/test", try_out, "GET", "POST")]


async def try_out(request: Request) -> Response:
    """The form, what it would send, and after sending what came back."""
    held = services(request)
    account = await held.db.read(channel_accounts.by_id, held.vault, request.path_params["account_id"])
    if account.channel is not Channel.SMS or not config.is_gateway(account.settings):
        raise NotFound("Only SMS accounts with an HTTP gateway are tested here.")
    locale = await locale_of(request)
    form = blank(locale, {"text": gettext(locale, mark("Test message from %(name)s"), name=account.name)})
    seen: Prepared | None = None
    result: Result | None = None
    if request.method == "POST":
        form = await read_form(request)
        filled = _filled(held, account, form)
        if filled is not None:
            seen = _prepared(form, account, shown(filled))
        if filled is not None and seen is not None and form.values.get("then") == "send":
            await held.db.write(_record, account.id, by=request.state.person.id)
            result = await _send(held, account, filled)
            # Not in the template: a gateway's own words may hold what looks like a place to fill.
            result = replace(result, sentence=gettext(locale, result.sentence))
    return await _show(request, account, form, seen=seen, result=result)


def _filled(held: Services, account: Account, form: Form) -> dict[str, str] | None:
    """What the placeholders stand for in the test, or None where a field is wrong."""
    text = form.text("text", required=True, longest=500)
    to = form.text("to", required=True)
    if to:
        try:
            to = normalise_phone(to, str(account.settings.get("region") or held.settings.region))
        except BadAddress as error:
            form.fail("to", str(error))
    if not form.ok:
        return None
    return values(
        to=to,
        sender=account.address,
        text=text,
        reference=f"test-{utcnow():%Y%m%d%H%M%S%f}",
        # No message has the attempt 0: its report is acknowledged and changes nothing.
        receipt_url=receipt_url(held.settings.base_url, account.key, attempt_token(held.vault, 0)),
        secrets=account.secrets,
    )


def _prepared(form: Form, account: Account, filled: dict[str, str]) -> Prepared | None:
    try:
        return prepare(config.of(account.settings), filled)
    except BadTemplate:
        form.fail("", WRONG_TEMPLATE)
        return None


async def _send(held: Services, account: Account, filled: dict[str, str]) -> Result:
    gateway = config.of(account.settings)
    try:
        answer = await ask(prepare(gateway, filled), private=held.settings.own_network)
    except NeverLeft as error:
        return Result("bad", NO_CONNECTION, answer=str(error))
    except Unanswered as error:
        return Result("warn", SILENT, answer=str(error))
    text = answer.body[:LONGEST_ANSWER].decode("utf-8", "replace")
    match understand(gateway, answer.status, answer.body):
        case Taken(external_id):
            sentence = mark("The gateway took the message.")
            return Result("ok", sentence, answer.status, text, external_id or "")
        case NotTaken(_, reason):
            return Result("bad", reason, answer.status, text)
        case Unclear():
            return Result("warn", UNCLEAR, answer.status, text)


def _record(tx: Connection, account_id: int, *, by: int) -> None:
    record(tx, "channel_account.tested", f"channel_account:{account_id}", now=utcnow(), user_id=by)


async def _show(request: Request, account: Account, form: Form, **values: Any) -> Response:
    status = 200 if form.ok else 422
    return await admin_page(
        request, "gateway_test.html", "channels", status=status, account=account, form=form, **values
    )
