"""A mailbox compared with what was taken from it: the report under an IMAP account, and taking what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import read_form
from agent_ui.pages.admin import admin_page, administer, go
from agent_ui.shell import fragment
from channels.email import reconcile
from channels.email.reconcile import TAKEABLE, State, Why
from contact_center.accounts.audit import record
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.states import Channel

# reason -> (its name, what it means)
WORDS = {
    Why.LOST.value: (mark("Passed over"), mark("It should have been taken.")),
    Why.UNREAD.value: (mark("Not read yet"), mark("The mailbox is being read; this one comes next.")),
    Why.BEFORE.value: (mark("Before the beginning"), mark("It lay there before the account was connected.")),
    Why.QUARANTINED.value: (mark("Quarantined"), mark("It could not be read. The journal says why.")),
    Why.SUPPRESSED.value: (mark("Suppressed"), mark("It was kept, but made no conversation. The journal says why.")),
    Why.DELETED.value: (mark("Deleted here"), mark("Its message was deleted. It is never taken again.")),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One missing mail in the list; `at` as the mail says it."""

    at: datetime | None
    sender: str
    subject: str
    why: str
    journal_id: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison for people: `why` are the reasons with their numbers, those that can be taken first."""

    running: bool
    takes: bool
    error: str
    finished_at: datetime | None
    total: int
    seen: int
    taken: int
    missing: int
    takeable: int
    handed_in: int
    why: Mapping[str, int]
    lines: tuple[Line, ...]


def routes() -> list[Route]:
    """/admin/channels/…/mailbox and its report."""
    return [
        administer("/channels/{account_id:int}/mailbox", show, "GET"),
        administer("/channels/{account_id:int}/mailbox", ask, "POST"),
        administer("/channels/{account_id:int}/mailbox/report", part, "GET"),
    ]


async def show(request: Request) -> Response:
    """The last report of an account, with how far a running one is."""
    account = await _account(request)
    report = await _report(request, account)
    return await admin_page(request, "mailbox.html", "channels", account=account, report=report, words=WORDS)


async def part(request: Request) -> Response:
    """The report alone, asked for again and again while a comparison runs."""
    account = await _account(request)
    report = await _report(request, account)
    return await fragment(request, "admin/mailbox_report.html", account=account, report=report, words=WORDS)


async def ask(request: Request) -> Response:
    """Compare, or take what is missing; while one runs, another click changes nothing."""
    account = await _account(request)
    takes = (await read_form(request)).flag("take")
    await services(request).db.write(ask_for, account.id, takes=takes, by=request.state.person.id, now=utcnow())
    return go(f"/admin/channels/{account.id}/mailbox")


def ask_for(tx: Connection, account_id: int, *, takes: bool, by: int, now: datetime) -> None:
    """Ask the worker for a comparison; one that takes is audited."""
    if reconcile.ask(tx, account_id, takes=takes, by=by, now=now) and takes:
        record(tx, "channel_account.missing_taken", f"channel_account:{account_id}", now=now, user_id=by)


async def _account(request: Request) -> Account:
    held = services(request)
    account = await held.db.read(channel_accounts.by_id, held.vault, request.path_params["account_id"])
    if account.channel is not Channel.EMAIL or not (account.settings.get("imap") or {}).get("host"):
        raise NotFound("Only mailboxes that are read over IMAP can be compared.")
    return account


async def _report(request: Request, account: Account) -> Report | None:
    row = await services(request).db.read(reconcile.report_of, account.id)
    return as_report(row, await locale_of(request)) if row is not None else None


def as_report(row: Any, locale: str) -> Report:
    """A report row for people."""
    counts = row.missing["why"]
    order = list(WORDS)
    mails = sorted(row.missing["mails"], key=lambda mail: (order.index(mail["why"]), -mail["uid"]))
    return Report(
        running=row.state in (State.ASKED.value, State.RUNNING.value),
        takes=row.takes,
        error=gettext(locale, row.error or ""),
        finished_at=row.finished_at,
        total=row.total,
        seen=row.seen,
        taken=row.taken,
        missing=sum(counts.values()),
        takeable=sum(counts.get(why.value, 0) for why in TAKEABLE),
        handed_in=row.handed_in,
        why={why: counts[why] for why in order if why in counts},
        lines=tuple(
            Line(
                datetime.fromisoformat(mail["date"]) if mail["date"] else None,
                mail["from"],
                mail["subject"],
                mail["why"],
                mail["journal_id"],
            )
            for mail in mails
        ),
    )
