"""A test mail through an e-mail account: out by its SMTP server, back by its mailbox, and what stopped it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import read_form
from agent_ui.pages.admin import administer, go
from agent_ui.shell import fragment
from channels.email import loopback
from channels.email.loopback import State
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

LEFT = mark("It has left; the mail server took it. It should be back within a minute.")
LOST = mark(
    "The mail server took it, and it has not come back since. Look into the mailbox: is it in another folder, "
    "is mail moved away, does the worker run?"
)
ONLY_SENT = mark("The mail server took it. Nothing is read from this mailbox, so nobody sees here whether it arrives.")
BACK = mark("It came back after %(seconds)s s. Sending and taking both work.")
NOT_SENT = mark("It could not be sent: %(reason)s")
REFUSED = mark("It was sent, and came back as undeliverable: %(reason)s")


@dataclass(frozen=True, slots=True)
class Test:
    """The last test for people; `waiting` while it may come back any moment."""

    sentence: str
    tone: str
    at: datetime
    waiting: bool = False
    # What the mail server said, word for word.
    said: str = ""


def routes() -> list[Route]:
    """/admin/channels/…/test-mail."""
    return [
        administer("/channels/{account_id:int}/test-mail", show, "GET"),
        administer("/channels/{account_id:int}/test-mail", send, "POST"),
    ]


async def show(request: Request) -> Response:
    """The part of the account's page, asked for again while a test is under way."""
    account = await _account(request)
    test = await services(request).db.read(last_test, account, await locale_of(request), now=utcnow())
    return await fragment(request, "admin/mail_test.html", account=account, test=test)


async def send(request: Request) -> Response:
    """Send a test mail through, and back to the account."""
    await read_form(request)
    held = services(request)
    account, person = await _account(request), request.state.person
    await held.db.write(_record, account.id, by=person.id)
    await loopback.send(held, account, by=person.id, locale=await locale_of(request))
    return go(f"/admin/channels/{account.id}#test-mail")


def _record(tx: Connection, account_id: int, *, by: int) -> None:
    record(tx, "channel_account.tested", f"channel_account:{account_id}", now=utcnow(), user_id=by)


async def _account(request: Request) -> Account:
    held = services(request)
    account = await held.db.read(channel_accounts.by_id, held.vault, request.path_params["account_id"])
    if account.channel is not Channel.EMAIL:
        raise NotFound("Only mailboxes are tested by a mail.")
    return account


def last_test(tx: Connection, account: Account, locale: str, *, now: datetime) -> Test | None:
    """The last test of an account, in words."""
    row = loopback.last(tx, account.id)
    return as_test(row, account, locale, now=now) if row is not None else None


def as_test(row: Any, account: Account, locale: str, *, now: datetime) -> Test:
    """A test in words."""
    said = row.said or ""
    match State(row.state):
        case State.BACK:
            seconds = max(row.back_at - row.sent_at, timedelta()) / timedelta(seconds=1)
            return Test(gettext(locale, BACK, seconds=f"{seconds:.1f}"), "ok", row.sent_at)
        case State.FAILED if row.back_at is not None:
            return Test(gettext(locale, REFUSED, reason=row.error or ""), "bad", row.sent_at)
        case State.FAILED:
            reason = gettext(locale, row.error or "")
            return Test(gettext(locale, NOT_SENT, reason=reason), "bad", row.sent_at, said=said)
    if not takes_mail(account):
        return Test(gettext(locale, ONLY_SENT), "", row.sent_at, said=said)
    waiting = now < row.sent_at + loopback.PATIENCE
    return Test(gettext(locale, LEFT if waiting else LOST), "" if waiting else "warn", row.sent_at, waiting, said)


def takes_mail(account: Account) -> bool:
    """Whether mail comes in by this account at all."""
    return bool((account.settings.get("imap") or {}).get("host") or account.settings.get("receiver"))
