"""Topics suggested for tickets, learned from what people choose: counts in the database, one statement each way.

Whoever sets or corrects a topic gives a lesson: the words of the customer's first message count for that topic, and no
longer for the one it had before.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, select

from contact_center.core.events import Event
from contact_center.core.upsert import insert_for
from knowledge_base.bayes import EVERY, Guess, features, suggestions
from knowledge_base.topic_models import TopicLesson, TopicWord
from tickets.models import Message, Ticket, Topic
from tickets.states import AuthorKind, MessageKind, Status

BATCH = 200

_FIRST = (
    select(Message.subject, Message.text)
    .where(
        Message.ticket_id == bindparam("ticket"),
        Message.kind == MessageKind.INBOUND.value,
        Message.author_kind == AuthorKind.CUSTOMER.value,
    )
    .order_by(Message.seq)
    .limit(1)
)
_COUNTS = (
    select(TopicWord.topic_id, TopicWord.word, TopicWord.lessons)
    .join(Topic, and_(Topic.id == TopicWord.topic_id, Topic.active))
    .where(TopicWord.word.in_(bindparam("words", expanding=True)), TopicWord.lessons > 0)
)


def on_ticket_updated(tx: Connection, event: Event, now: datetime) -> None:
    """A topic was chosen: that is a lesson."""
    if event.payload["field"] == "topic_id":
        learn(tx, event.payload["ticket_id"])


def learn(tx: Connection, ticket_id: int) -> bool:
    """Take the ticket's present topic as a lesson, instead of the one it gave before; False if nothing is to learn."""
    ticket = tx.execute(select(Ticket.topic_id, Ticket.status).where(Ticket.id == ticket_id).with_for_update()).first()
    taught: int | None = tx.execute(
        select(TopicLesson.topic_id).where(TopicLesson.ticket_id == ticket_id)
    ).scalar_one_or_none()
    topic = ticket.topic_id if ticket is not None and ticket.status != Status.SPAM.value else None
    if topic == taught:
        return False
    words = _words_of(tx, ticket_id)
    if not words:
        return False
    if topic is None:
        tx.execute(delete(TopicLesson).where(TopicLesson.ticket_id == ticket_id))
    else:
        given = insert_for(tx, TopicLesson).values(ticket_id=ticket_id, topic_id=topic)
        tx.execute(given.on_conflict_do_update(index_elements=["ticket_id"], set_={"topic_id": topic}))
    _count(tx, words, to=topic, away_from=taught)
    return True


def teach(tx: Connection, topic_id: int, text: str) -> None:
    """A lesson without a ticket, such as one of a list of examples."""
    _count(tx, [EVERY, *features(text)], to=topic_id, away_from=None)


def suggest(tx: Connection, ticket_id: int) -> list[Guess]:
    """Up to three topics for a ticket, by its customer's first message; none where nothing is likely enough."""
    return classify(tx, _words_of(tx, ticket_id))


def classify(tx: Connection, words: Sequence[str]) -> list[Guess]:
    """The topics that these features speak for, in one statement."""
    if not words:
        return []
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for row in tx.execute(_COUNTS, {"words": [*words, EVERY]}):
        counts[row.topic_id][row.word] = row.lessons
    return suggestions([word for word in words if word != EVERY], counts)


def learn_past(tx: Connection, *, after: int) -> tuple[int, int] | None:
    """Lessons of one batch of tickets that had a topic before anybody learned: how many, and the last id looked at."""
    ids = list(
        tx.execute(
            select(Ticket.id).where(Ticket.id > after, Ticket.topic_id.is_not(None)).order_by(Ticket.id).limit(BATCH)
        ).scalars()
    )
    return (sum(learn(tx, one) for one in ids), ids[-1]) if ids else None


def _words_of(tx: Connection, ticket_id: int) -> list[str]:
    first: Any = tx.execute(_FIRST, {"ticket": ticket_id}).first()
    found = features(f"{first.subject or ''}\n{first.text}") if first else []
    return [EVERY, *found] if found else []


def _count(tx: Connection, words: Sequence[str], *, to: int | None, away_from: int | None) -> None:
    """Add one to each word of a topic and take one from those of the other, in one statement, always in one order."""
    changes = [(topic, by) for topic, by in ((to, 1), (away_from, -1)) if topic is not None]
    rows = [{"topic_id": topic, "word": word, "lessons": by} for topic, by in sorted(changes) for word in words]
    statement = insert_for(tx, TopicWord).values(rows)
    added = {"lessons": TopicWord.lessons + statement.excluded.lessons}
    tx.execute(statement.on_conflict_do_update(index_elements=["topic_id", "word"], set_=added))
