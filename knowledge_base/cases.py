"""Reads a ticket the way learning and suggesting need it: who said what in public, and how it ended."""

import re
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from contact_center.accounts.models import User
from knowledge_base.drafts import Author, Case, Turn
from knowledge_base.models import ArticleCase
from tickets.models import ChannelAccount, ContactPoint, Customer, Message, Queue, Ticket
from tickets.quality.models import Survey
from tickets.states import AuthorKind, Delivery, MessageKind

MOST_TURNS = 400
# Letters that Vietnamese has and its neighbours do not.
_VIETNAMESE = re.compile(r"[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.I)


class Relation(StrEnum):
    """How a case and an article belong together."""

    SOURCE = "source"
    USED = "used"
    ANSWERED = "answered"
    ASKED_AGAIN = "asked_again"


def load(tx: Connection, ticket_id: int) -> Case | None:
    """The case behind a ticket; None when the ticket is gone or was merged into another."""
    ticket = tx.execute(
        select(
            Ticket.subject,
            Ticket.locale,
            Ticket.customer_id,
            Ticket.merged_into_id,
            Customer.name,
            Customer.locale.label("customer_locale"),
            Queue.locale.label("queue_locale"),
        )
        .join(Customer, Customer.id == Ticket.customer_id)
        .join(Queue, Queue.id == Ticket.queue_id)
        .where(Ticket.id == ticket_id)
    ).first()
    if ticket is None or ticket.merged_into_id is not None:
        return None
    messages = _messages(tx, ticket_id)
    turns = tuple(Turn(row.id, _author(row), row.text) for row in messages)
    names = {ticket.name, *(row.name for row in messages if row.name), *_contact_names(tx, ticket.customer_id)}
    return Case(
        subject=ticket.subject,
        locale=_locale(ticket, turns),
        turns=turns,
        rating=_rating(tx, ticket_id),
        names=tuple(sorted(name for name in names if name)),
        linked_article_ids=_used(tx, ticket_id),
    )


def own_addresses(tx: Connection) -> frozenset[str]:
    """The company's addresses and numbers: they may stand in an article."""
    return frozenset(tx.execute(select(ChannelAccount.address)).scalars())


def _messages(tx: Connection, ticket_id: int) -> list[Row[Any]]:
    statement = (
        select(Message.id, Message.author_kind, Message.text, User.name)
        .outerjoin(User, User.id == Message.user_id)
        .where(
            Message.ticket_id == ticket_id,
            Message.kind.in_((MessageKind.INBOUND.value, MessageKind.OUTBOUND.value)),
            Message.public_seq.is_not(None),
            Message.automatic.is_(False),
            Message.delivery.is_distinct_from(Delivery.CANCELED.value),
        )
        .order_by(Message.seq)
        .limit(MOST_TURNS)
    )
    return list(tx.execute(statement))


def _author(row: Row[Any]) -> Author:
    return Author.CUSTOMER if row.author_kind == AuthorKind.CUSTOMER.value else Author.AGENT


def _contact_names(tx: Connection, customer_id: int) -> list[str]:
    statement = select(ContactPoint.name).where(ContactPoint.customer_id == customer_id, ContactPoint.name != "")
    return list(tx.execute(statement).scalars())


def _locale(ticket: Any, turns: tuple[Turn, ...]) -> str:
    """The language of the conversation: what the ticket says, else how it is written, else the queue's."""
    if ticket.locale:
        return str(ticket.locale).split("-")[0].lower()
    text = " ".join(turn.text for turn in turns)[:4000]
    if len(_VIETNAMESE.findall(text)) >= 3:
        return "vi"
    return str(ticket.queue_locale or ticket.customer_locale or "en")


def _rating(tx: Connection, ticket_id: int) -> int | None:
    return tx.execute(
        select(Survey.rating)
        .where(Survey.ticket_id == ticket_id, Survey.rating.is_not(None))
        .order_by(Survey.answered_at.desc())
        .limit(1)
    ).scalar_one_or_none()


def _used(tx: Connection, ticket_id: int) -> tuple[int, ...]:
    statement = select(ArticleCase.article_id).where(
        ArticleCase.ticket_id == ticket_id, ArticleCase.relation == Relation.USED.value
    )
    return tuple(tx.execute(statement).scalars())
