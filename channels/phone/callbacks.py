"""Planned calls whose time has come: the matter opens again, so that its owner sees it."""

from datetime import datetime

from sqlalchemy import Connection

from contact_center.core.events import Event
from tickets import lifecycle
from tickets.states import Status
from tickets.timeline import add_event

SLEEPING = {Status.PENDING.value, Status.ON_HOLD.value, Status.SNOOZED.value, Status.RESOLVED.value}


def on_reminder_due(tx: Connection, event: Event, now: datetime) -> None:
    """Say so in the conversation and wake it; a closed one only says so."""
    if event.payload["kind"] != "callback":
        return
    ticket = lifecycle.access(tx, event.payload["ticket_id"], lock=True)
    add_event(tx, ticket.id, "callback_due", {"reminder_id": event.payload["reminder_id"]}, now=now)
    if ticket.status in SLEEPING:
        lifecycle.set_status(tx, ticket.id, Status.OPEN, user_id=None, now=now)
