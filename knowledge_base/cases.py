"""Reads a ticket the way learning and suggesting need it: who said what in public, and how it ended."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, select

from contact_center.accounts.models import User
from knowledge_base.drafts import Author, Case, Turn
from knowledge_base.models import ArticleCase, ArticleText
from tickets.models import ChannelAccount, ContactPoint, Customer, Message, Queue, Ticket
from tickets.quality.models import Survey
from tickets.states import AuthorKind, Delivery, MessageKind

MOST_TURNS = 400
_ADDRESS = re.compile(r"/help/([\w-]{1,90})")
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
    ticket = tx.execute(_TICKET, {"ticket_id": ticket_id}).first()
    if ticket is None or ticket.merged_into_id is not None:
        return None
    messages = tx.execute(_MESSAGES, {"ticket_id": ticket_id}).all()
    turns = tuple(Turn(row.id, _author(row), row.text) for row in messages)
    return Case(
        subject=ticket.subject,
        locale=_locale(ticket, turns),
        turns=turns,
        rating=ticket.rating,
        names=_names(tx, ticket, messages),
        linked_article_ids=(ticket.used,) if ticket.used is not None else _linked(tx, turns),
    )


def own_addresses(tx: Connection) -> frozenset[str]:
    """The company's addresses and numbers: they may stand in an article."""
    return frozenset(tx.execute(_ADDRESSES).scalars())


# Built once: these run for every ticket that is resolved.
_TICKET = (
    select(
        Ticket.subject,
        Ticket.locale,
        Ticket.customer_id,
        Ticket.merged_into_id,
        Customer.name,
        Customer.locale.label("customer_locale"),
        Queue.locale.label("queue_locale"),
        select(Survey.rating)
        .where(Survey.ticket_id == Ticket.id, Survey.rating.is_not(None))
        .order_by(Survey.answered_at.desc())
        .limit(1)
        .scalar_subquery()
        .label("rating"),
        select(ArticleCase.article_id)
        .where(ArticleCase.ticket_id == Ticket.id, ArticleCase.relation == Relation.USED.value)
        .order_by(ArticleCase.id)
        .limit(1)
        .scalar_subquery()
        .label("used"),
    )
    .join(Customer, Customer.id == Ticket.customer_id)
    .join(Queue, Queue.id == Ticket.queue_id)
    .where(Ticket.id == bindparam("ticket_id"))
)
_MESSAGES = (
    select(Message.id, Message.author_kind, Message.text, User.name)
    .outerjoin(User, User.id == Message.user_id)
    .where(
        Message.ticket_id == bindparam("ticket_id"),
        Message.kind.in_((MessageKind.INBOUND.value, MessageKind.OUTBOUND.value)),
        Message.public_seq.is_not(None),
        Message.automatic.is_(False),
        Message.delivery.is_distinct_from(Delivery.CANCELED.value),
    )
    .order_by(Message.seq)
    .limit(MOST_TURNS)
)
_CONTACT_NAMES = select(ContactPoint.name).where(
    ContactPoint.customer_id == bindparam("customer_id"), ContactPoint.name != ""
)
_ADDRESSES = select(ChannelAccount.address)


def _linked(tx: Connection, turns: Sequence[Turn]) -> tuple[int, ...]:
    """The articles whose public address stands in an answer."""
    slugs = {slug for turn in turns if turn.author is Author.AGENT for slug in _ADDRESS.findall(turn.text)}
    if not slugs:
        return ()
    statement = select(ArticleText.article_id).where(ArticleText.slug.in_(sorted(slugs))).order_by(ArticleText.id)
    return tuple(tx.execute(statement).scalars())


def _names(tx: Connection, ticket: Any, messages: Sequence[Any]) -> tuple[str, ...]:
    """Everybody who takes part."""
    written_by = {row.name for row in messages}
    known_as = tx.execute(_CONTACT_NAMES, {"customer_id": ticket.customer_id}).scalars()
    return tuple(sorted(name for name in {ticket.name, *written_by, *known_as} if name))


def _author(row: Any) -> Author:
    return Author.CUSTOMER if row.author_kind == AuthorKind.CUSTOMER.value else Author.AGENT


def _locale(ticket: Any, turns: tuple[Turn, ...]) -> str:
    """The language of the conversation: what the ticket says, else how it is written, else the queue's."""
    if ticket.locale:
        return str(ticket.locale).split("-")[0].lower()
    text = " ".join(turn.text for turn in turns)[:4000]
    if len(_VIETNAMESE.findall(text)) >= 3:
        return "vi"
    return str(ticket.queue_locale or ticket.customer_locale or "en")
