"""Reports of exchanges through the journal: each once, each with an end state, each to be tried again."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from channels.again import take_waiting
from channels.phone import calls, conference_hooks, lines
from channels.phone.flow import callers
from channels.phone.flow.plan import plan_of
from channels.phone.parse import CallReport, parse_cti, parse_twilio
from channels.phone.states import Direction, Facts
from channels.sms.parse import read_form
from contact_center.core.services import Services
from tickets import channel_accounts, inbox
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel, JournalState

TWILIO, CTI = "twilio", "cti"


def receive(
    tx: Connection, account: Account, source: str, item: RawItem, report: CallReport, *, region: str, now: datetime
) -> JournalState:
    """Journal a report and take it; the same bytes again are a duplicate."""
    journal_id = inbox.store(tx, item, now=now)
    if journal_id is None:
        return JournalState.DUPLICATE
    return _take(tx, account, source, journal_id, report, region=region, now=now)


def _take(
    tx: Connection, account: Account, source: str, journal_id: int, report: CallReport, *, region: str, now: datetime
) -> JournalState:
    line = lines.line_of(tx, account, source=source, region=region)
    if plan_of(account.settings) is not None and source == TWILIO:
        report = led(report)
    call = calls.receive(tx, line, report, journal_id=journal_id, now=now)
    if call.ended_at is not None:
        callers.ended(tx, line, call.id, now=now)
    # A report that opened a ticket was accepted with it; finishing it twice changes nothing.
    inbox.finish(tx, journal_id, JournalState.ACCEPTED, now=now)
    return JournalState.ACCEPTED


def led(report: CallReport) -> CallReport:
    """On a line with a plan it is the plan that answers the customer's leg: only an agent who joins has answered."""
    if report.direction is not Direction.IN or report.agents or report.facts.ended_at is not None:
        return report
    return replace(report, facts=Facts(rang_at=report.facts.rang_at or report.facts.answered_at))


async def run_once(held: Services) -> bool:
    """The loop's step: reports that a person took out of quarantine."""
    return await take_waiting(held, Channel.PHONE, take)


def take(tx: Connection, item: Row[Any], held: Services, now: datetime) -> None:
    """Give one journaled report its end state; raises what is wrong with it."""
    if conference_hooks.is_callback(item.external_id):
        conference_hooks.take(tx, item, now)
        return
    account = channel_accounts.by_id(tx, held.vault, item.channel_account_id)
    source = item.external_id.partition(":")[0]
    raw = item.raw or b""
    # What happened happened when it arrived, not when somebody repaired it.
    at = item.received_at
    report = parse_twilio(read_form(raw), now=at) if source == TWILIO else parse_cti(raw, "", now=at)
    _take(tx, account, source, item.id, report, region=held.settings.region, now=now)
