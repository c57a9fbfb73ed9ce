"""Tickets that have to do with each other: links, "same matter?", and a ticket that follows up a closed one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, ForeignKey, delete, or_, select, union_all
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.errors import Conflict, Invalid
from contact_center.core.schema import Base, BigId
from contact_center.core.text import fold
from contact_center.core.upsert import insert_for
from tickets import lifecycle
from tickets.models import Ticket
from tickets.numbers import number_of
from tickets.opening import Opening, open_
from tickets.replies import Author
from tickets.states import Channel, Status
from tickets.timeline import add_event

SAME_MATTER_WITHIN = timedelta(days=7)
MOST_SUGGESTED = 5
TELLING_WORD = 4


class TicketLink(Base):
    """Two tickets that have to do with each other; the lower id comes first."""

    __tablename__ = "ticket_links"

    first_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), primary_key=True)
    second_id: Mapped[int] = mapped_column(BigId, ForeignKey("tickets.id"), primary_key=True, index=True)
    by_user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    linked_at: Mapped[datetime]


class Sign(StrEnum):
    """Why another ticket may be the same matter."""

    SAME_TOPIC = "same_topic"
    SAME_WORDS = "same_words"
    SAME_DAY = "same_day"
    SAME_QUEUE = "same_queue"


WEIGHTS = {Sign.SAME_TOPIC: 3, Sign.SAME_WORDS: 3, Sign.SAME_DAY: 2, Sign.SAME_QUEUE: 1}


class Relation(StrEnum):
    """How another ticket stands to one."""

    LINKED = "linked"
    FOLLOWS_UP = "follows_up"
    FOLLOWED_UP_BY = "followed_up_by"
    PARENT = "parent"
    CHILD = "child"


@dataclass(frozen=True, slots=True)
class Related:
    """Another ticket with its relation."""

    ticket_id: int
    subject: str
    status: str
    channel: str
    relation: Relation

    @property
    def number(self) -> int:
        """The public number."""
        return number_of(self.ticket_id)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another ticket of the customer that may be the same matter, with the signs that say so."""

    ticket_id: int
    subject: str
    status: str
    channel: str
    updated_at: datetime
    signs: tuple[Sign, ...]

    @property
    def number(self) -> int:
        """The public number."""
        return number_of(self.ticket_id)


def link(tx: Connection, ticket_id: int, other_id: int, *, user_id: int, now: datetime) -> None:
    """Link two tickets, of whatever customers; linking again changes nothing."""
    if ticket_id == other_id:
        raise Invalid("Choose another ticket to link.", field="ticket")
    for each in (ticket_id, other_id):
        lifecycle.access(tx, each)
    first, second = sorted((ticket_id, other_id))
    statement = insert_for(tx, TicketLink).values(first_id=first, second_id=second, by_user_id=user_id, linked_at=now)
    made = tx.execute(
        statement.on_conflict_do_nothing(index_elements=["first_id", "second_id"]).returning(TicketLink.first_id)
    ).first()
    if made is not None:
        for each, to in ((ticket_id, other_id), (other_id, ticket_id)):
            add_event(tx, each, "linked", {"to_ticket_id": to, "number": number_of(to)}, now=now, user_id=user_id)


def unlink(tx: Connection, ticket_id: int, other_id: int, *, user_id: int, now: datetime) -> None:
    """Take a link away."""
    first, second = sorted((ticket_id, other_id))
    gone = tx.execute(delete(TicketLink).where(TicketLink.first_id == first, TicketLink.second_id == second))
    if gone.rowcount:
        for each, to in ((ticket_id, other_id), (other_id, ticket_id)):
            add_event(tx, each, "unlinked", {"to_ticket_id": to, "number": number_of(to)}, now=now, user_id=user_id)


def related(tx: Connection, ticket_id: int) -> list[Related]:
    """All tickets that have to do with one, newest first, in two statements."""
    ticket = lifecycle.access(tx, ticket_id)
    linked = union_all(
        select(TicketLink.second_id).where(TicketLink.first_id == ticket_id),
        select(TicketLink.first_id).where(TicketLink.second_id == ticket_id),
    )
    known = [each for each in (ticket.follows_up_id, ticket.parent_id) if each is not None]
    rows = tx.execute(
        select(Ticket.id, Ticket.subject, Ticket.status, Ticket.channel, Ticket.follows_up_id, Ticket.parent_id)
        .where(
            or_(
                Ticket.id.in_(linked),
                Ticket.id.in_(known),
                Ticket.follows_up_id == ticket_id,
                Ticket.parent_id == ticket_id,
            )
        )
        .order_by(Ticket.id.desc())
    )
    return [
        Related(
            row.id,
            row.subject,
            row.status,
            row.channel,
            _relation(row.id, row.follows_up_id, row.parent_id, ticket_id, ticket.follows_up_id, ticket.parent_id),
        )
        for row in rows
    ]


def same_matter(tx: Connection, ticket_id: int) -> list[Candidate]:
    """Other recent tickets of the customer that may be the same matter, likeliest first; one click merges them."""
    ticket = lifecycle.access(tx, ticket_id)
    rows = tx.execute(
        select(Ticket.__table__)
        .where(
            Ticket.customer_id == ticket.customer_id,
            Ticket.id != ticket_id,
            Ticket.status.not_in((Status.CLOSED.value, Status.SPAM.value)),
            Ticket.updated_at > ticket.created_at - SAME_MATTER_WITHIN,
        )
        .order_by(Ticket.updated_at.desc())
        .limit(20)
    ).all()
    words = _words(f"{ticket.subject} {ticket.preview}")
    found = []
    for row in rows:
        signs = []
        if ticket.topic_id is not None and ticket.topic_id == row.topic_id:
            signs.append(Sign.SAME_TOPIC)
        if words & _words(f"{row.subject} {row.preview}"):
            signs.append(Sign.SAME_WORDS)
        if abs(row.created_at - ticket.created_at) < timedelta(days=1):
            signs.append(Sign.SAME_DAY)
        if row.queue_id == ticket.queue_id:
            signs.append(Sign.SAME_QUEUE)
        found.append(Candidate(row.id, row.subject, row.status, row.channel, row.updated_at, tuple(signs)))
    found.sort(key=lambda one: sum(WEIGHTS[sign] for sign in one.signs), reverse=True)
    return found[:MOST_SUGGESTED]


def follow_up(
    tx: Connection, ticket_id: int, text: str, *, author: Author, now: datetime, outbound: bool = True
) -> int:
    """Go on with a closed matter in a new ticket that is linked to it; returns its id."""
    ticket = lifecycle.access(tx, ticket_id)
    if ticket.status != Status.CLOSED.value:
        raise Conflict("This ticket is not closed: answer in it.")
    opening = Opening(
        subject=ticket.subject or f"#{number_of(ticket_id)}",
        queue_id=ticket.queue_id,
        channel=Channel(ticket.channel) if outbound else Channel.DESK,
        customer_id=ticket.customer_id,
        text=text,
        outbound=outbound,
        priority=ticket.priority,
        kind=ticket.kind,
        topic_id=ticket.topic_id,
        follows_up_id=ticket_id,
    )
    return open_(tx, opening, author=author, now=now)


def _relation(
    row_id: int,
    row_follows: int | None,
    row_parent: int | None,
    ticket_id: int,
    follows: int | None,
    parent: int | None,
) -> Relation:
    if row_id == follows:
        return Relation.FOLLOWS_UP
    if row_follows == ticket_id:
        return Relation.FOLLOWED_UP_BY
    if row_id == parent:
        return Relation.PARENT
    return Relation.CHILD if row_parent == ticket_id else Relation.LINKED


def _words(text: str) -> set[str]:
    """Words long enough, or numbers of orders, to say something about the matter."""
    return {word for word in fold(text).replace("#", " ").split() if len(word) >= TELLING_WORD}
