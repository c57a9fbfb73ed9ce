"""Mail for many is kept apart when it comes, unless we know its sender as somebody to talk with."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, select

from tickets import spam
from tickets.models import Message, Ticket
from tickets.spam import SpamMark
from tickets.states import AuthorKind, MessageKind, Status

_OF_SENDER = Ticket.contact_point_id == bindparam("point")
# Somebody here has answered them, or has said that what they send is no newsletter.
_ANSWERED = exists().where(
    _OF_SENDER,
    Message.ticket_id == Ticket.id,
    Message.kind == MessageKind.OUTBOUND.value,
    Message.author_kind == AuthorKind.AGENT.value,
)
_WANTED = exists().where(
    _OF_SENDER,
    SpamMark.ticket_id == Ticket.id,
    SpamMark.marked_as == Status.NEWSLETTER.value,
    SpamMark.undone_at.is_not(None),
)
_KNOWN = select(_ANSWERED | _WANTED)


def keep_apart(tx: Connection, ticket_id: int, name: str, contact_point_id: int, *, now: datetime) -> bool:
    """Put a ticket that such a mail has just opened apart; False where we talk with its sender."""
    if tx.execute(_KNOWN, {"point": contact_point_id}).scalar_one():
        return False
    spam.mark(tx, ticket_id, user_id=None, now=now, as_status=Status.NEWSLETTER, facts={"list": name[:200]})
    return True
