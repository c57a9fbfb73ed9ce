"""How an item of a messaging app out of the journal is taken once more."""

from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from channels.again import take_waiting
from channels.messaging import inbound
from channels.messaging.app import Said
from channels.messaging.apps import app_of
from contact_center.core.services import Services
from tickets import channel_accounts, inbox
from tickets.states import Channel, JournalState


async def run_once(held: Services) -> bool:
    """The loop's step: messages that a person took out of quarantine."""
    return await take_waiting(held, Channel.MESSAGING, take)


def take(tx: Connection, item: Row[Any], held: Services, now: datetime) -> None:
    """Give one item its end state; raises what is wrong with it. A call may hold more messages than this one."""
    account = channel_accounts.by_id(tx, held.vault, item.channel_account_id)
    told = [one for one in app_of(account, held).read(orjson.loads(item.raw)) if isinstance(one, Said)]
    own = [one for one in told if one.id == item.external_id]
    if own:
        arrival = inbound.Arrival(own[0], account, item.raw, journal_id=item.id)
        if inbound.receive(tx, arrival, now=now) is JournalState.DUPLICATE:
            inbox.finish(tx, item.id, JournalState.DUPLICATE, now=now)
        return
    # The whole call lay in quarantine: nothing of it was readable then.
    for said in told:
        inbound.receive(tx, inbound.Arrival(said, account, item.raw), now=now)
    inbox.finish(tx, item.id, JournalState.ACCEPTED, now=now)
