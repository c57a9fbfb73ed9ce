"""How a ticket stands because of its messages: said again when one was moved or taken back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from contact_center.core.text import gist
from tickets.models import Message, Ticket
from tickets.states import RESTING_STATUSES, Delivery, MessageKind, Status
from tickets.timeline import PREVIEW_LENGTH

SAID = Message.delivery.is_distinct_from(Delivery.CANCELED.value)
"""What was not taken back before it left."""


def refresh(tx: Connection, ticket: Row[Any], *, now: datetime) -> None:
    """Say again what follows from the messages that are there now: last words, who waits since when, the preview."""
    of_ticket = (Message.ticket_id == ticket.id) & SAID
    inbound = (Message.kind == MessageKind.INBOUND.value) & Message.automatic.is_(False)
    answer = (Message.kind == MessageKind.OUTBOUND.value) & Message.automatic.is_(False)
    times = tx.execute(
        select(
            func.max(Message.created_at).filter(inbound).label("inbound"),
            func.max(Message.created_at).filter(answer).label("answer"),
            func.min(Message.created_at).filter(answer).label("first_answer"),
        ).where(of_ticket)
    ).one()
    unanswered = select(func.min(Message.created_at)).where(of_ticket, inbound)
    if times.answer is not None:
        unanswered = unanswered.where(Message.created_at > times.answer)
    waiting = tx.execute(unanswered).scalar_one()
    last = tx.execute(
        select(Message.text)
        .where(of_ticket, Message.kind != MessageKind.EVENT.value)
        .order_by(Message.created_at.desc(), Message.seq.desc())
        .limit(1)
    ).scalar_one_or_none()
    done = Status(ticket.status) in RESTING_STATUSES
    tx.execute(
        update(Ticket)
        .where(Ticket.id == ticket.id)
        .values(
            last_inbound_at=times.inbound,
            last_outbound_at=times.answer,
            first_response_at=times.first_answer,
            waiting_since=None if done else waiting,
            preview=gist(last or "", PREVIEW_LENGTH),
            updated_at=now,
            version=Ticket.version + 1,
        )
    )
