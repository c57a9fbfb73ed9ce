"""How an SMS item out of the journal is taken once more."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from channels.again import take_waiting
from channels.sms import inbound, outcomes
from channels.sms.gateway import config
from channels.sms.gateway.config import is_gateway
from channels.sms.gateway.parse import parse_inbound as parse_gateway
from channels.sms.gateway.parse import parse_report, read_fields
from channels.sms.parse import InboundSms, first_values, parse_inbound, read_form
from contact_center.core.services import Services
from tickets import channel_accounts, inbox
from tickets.channel_accounts import Account
from tickets.states import Channel, JournalState


async def run_once(held: Services) -> bool:
    """The loop's step: texts and receipts that a person took out of quarantine."""
    more = await take_waiting(held, Channel.SMS, take)
    return await take_waiting(held, Channel.WHATSAPP, take) or more


def take(tx: Connection, item: Row[Any], held: Services, now: datetime) -> None:
    """Give one item its end state; raises what is wrong with it."""
    account = channel_accounts.by_id(tx, held.vault, item.channel_account_id)
    if item.external_id.startswith(outcomes.RECEIPT):
        _take_report(tx, int(item.external_id.split(":")[1]), item.raw or b"", account, now=now)
        inbox.finish(tx, item.id, JournalState.ACCEPTED, now=now)
        return
    region = str(account.settings.get("region") or held.settings.region)
    sms = _parsed(item, account)
    arrival = inbound.Arrival(sms, account, item.raw, region, journal_id=item.id)
    if inbound.receive(tx, arrival, now=now) is JournalState.DUPLICATE:
        inbox.finish(tx, item.id, JournalState.DUPLICATE, now=now)


def _take_report(tx: Connection, attempt_id: int, raw: bytes, account: Account, *, now: datetime) -> None:
    if not is_gateway(account.settings):
        outcomes.receive(tx, attempt_id, first_values(read_form(raw)), now=now)
        return
    report = parse_report(config.of(account.settings), read_fields(b"", raw, "application/json"))
    if report.state is not None:
        outcomes.apply(tx, attempt_id, report.state, report.error, now=now)


def _parsed(item: Row[Any], account: Account) -> InboundSms:
    """The message as its provider's own parser reads it today: what was wrong may have been the settings."""
    raw = item.raw or b""
    if not is_gateway(account.settings):
        return parse_inbound(read_form(raw))
    fields = read_fields(b"", raw, "application/json")
    return parse_gateway(config.of(account.settings), fields, unnamed=item.external_id)
