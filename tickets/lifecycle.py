"""Status, priority, kind, topic, tags: what people and timers change on a ticket."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Integer, Row, bindparam, delete, insert, select

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import Announcement, poke
from contact_center.core.upsert import insert_of, insert_once
from tickets.models import Tag, Ticket, TicketRead, TicketTag
from tickets.states import Kind, Priority, Status, may_become
from tickets.timeline import add_event, topics_of

CLOSE_AFTER = timedelta(days=7)
EVENT_NAMES = {Status.RESOLVED: "ticket.resolved", Status.CLOSED: "ticket.closed"}


def set_status(
    tx: Connection,
    ticket_id: int,
    wanted: Status,
    *,
    user_id: int | None,
    now: datetime,
    hold_reason: str | None = None,
    snoozed_until: datetime | None = None,
) -> None:
    """Move a ticket to another status; Conflict if the table of transitions does not allow it.

    `on_hold` wants a reason, `snoozed` a moment in the future. Setting the status it has already does nothing.
    """
    ticket = access(tx, ticket_id, lock=True)
    current = Status(ticket.status)
    if current is wanted and wanted is not Status.SNOOZED:
        return
    if not may_become(current, wanted) and current is not wanted:
        raise Conflict("A ticket that is {current} cannot become {wanted}.", current=current.value, wanted=wanted.value)
    if wanted is Status.ON_HOLD and not (hold_reason or "").strip():
        raise Invalid("Say whom or what we wait for.", field="hold_reason")
    if wanted is Status.SNOOZED and (snoozed_until is None or snoozed_until <= now):
        raise Invalid("Choose a moment in the future.", field="snoozed_until")
    changes = _status_changes(ticket, wanted, user_id=user_id, now=now)
    changes |= {"hold_reason": hold_reason, "snoozed_until": snoozed_until}
    name = "ticket.reopened" if _reopens(current, wanted) else EVENT_NAMES.get(wanted, "ticket.status_changed")
    told = _told(ticket, name, {"from": current.value, "to": wanted.value, "by_user_id": user_id})
    add_event(
        tx,
        ticket_id,
        "status_changed",
        {"from": current.value, "to": wanted.value, "reason": hold_reason},
        now=now,
        user_id=user_id,
        changes=changes,
        also=[told],
    )


def resolve(tx: Connection, ticket_id: int, *, user_id: int | None, now: datetime) -> None:
    """The matter is done: the customer's next message within 7 days opens it again."""
    set_status(tx, ticket_id, Status.RESOLVED, user_id=user_id, now=now)


def reopen(tx: Connection, ticket_id: int, *, user_id: int | None, now: datetime) -> None:
    """Work goes on."""
    set_status(tx, ticket_id, Status.OPEN, user_id=user_id, now=now)


def snooze(tx: Connection, ticket_id: int, *, until: datetime, user_id: int | None, now: datetime) -> None:
    """Look at it again at a moment; a message of the customer wakes it before."""
    set_status(tx, ticket_id, Status.SNOOZED, user_id=user_id, now=now, snoozed_until=until)


def _reopens(current: Status, wanted: Status) -> bool:
    return current is Status.RESOLVED and wanted is Status.OPEN


def _status_changes(ticket: Row[Any], wanted: Status, *, user_id: int | None, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": wanted.value}
    if wanted is Status.RESOLVED:
        changes |= {"resolved_at": now, "resolved_by_id": user_id, "waiting_since": None}
    elif wanted is Status.CLOSED:
        # Free the thread: whoever writes next begins a new matter.
        changes |= {"closed_at": now, "resolved_at": ticket.resolved_at or now, "waiting_since": None}
    elif _reopens(Status(ticket.status), wanted):
        changes |= {"resolved_at": None, "resolved_by_id": None, "reopened": ticket.reopened + 1}
    return changes


def set_fields(
    tx: Connection,
    ticket_id: int,
    *,
    user_id: int | None,
    now: datetime,
    priority: Priority | None = None,
    kind: Kind | None = None,
    topic_id: int | None = None,
    subject: str | None = None,
    locale: str | None = None,
) -> None:
    """Change what is given; each change is one line in the timeline. A language that a person sets is no guess."""
    ticket = access(tx, ticket_id, lock=True)
    wanted = {
        "priority": priority.value if priority else None,
        "kind": kind.value if kind else None,
        "topic_id": topic_id,
        "subject": subject.strip()[:300] if subject else None,
        "locale": locale,
    }
    for name, value in wanted.items():
        before = getattr(ticket, name)
        if value is None or value == before:
            continue
        add_event(
            tx,
            ticket_id,
            f"{name}_changed",
            {"from": before, "to": value},
            now=now,
            user_id=user_id,
            changes={name: value, **({"locale_share": None} if name == "locale" else {})},
            also=[_told(ticket, "ticket.updated", {"field": name, "from": before, "to": value})],
        )


def tag(tx: Connection, ticket_id: int, names: Sequence[str], *, user_id: int | None, now: datetime) -> None:
    """Set the ticket's tags to exactly these."""
    ticket = access(tx, ticket_id, lock=True)
    wanted = {" ".join(name.split()).lower()[:50] for name in names if name.strip()}
    current = _tags_of(tx, ticket_id)
    added, removed = sorted(wanted - set(current)), sorted(set(current) - wanted)
    for name in added:
        insert_once(tx, Tag, key=["name"], values={"name": name})
    if added:
        ids = tx.execute(select(Tag.id).where(Tag.name.in_(added))).scalars().all()
        tx.execute(insert(TicketTag), [{"ticket_id": ticket_id, "tag_id": tag_id} for tag_id in ids])
    if removed:
        tx.execute(
            delete(TicketTag).where(
                TicketTag.ticket_id == ticket_id, TicketTag.tag_id.in_([current[name] for name in removed])
            )
        )
    if added or removed:
        values = {"added": added, "removed": removed}
        told = _told(ticket, "ticket.updated", {"field": "tags", **values})
        add_event(tx, ticket_id, "tags_changed", values, now=now, user_id=user_id, also=[told])


def add_tag(tx: Connection, ticket_id: int, name: str, *, user_id: int | None, now: datetime) -> None:
    """One more tag beside those that are there."""
    access(tx, ticket_id, lock=True)
    tag(tx, ticket_id, [*_tags_of(tx, ticket_id), name], user_id=user_id, now=now)


def remove_tag(tx: Connection, ticket_id: int, name: str, *, user_id: int | None, now: datetime) -> None:
    """All tags but this one; nothing if it is not there."""
    access(tx, ticket_id, lock=True)
    wanted = [one for one in _tags_of(tx, ticket_id) if one != name]
    tag(tx, ticket_id, wanted, user_id=user_id, now=now)


def _tags_of(tx: Connection, ticket_id: int) -> dict[str, int]:
    """name -> id of a ticket's tags."""
    rows = tx.execute(
        select(Tag.id, Tag.name).join(TicketTag, TicketTag.tag_id == Tag.id).where(TicketTag.ticket_id == ticket_id)
    )
    return {row.name: row.id for row in rows}


@cache
def _mark_read(dialect: str) -> Executable:
    statement = insert_of(dialect, TicketRead)
    seq = statement.excluded.seq
    return statement.on_conflict_do_update(
        index_elements=["ticket_id", "user_id"], set_={"seq": seq}, where=TicketRead.seq < seq
    )


def mark_read(tx: Connection, ticket_id: int, user_id: int, seq: int) -> None:
    """The user has seen the ticket up to `seq`; it never goes back. A chat's customer hears of it."""
    values = {"ticket_id": ticket_id, "user_id": user_id, "seq": seq}
    done = tx.execute(_mark_read(tx.dialect.name), values)
    if done.rowcount:
        topics = (f"reads:{ticket_id}", f"user:{user_id}")
        poke(tx, *topics, name="ticket.read", payload={"ticket_id": ticket_id, "seq": seq}, relay=False)


_MOST = bindparam("most", type_=Integer())
_SNOOZED_UNTIL = (
    select(Ticket.id)
    .where(Ticket.status == Status.SNOOZED.value, Ticket.snoozed_until <= bindparam("now"))
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
_RESOLVED_UNTIL = (
    select(Ticket.id)
    .where(Ticket.status == Status.RESOLVED.value, Ticket.resolved_at <= bindparam("until"))
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)


def wake_snoozed(tx: Connection, now: datetime, *, limit: int = 100) -> int:
    """Open the tickets whose moment has come; returns how many."""
    due = tx.execute(_SNOOZED_UNTIL, {"now": now, "most": limit}).scalars()
    ids = list(due)
    for ticket_id in ids:
        set_status(tx, ticket_id, Status.OPEN, user_id=None, now=now)
    return len(ids)


def close_resolved(tx: Connection, now: datetime, *, limit: int = 100) -> int:
    """Close what was resolved a week ago; returns how many."""
    due = tx.execute(_RESOLVED_UNTIL, {"until": now - CLOSE_AFTER, "most": limit}).scalars()
    ids = list(due)
    for ticket_id in ids:
        set_status(tx, ticket_id, Status.CLOSED, user_id=None, now=now)
    return len(ids)


_LOOK = select(Ticket.__table__).where(Ticket.id == bindparam("ticket"))
_LOCK = _LOOK.with_for_update()


def access(tx: Connection, ticket_id: int, *, lock: bool = False) -> Row[Any]:
    """The ticket's row, locked for this transaction on request; NotFound if there is none."""
    row = tx.execute(_LOCK if lock else _LOOK, {"ticket": ticket_id}).first()
    if row is None:
        raise NotFound("There is no such ticket.")
    return row


def _told(ticket: Row[Any], name: str, values: Mapping[str, Any]) -> Announcement:
    """What changed on a ticket, to everybody who looks at it."""
    return Announcement(
        name,
        {"ticket_id": ticket.id, "queue_id": ticket.queue_id, "customer_id": ticket.customer_id, **values},
        topics_of(
            ticket.id,
            queue_id=ticket.queue_id,
            assignee_id=ticket.assignee_id,
            visit=ticket.thread_key if ticket.channel == "chat" else None,
        ),
    )
