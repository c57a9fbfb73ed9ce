"""What chat asks of routing: the place in line, and that a customer has left or ended the conversation."""

from datetime import datetime

from sqlalchemy import Connection

from channels.chat.frames import Place


def place_of(tx: Connection, ticket_id: int, *, now: datetime) -> Place | None:
    """The place in line while the ticket waits for somebody."""
    return None


def left(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """The customer's last line has been gone for longer than the grace."""


def ended(tx: Connection, ticket_id: int, *, now: datetime) -> None:
    """The customer has ended the conversation, answered or not."""
