"""What chat asks of routing: the place in line, and that a customer has left or ended the conversation."""

from datetime import datetime

from sqlalchemy import Connection

from channels.chat.frames import Place
from routing import contacts, work
from routing.pools import PoolName


def place_of(tx: Connection, ticket_id: int, *, now: datetime) -> Place | None:
    """The place in line while somebody waits for a person now; None once answered, or when a mail will follow."""
    item = work.open_of(tx, ticket_id, lock=False)
    if item is None or item.pool != PoolName.LIVE.value:
        return None
    wait = contacts.wait_of(tx, ticket_id, now=now)
    return Place(wait.position, wait.estimate_seconds) if wait else None


def left(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """T6: the last line has been gone for longer than the grace. A conversation with an agent waits for its return."""
    if contacts.wait_of(tx, ticket_id, now=now) is not None:
        contacts.customer_left(tx, ticket_id, now=now)


def ended(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """The customer has ended the conversation, answered or not."""
    contacts.customer_left(tx, ticket_id, now=now)
