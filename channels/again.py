"""Quarantined items that a person wants tried again: each is taken in its own transaction, as at the edge."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from channels.guard import guarded_again
from contact_center.core.clock import utcnow
from contact_center.core.services import Services
from tickets.models import JournalItem
from tickets.states import Channel, JournalState

BATCH = 20

# take(tx, journal row, services, now): must give the item its end state, or raise.
Take = Callable[[Connection, Row[Any], Services, datetime], None]


async def take_waiting(held: Services, channel: Channel, take: Take) -> bool:
    """Take the items of a channel that wait in the journal; True if there may be more."""
    ids = await held.db.read(_waiting, channel)
    for item_id in ids:
        await guarded_again(held.db, item_id, channel.value, _take, item_id, held, take, utcnow())
    return len(ids) == BATCH


def _waiting(tx: Connection, channel: Channel) -> list[int]:
    return list(
        tx.execute(
            select(JournalItem.id)
            .where(JournalItem.state == JournalState.RECEIVED.value, JournalItem.channel == channel.value)
            .order_by(JournalItem.id)
            .limit(BATCH)
        ).scalars()
    )


def _take(tx: Connection, item_id: int, held: Services, take: Take, now: datetime) -> None:
    item = tx.execute(
        select(JournalItem.__table__)
        .where(JournalItem.id == item_id, JournalItem.state == JournalState.RECEIVED.value)
        .with_for_update(skip_locked=True)
    ).first()
    if item is not None:
        take(tx, item, held, now)
