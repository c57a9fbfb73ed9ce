"""From tickets to work items: which events make work, with which queue, skills and priority, and which end it.

The handlers run in the relay after the ticket's own transaction; each may run again and then changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select
from sqlalchemy import text as sql
from sqlalchemy.dialects import postgresql, sqlite

from contact_center.core.among import among
from contact_center.core.events import Event, together
from routing import agents, offers, queue_settings, work
from routing.models import OPEN_WORK, TICKETS_WORK, AgentState, Skill, WorkItem
from routing.pools import Medium, PoolName, pool_of
from routing.states import Move, OfferState, Presence, QueueExit, WorkItemState
from tickets.assignments import unassign
from tickets.hours import add_business, always_open, calendar_from
from tickets.lifecycle import access
from tickets.models import Calendar, Message, Queue, Ticket
from tickets.scheduled import SCHEDULED
from tickets.states import OPEN_STATUSES, AssignmentReason, Channel, MessageKind, Status

MEDIA = {
    Channel.CHAT.value: Medium.CHAT,
    Channel.EMAIL.value: Medium.MAIL,
    Channel.SMS.value: Medium.SMS,
    Channel.WHATSAPP.value: Medium.WHATSAPP,
    Channel.MESSAGING.value: Medium.MESSAGING,
    # A call that rings is placed as Medium.CALL by routing.contacts; whatever else comes by phone is a task.
    Channel.PHONE.value: Medium.TASK,
    Channel.DESK.value: Medium.TASK,
}
OWNER_FIRST_BUSINESS = 4 * 3600.0
OWNER_FIRST_LIVE = timedelta(seconds=30)
DONE = {Status.RESOLVED.value, Status.CLOSED.value}


# Statements that every message or ticket runs are built once; what the payload says already is not read again.
_FACTS = (
    select(Ticket.__table__, Queue.routing)
    .join(Queue, Queue.id == Ticket.queue_id)
    .where(Ticket.id == bindparam("ticket_id"))
)
_OPEN_STATES = select(WorkItem.ticket_id, WorkItem.state).where(among(WorkItem.ticket_id, "tickets"), sql(TICKETS_WORK))
_ITEM_AND_STATUS = (
    select(WorkItem.__table__, Ticket.status.label("ticket_status"))
    .join(Ticket, Ticket.id == WorkItem.ticket_id)
    .where(WorkItem.ticket_id == bindparam("ticket_id"), WorkItem.beside.is_(None), sql("work_items." + OPEN_WORK))
    .with_for_update(of=WorkItem)
)
_FIRST_CALL = (
    select(Message.meta)
    .where(Message.ticket_id == bindparam("ticket_id"), Message.kind == MessageKind.CALL.value)
    .order_by(Message.seq)
    .limit(1)
)
_LAST_ITEM = (
    select(WorkItem.medium, WorkItem.enqueued_at)
    .where(WorkItem.ticket_id == bindparam("ticket_id"), WorkItem.beside.is_(None))
    .order_by(WorkItem.id.desc())
    .limit(1)
)
_LANGUAGE = select(Skill.id).where(Skill.name == bindparam("name"))
_WAITING = frozenset({WorkItemState.QUEUED.value, WorkItemState.RESERVED.value})
_OPEN = frozenset(status.value for status in OPEN_STATUSES)


def on_ticket_created(tx: Connection, event: Event, now: datetime) -> None:
    """T1: a new ticket waits in its queue; one that a person opened is that person's."""
    ticket = tx.execute(_FACTS, {"ticket_id": event.payload["ticket_id"]}).one()
    author = event.payload.get("by_user_id")
    if ticket.status not in _OPEN or (author is not None and ticket.assignee_id is None):
        return
    medium = _medium_of_new(tx, ticket)
    if medium is not None:
        place(tx, ticket, medium, now=event.created_at, owner_first=author is not None, at=now)


@together
def on_message_created(tx: Connection, events: Sequence[Event], now: datetime) -> None:
    """An inbound message wakes paused work or makes new work (T12, T15); an answer takes queued work."""
    said = [event.payload for event in events if _may_move_work(event.payload)]
    states = _open_states(tx, {payload["ticket_id"] for payload in said})
    moved: set[int] = set()
    for payload in said:
        ticket_id = payload["ticket_id"]
        if ticket_id in moved:
            states.pop(ticket_id, None)
            states.update(_open_states(tx, [ticket_id]))
        state = states.get(ticket_id)
        is_inbound = payload["kind"] == MessageKind.INBOUND.value
        if is_inbound and state in {None, WorkItemState.PAUSED.value}:
            _customer_wrote(tx, ticket_id, now)
        elif not is_inbound and state in _WAITING:
            _agent_wrote(tx, payload, now)
        else:
            continue
        # The next message of the same ticket finds its work elsewhere.
        moved.add(ticket_id)


def _may_move_work(payload: Mapping[str, Any]) -> bool:
    """A customer's message after the first, which is what its ticket was placed for, or a person's answer."""
    if payload.get("automatic"):
        return False
    if payload["kind"] == MessageKind.INBOUND.value:
        return bool(payload["seq"] > 1)
    return payload["kind"] == MessageKind.OUTBOUND.value and payload.get("user_id") is not None


def _open_states(tx: Connection, ticket_ids: Collection[int]) -> dict[int, str]:
    """The states of the tickets' open work; a ticket without any is missing."""
    if not ticket_ids:
        return {}
    return {row.ticket_id: row.state for row in tx.execute(_OPEN_STATES, {"tickets": ticket_ids})}


def on_status_changed(tx: Connection, event: Event, now: datetime) -> None:
    """T14: nobody has to act now, so the item ends; a ticket that opens again needs somebody (T15)."""
    ticket_id = event.payload["ticket_id"]
    item = tx.execute(_ITEM_AND_STATUS, {"ticket_id": ticket_id}).first()
    if item is None:
        ticket = access(tx, ticket_id)
        if ticket.status in _OPEN:
            follow_up(tx, ticket, now=now)
        return
    status, state = item.ticket_status, WorkItemState(item.state)
    if status in _OPEN:
        return
    if state in {WorkItemState.QUEUED, WorkItemState.RESERVED}:
        cancel(tx, item, reason=status, now=now)
    elif item.pool == PoolName.DEFERRED.value:
        _complete(tx, item, now)
    elif status in DONE and state is WorkItemState.ASSIGNED and item.medium != Medium.CALL.value:
        wrap_up(tx, item, now=now)
    elif state is WorkItemState.PAUSED:
        work.move(tx, item, Move.FINISH, now=now, changes={"finished_at": now})


def on_marked_spam(tx: Connection, event: Event, now: datetime) -> None:
    """Nobody has to do this, whoever was offered it or had it already."""
    item = work.open_of(tx, event.payload["ticket_id"])
    if item is not None:
        cancel(tx, item, reason="spam", now=now)


def on_unmarked_spam(tx: Connection, event: Event, now: datetime) -> None:
    """The work is there again with its age, in the hands of the owner if the ticket has one."""
    ticket = access(tx, event.payload["ticket_id"])
    if ticket.status not in _OPEN:
        return
    before = tx.execute(_LAST_ITEM, {"ticket_id": ticket.id}).first()
    medium = Medium(before.medium) if before is not None else MEDIA.get(ticket.channel, Medium.TASK)
    if medium is Medium.CALL:
        # Nobody is on the line any more.
        medium = Medium.TASK
    age = before.enqueued_at if before is not None else ticket.created_at
    item = place(tx, ticket, medium, now=event.created_at, enqueued_at=age)
    if item is not None and ticket.assignee_id is not None:
        agents.state_of(tx, ticket.assignee_id, now=now)
        work.move(tx, item, Move.ASSIGN, now=now, agent_id=ticket.assignee_id, changes=offers.assigned(now))


def on_queue_changed(tx: Connection, event: Event, now: datetime) -> None:
    """A ticket that was put into another queue waits there, with its age."""
    ticket = access(tx, event.payload["ticket_id"])
    item = work.open_of(tx, ticket.id)
    if item is None or item.queue_id == ticket.queue_id:
        return
    if item.state == WorkItemState.RESERVED.value:
        item = offers.rescind(tx, item, "moved", now=now)
    if item.state == WorkItemState.QUEUED.value:
        work.leave_queue(tx, item.id, QueueExit.FLOWED_OUT, now=now, reason="moved")
        moved = work.change(tx, item, now, **_fresh_wait(tx, ticket, now))
        work.enter_queue(tx, moved, now=now)
    else:
        work.change(tx, item, now, queue_id=ticket.queue_id)


def on_ticket_updated(tx: Connection, event: Event, now: datetime) -> None:
    """The priority of a ticket is the priority of its work, and its language what the work wishes for."""
    field = event.payload.get("field")
    if field not in {"priority", "locale"}:
        return
    ticket = access(tx, event.payload["ticket_id"])
    item = work.open_of(tx, ticket.id)
    if item is None:
        return
    if field == "priority" and item.priority != ticket.priority:
        work.change(tx, item, now, priority=ticket.priority)
    elif field == "locale":
        told = set(_languages(tx, event.payload["from"]))
        wishes = [*(one for one in item.wishes if one not in told), *_languages(tx, ticket.locale)]
        if wishes != item.wishes:
            work.change(tx, item, now, wishes=wishes)


def place(
    tx: Connection,
    ticket: Row[Any],
    medium: Medium,
    *,
    now: datetime,
    at: datetime | None = None,
    owner_first: bool = False,
    enqueued_at: datetime | None = None,
) -> Row[Any] | None:
    """Put a ticket's work into its queue; None if it has open work already. `at` is the present moment, `now` when
    the customer began to wait; `owner_first`: the ticket's owner has it to themselves for a while (T15)."""
    routing = ticket._mapping.get("routing")
    settings = queue_settings.read(routing) if routing is not None else settings_of(tx, ticket.queue_id)
    pool = pool_of(medium)
    preferred_id, until = _owner(tx, ticket, pool, at or now) if owner_first else (None, None)
    values = {
        "ticket_id": ticket.id,
        "queue_id": ticket.queue_id,
        "pool": pool.value,
        "medium": medium.value,
        "weight": settings.weight(medium),
        "state": WorkItemState.QUEUED.value,
        "enqueued_at": enqueued_at or now,
        "waiting_since": now,
        "priority": ticket.priority,
        "due_at": ticket.sla_due_at,
        "skills": sorted([skill, level] for skill, level in settings.skills.items()),
        "wishes": _languages(tx, ticket.locale),
        "tried": [],
        "preferred_id": preferred_id,
        "preferred_until": until,
    }
    item = tx.execute(_insert_once(tx.dialect.name), values).first()
    if item is None:
        return None
    work.enter_queue(tx, item, now=now)
    work.announce(tx, item, "enqueue", now=at or now)
    return item


@cache
def _insert_once(dialect: str) -> Any:
    """One open item per ticket: the insert decides, whoever else places the same ticket."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(WorkItem.__table__)
    once = statement.on_conflict_do_nothing(index_elements=["ticket_id"], index_where=sql(TICKETS_WORK))
    return once.returning(*WorkItem.__table__.c)


def follow_up(tx: Connection, ticket: Row[Any], *, now: datetime) -> Row[Any] | None:
    """T15: work on a ticket that somebody knows already: the owner first, else the queue."""
    medium = MEDIA.get(ticket.channel, Medium.TASK)
    return place(tx, ticket, medium, now=now, owner_first=True)


def cancel(
    tx: Connection,
    item: Row[Any],
    *,
    reason: str,
    now: datetime,
    leaves_as: QueueExit = QueueExit.CANCELED,
) -> None:
    """Nobody needs to do this any more (resolved by a colleague, merged, spam, the customer left)."""
    if item.state == WorkItemState.RESERVED.value:
        offers.close_open(tx, item, OfferState.CANCELED, reason, now=now)
    work.move(tx, item, Move.CANCEL, now=now, leaves_as=leaves_as, reason=reason, changes={"finished_at": now})


def wrap_up(tx: Connection, item: Row[Any], *, now: datetime) -> Row[Any]:
    """T7: the contact is over; the weight stays until the disposition or the timer."""
    seconds = settings_of(tx, item.queue_id).wrap_up.get(Medium(item.medium), 0)
    changes = {"ended_at": now, "wrap_until": now + timedelta(seconds=seconds)}
    return work.move(tx, item, Move.END, now=now, changes=changes)


_ROUTING = select(Queue.routing).where(Queue.id == bindparam("queue"))


def settings_of(tx: Connection, queue_id: int) -> queue_settings.QueueSettings:
    """The routing settings of a queue."""
    return queue_settings.read(tx.execute(_ROUTING, {"queue": queue_id}).scalar_one())


def _medium_of_new(tx: Connection, ticket: Row[Any]) -> Medium | None:
    if ticket.channel != Channel.PHONE.value:
        return MEDIA.get(ticket.channel, Medium.TASK)
    meta = tx.execute(_FIRST_CALL, {"ticket_id": ticket.id}).scalar_one_or_none()
    call = (meta or {}).get("call", {})
    if call.get("direction") == "out" or call.get("state") in {"answered", "completed"}:
        # Nobody waits: we called, or routing.contacts.answered has placed it.
        return None
    return Medium.CALL if call.get("live") and call.get("state") == "ringing" else Medium.TASK


def _customer_wrote(tx: Connection, ticket_id: int, now: datetime) -> None:
    item = work.open_of(tx, ticket_id)
    if item is None:
        ticket = access(tx, ticket_id)
        if ticket.status in _OPEN:
            follow_up(tx, ticket, now=now)
    elif item.state == WorkItemState.PAUSED.value:
        resume(tx, item, now=now)


_LOCK_AGENT = select(AgentState.__table__).where(AgentState.user_id == bindparam("agent")).with_for_update()


def resume(tx: Connection, item: Row[Any], *, now: datetime) -> Row[Any]:
    """T12: back to the same agent if they are here and the pool has room, else to the front of the queue."""
    state = tx.execute(_LOCK_AGENT, {"agent": item.agent_id}).first()
    if state is not None:
        room = state.live_capacity - state.live_held
        if item.pool == PoolName.DEFERRED.value:
            room = state.deferred_capacity - state.deferred_held
        is_here = state.presence != Presence.OFFLINE.value and state.lost_at is None
        if is_here and room >= item.weight:
            return work.move(tx, item, Move.RESUME, now=now, changes={"paused_at": None})
    changes = {"waiting_since": now, "tried": [], "paused_at": None, "credit": item.credit + FRONT}
    unassign(tx, item.ticket_id, end_reason="no_room", now=now)
    return work.move(tx, item, Move.REQUEUE, now=now, changes=changes)


FRONT = 3600
"""Seconds of credit for somebody we were already talking to: the front of any sensible queue, yet not for ever."""


# Whether a message was written ahead, and whether its author is at their desk now.
_WRITTEN_AHEAD = (
    select(Message.meta, AgentState.presence)
    .outerjoin(AgentState, AgentState.user_id == Message.user_id)
    .where(Message.id == bindparam("message_id"))
)


def _agent_wrote(tx: Connection, payload: Mapping[str, Any], now: datetime) -> None:
    """Whoever answers queued work has taken it, unless the answer was written ahead and they are not here."""
    user_id = payload["user_id"]
    said = tx.execute(_WRITTEN_AHEAD, {"message_id": payload["message_id"]}).first()
    if said is not None and said.meta.get(SCHEDULED) and said.presence != Presence.AVAILABLE.value:
        return
    item = work.open_of(tx, payload["ticket_id"])
    if item is None:
        return
    if item.state == WorkItemState.RESERVED.value and item.agent_id == user_id:
        offers.accept_open(tx, item, now=now)
    elif item.state in {WorkItemState.QUEUED.value, WorkItemState.RESERVED.value}:
        # ASSIGN, because it may be on offer to somebody else at this moment.
        offers.hand_to(tx, item, user_id, Move.ASSIGN, AssignmentReason.TAKEN, now=now)


def _complete(tx: Connection, item: Row[Any], now: datetime) -> None:
    changes = {"ended_at": item.ended_at or now, "finished_at": now}
    work.move(tx, item, Move.FINISH, now=now, changes=changes)


def _fresh_wait(tx: Connection, ticket: Row[Any], now: datetime) -> dict[str, Any]:
    settings = settings_of(tx, ticket.queue_id)
    return {
        "queue_id": ticket.queue_id,
        "waiting_since": now,
        "tried": [],
        "round": 0,
        "not_before": None,
        "preferred_id": None,
        "preferred_until": None,
        "skills": sorted([skill, level] for skill, level in settings.skills.items()),
    }


_HOURS = select(Calendar.definition).join(Queue, Queue.calendar_id == Calendar.id).where(Queue.id == bindparam("queue"))


def _owner(tx: Connection, ticket: Row[Any], pool: PoolName, now: datetime) -> tuple[int | None, datetime | None]:
    """The ticket's owner, and until when the work waits for them: what is left of the SLA, at most 4 business hours."""
    if ticket.assignee_id is None:
        return None, None
    if pool is PoolName.LIVE:
        return ticket.assignee_id, now + OWNER_FIRST_LIVE
    definition = tx.execute(_HOURS, {"queue": ticket.queue_id}).scalar_one_or_none()
    calendar = calendar_from(definition) if definition else always_open()
    until = add_business(calendar, now, OWNER_FIRST_BUSINESS) or now
    if ticket.sla_due_at is not None:
        until = max(now, min(until, ticket.sla_due_at))
    return ticket.assignee_id, until


def _languages(tx: Connection, locale: str | None) -> list[int]:
    """The skill named like the customer's language, if there is one: asked for as far as the queue's steps say."""
    if not locale:
        return []
    name = locale.replace("_", "-").split("-")[0].lower()
    return list(tx.execute(_LANGUAGE, {"name": name}).scalars())
