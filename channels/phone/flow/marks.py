"""What a player shows beside the sound of a recording: where it was paused, and that it was deleted.

Marks lie in the message, `meta["recordings"]`, by the file's name without its ending, so that a page of the timeline
needs no statement for them:

    {"recording-1": {"seconds": 65, "pauses": [[12, 40]], "deleted_at": "2026-…", "kept_days": 90}}
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from contact_center.core.events import emit
from tickets.models import Message, Ticket
from tickets.timeline import topics_of

KEY = "recordings"


def mark(tx: Connection, message_id: int, stem: str, values: Mapping[str, Any]) -> None:
    """Add to the marks of one recording of a message."""
    statement = select(Message.meta).where(Message.id == message_id).with_for_update()
    meta = dict(tx.execute(statement).scalar_one() or {})
    known = dict(meta.get(KEY) or {})
    known[stem] = {**known.get(stem, {}), **values}
    tx.execute(update(Message).where(Message.id == message_id).values(meta={**meta, KEY: known}))


def tell(tx: Connection, message_id: int, *, now: datetime) -> None:
    """Open screens show the message anew."""
    ticket = tx.execute(
        select(Ticket.id, Ticket.queue_id, Ticket.assignee_id)
        .join(Message, Message.ticket_id == Ticket.id)
        .where(Message.id == message_id)
    ).one()
    told = {"ticket_id": ticket.id, "message_id": message_id, "delivery": None}
    topics = topics_of(ticket.id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id)
    emit(tx, "message.updated", told, now=now, topics=topics)
