"""Doing the actions of a macro or a rule, each by the use case that people use too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from contact_center.automations import placeholders
from contact_center.automations.actions import ME, SNOOZES, Action, Do
from contact_center.core.errors import Conflict, Invalid
from contact_center.core.i18n import mark
from routing import bulk, handling
from routing.bulk import Wish
from tickets import assignments, identity_asking, lifecycle, replies
from tickets.models import Customer, Queue, Ticket, Topic
from tickets.numbers import number_of
from tickets.replies import Author, Reply
from tickets.states import Priority, Status

CODE_HOLDS_MINUTES = 60
UNFILLED = mark("a placeholder has no value in this conversation")


@dataclass(frozen=True, slots=True)
class By:
    """Who does it: the colleague who runs a macro (`force`: may take work from others), or with None a rule."""

    user_id: int | None = None
    name: str = ""
    force: bool = False
    client_id: str = ""
    # Why a rule must not write to the customer; "" if it may.
    silent: str = ""


@dataclass
class Done:
    """What came of it: the text for the composer, and why a rule's reply was not sent."""

    draft: str = ""
    held: str = ""


def check(tx: Connection, actions: Sequence[Action]) -> None:
    """Invalid for actions that name a queue, colleague or topic that is not there."""
    for one in actions:
        if one.do is Do.QUEUE:
            bulk.check(tx, Wish(queue_id=int(one.value)))
        elif one.do is Do.ASSIGN and one.value != ME:
            bulk.check(tx, Wish(assignee_id=int(one.value)))
        elif one.do is Do.TOPIC and not _is_topic(tx, int(one.value)):
            raise Invalid("There is no such topic.", field="actions")


def _is_topic(tx: Connection, topic_id: int) -> bool:
    return tx.execute(select(Topic.id).where(Topic.id == topic_id, Topic.active)).first() is not None


def do_all(tx: Connection, ticket_id: int, actions: Sequence[Action], *, by: By, now: datetime) -> Done:
    """Do everything, or raise what the first use case refuses; the caller's transaction undoes the rest."""
    check(tx, actions)
    done = Done()
    texts = values_of(tx, ticket_id, by.name) if any(one.do in _NEED_VALUES for one in actions) else {}
    for one in actions:
        _DOES[one.do](_Step(tx, ticket_id, one.value, by, now, texts, done))
    return done


_NEED_VALUES = frozenset({Do.NOTE, Do.DRAFT, Do.REPLY})
_VALUES = (
    select(Ticket.subject, Customer.name.label("customer"), Queue.name.label("queue"))
    .join(Customer, Customer.id == Ticket.customer_id)
    .join(Queue, Queue.id == Ticket.queue_id)
    .where(Ticket.id == bindparam("ticket"))
)


def values_of(tx: Connection, ticket_id: int, agent: str) -> Mapping[str, str]:
    """What the placeholders stand for in this conversation."""
    row = tx.execute(_VALUES, {"ticket": ticket_id}).one()
    found = (row.customer, str(number_of(ticket_id)), row.subject, row.queue, agent)
    return dict(zip(placeholders.NAMES, found, strict=True))


@dataclass(frozen=True, slots=True)
class _Step:
    tx: Connection
    ticket_id: int
    value: str
    by: By
    now: datetime
    texts: Mapping[str, str]
    done: Done


def _queue(step: _Step) -> None:
    wanted = int(step.value)
    if lifecycle.access(step.tx, step.ticket_id).queue_id == wanted:
        return
    if step.by.user_id is None:
        # Work follows its ticket by the event of the move; a rule is no transfer, and takes nothing from anybody.
        assignments.move_to_queue(step.tx, step.ticket_id, wanted, now=step.now)
    else:
        handling.transfer(step.tx, step.ticket_id, by_user_id=step.by.user_id, queue_id=wanted, now=step.now)


def _assign(step: _Step) -> None:
    if step.by.user_id is None:
        handling.assign(step.tx, step.ticket_id, int(step.value), by_user_id=None, now=step.now)
        return
    wanted = step.by.user_id if step.value == ME else int(step.value)
    if lifecycle.access(step.tx, step.ticket_id).assignee_id != wanted:
        who: dict[str, Any] = {"by_user_id": step.by.user_id, "force": step.by.force}
        handling.give(step.tx, step.ticket_id, wanted, now=step.now, **who)


def _priority(step: _Step) -> None:
    wanted = Priority(step.value)
    lifecycle.set_fields(step.tx, step.ticket_id, user_id=step.by.user_id, now=step.now, priority=wanted)


def _topic(step: _Step) -> None:
    wanted = int(step.value)
    lifecycle.set_fields(step.tx, step.ticket_id, user_id=step.by.user_id, now=step.now, topic_id=wanted)


def _tag(step: _Step) -> None:
    lifecycle.add_tag(step.tx, step.ticket_id, step.value, user_id=step.by.user_id, now=step.now)


def _untag(step: _Step) -> None:
    lifecycle.remove_tag(step.tx, step.ticket_id, step.value, user_id=step.by.user_id, now=step.now)


def _author(step: _Step, what: str) -> Author:
    return Author(step.by.user_id, f"{step.by.client_id}-{what}" if step.by.client_id else None)


def _note(step: _Step) -> None:
    text = placeholders.fill(step.value, step.texts)
    replies.note(step.tx, step.ticket_id, text, author=_author(step, "note"), now=step.now)


def _draft(step: _Step) -> None:
    step.done.draft = placeholders.fill(step.value, step.texts)


def _reply(step: _Step) -> None:
    text = placeholders.fill(step.value, step.texts)
    if step.by.user_id is None and step.by.silent:
        step.done.held = step.by.silent
        return
    place = placeholders.unfilled(text)
    if place and step.by.user_id is None:
        step.done.held = UNFILLED
        return
    if place:
        raise Invalid("{place} has no value in this conversation, so nothing was sent.", field="actions", place=place)
    answer = Reply(text, automatic=step.by.user_id is None, meta={"purpose": "rule"} if step.by.user_id is None else {})
    replies.reply(step.tx, step.ticket_id, answer, author=_author(step, "reply"), now=step.now)


def _ask_identity(step: _Step) -> None:
    assert step.by.user_id is not None
    way = next((way for way in identity_asking.ways(step.tx, step.ticket_id) if way.refused is None), None)
    if way is None:
        raise Conflict("No address of this customer was on file before this conversation, so no code can be sent.")
    identity_asking.ask(
        step.tx,
        step.ticket_id,
        way.point_id,
        minutes=CODE_HOLDS_MINUTES,
        user_id=step.by.user_id,
        client_id=step.by.client_id or None,
        now=step.now,
    )


def _status(step: _Step) -> None:
    wanted = Status(step.value)
    lifecycle.set_status(step.tx, step.ticket_id, wanted, user_id=step.by.user_id, now=step.now)


def _snooze(step: _Step) -> None:
    until = step.now + SNOOZES[step.value]
    lifecycle.snooze(step.tx, step.ticket_id, until=until, user_id=step.by.user_id, now=step.now)


_DOES: Mapping[Do, Callable[[_Step], None]] = {
    Do.QUEUE: _queue,
    Do.ASSIGN: _assign,
    Do.PRIORITY: _priority,
    Do.TOPIC: _topic,
    Do.TAG: _tag,
    Do.UNTAG: _untag,
    Do.NOTE: _note,
    Do.ASK_IDENTITY: _ask_identity,
    Do.DRAFT: _draft,
    Do.REPLY: _reply,
    Do.STATUS: _status,
    Do.SNOOZE: _snooze,
}
