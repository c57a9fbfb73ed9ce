"""How an SMS item out of the journal is taken once more."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from channels.again import take_waiting
from channels.sms import inbound, outcomes
from channels.sms.parse import first_values, parse_inbound, read_form
from contact_center.core.services import Services
from tickets import channel_accounts, inbox
from tickets.states import Channel, JournalState


async def run_once(held: Services) -> bool:
    """The loop's step: SMS and receipts that a person took out of quarantine."""
    return await take_waiting(held, Channel.SMS, take)


def take(tx: Connection, item: Row[Any], held: Services, now: datetime) -> None:
    """Give one item its end state; raises what is wrong with it."""
    form = read_form(item.raw or b"")
    if item.external_id.startswith(outcomes.RECEIPT):
        outcomes.receive(tx, int(item.external_id.split(":")[1]), first_values(form), now=now)
        inbox.finish(tx, item.id, JournalState.ACCEPTED, now=now)
        return
    account = channel_accounts.by_id(tx, held.vault, item.channel_account_id)
    region = str(account.settings.get("region") or held.settings.region)
    arrival = inbound.Arrival(parse_inbound(form), account, item.raw, region, journal_id=item.id)
    if inbound.receive(tx, arrival, now=now) is JournalState.DUPLICATE:
        inbox.finish(tx, item.id, JournalState.DUPLICATE, now=now)
