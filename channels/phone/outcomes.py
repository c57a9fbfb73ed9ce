"""What came of a call, as its agent says: reached, a voicemail left, a wrong number, or called back later."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select, update

from channels.phone.models import Call
from channels.phone.states import FINAL, CallState
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.i18n import mark
from tickets import lifecycle, timers
from tickets.models import Message
from tickets.timeline import topics_of


class Outcome(StrEnum):
    """The closed set that people choose from."""

    REACHED = "reached"
    VOICEMAIL = "voicemail_left"
    WRONG_NUMBER = "wrong_number"
    CALLBACK = "callback"


WORDS = {
    Outcome.REACHED.value: mark("Reached"),
    Outcome.VOICEMAIL.value: mark("Left a voicemail"),
    Outcome.WRONG_NUMBER.value: mark("Wrong number"),
    Outcome.CALLBACK.value: mark("Callback wanted"),
}


def tell(
    tx: Connection,
    call_id: int,
    outcome: Outcome,
    *,
    user_id: int,
    callback_at: datetime | None = None,
    now: datetime,
) -> int:
    """Write the outcome on the call's entry, once more if somebody changes their mind; returns the ticket.

    A callback is planned for `callback_at`, once a call. Conflict while the call goes on.
    """
    call = tx.execute(select(Call.__table__).where(Call.id == call_id).with_for_update()).first()
    if call is None or call.message_id is None or call.ticket_id is None:
        raise NotFound("There is no such call in a conversation.")
    if CallState(call.state) not in FINAL:
        raise Conflict("This call is not over yet.")
    if outcome is Outcome.CALLBACK and callback_at is None:
        raise Invalid("Choose a moment in the future.", field="outcome")
    ticket = lifecycle.access(tx, call.ticket_id)
    meta: dict[str, Any] = tx.execute(select(Message.meta).where(Message.id == call.message_id)).scalar_one()
    told = {**meta, "call": {**meta.get("call", {}), "disposition": outcome.value}}
    tx.execute(update(Message).where(Message.id == call.message_id).values(meta=told))
    topics = topics_of(ticket.id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id)
    changed = {"ticket_id": ticket.id, "message_id": call.message_id, "delivery": None}
    emit(tx, "message.updated", changed, now=now, topics=topics)
    if outcome is Outcome.CALLBACK and callback_at is not None:
        name = f"call-{call_id}"
        timers.remind(tx, ticket.id, due_at=callback_at, by_user_id=user_id, client_id=name, now=now)
    ticket_id: int = ticket.id
    return ticket_id


def last_call(tx: Connection, ticket_id: int) -> int | None:
    """The newest finished call of a ticket that has an entry there."""
    found: int | None = tx.execute(
        select(Call.id)
        .where(Call.ticket_id == ticket_id, Call.ending.is_not(None), Call.message_id.is_not(None))
        .order_by(Call.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found
