"""How conversations end: the customer goes, presses End, rates it; an agent resolves it."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from channels.chat import lineup, visits
from channels.chat.frames import EndedBy
from channels.chat.models import ChatVisit
from channels.chat.visits import Visit
from contact_center.core.events import Event, emit, poke
from tickets.timeline import add_event

# T6: a lost line counts as leaving after this; a reload, a tunnel or a restart of ours take less.
GRACE = timedelta(seconds=60)


def line_lost(tx: Connection, visit_id: int, *, now: datetime) -> None:
    """The visit's last socket of this process is gone; another process with one renews the lease within seconds."""
    tx.execute(update(ChatVisit).where(ChatVisit.id == visit_id, ChatVisit.online_until > now).values(online_until=now))


def renew(tx: Connection, keys: list[str], *, now: datetime) -> None:
    """These visits have sockets here."""
    tx.execute(update(ChatVisit).where(ChatVisit.key.in_(keys)).values(online_until=now + visits.LEASE, left_at=None))


def notice_left(tx: Connection, now: datetime) -> int:
    """Tell routing of the visitors that have been gone for longer than the grace; returns how many."""
    rows = tx.execute(
        update(ChatVisit)
        .where(ChatVisit.left_at.is_(None), ChatVisit.online_until < now - GRACE)
        .values(left_at=now)
        .returning(ChatVisit.id, ChatVisit.key, ChatVisit.ticket_id, ChatVisit.ended_at)
    ).all()
    for row in rows:
        if row.ticket_id is None or row.ended_at is not None:
            continue
        lineup.left(tx, row.ticket_id, now=now)
        payload = {"visit_id": row.id, "ticket_id": row.ticket_id}
        emit(tx, "visit.left", payload, now=now, topics=[f"ticket:{row.ticket_id}"])
    return len(rows)


def end_by_customer(tx: Connection, visit: Visit, *, now: datetime) -> bool:
    """The customer presses End; False if it was over before."""
    over = visits.end(tx, visit.id, EndedBy.CUSTOMER, now=now)
    if over and visit.ticket_id is not None:
        lineup.ended(tx, visit.ticket_id, now=now)
    return over


def rate(tx: Connection, visit: Visit, score: int, comment: str, *, now: datetime) -> None:
    """Keep the customer's rating; a second one replaces the first."""
    visits.score(tx, visit, score)
    if visit.ticket_id is not None:
        add_event(tx, visit.ticket_id, "chat_rated", {"score": score, "comment": comment}, now=now)


def on_ticket_resolved(tx: Connection, event: Event, now: datetime) -> None:
    """The agent has resolved (or closed) the matter: its conversation is over."""
    for visit_id in _open_visits(tx, event.payload["ticket_id"]):
        visits.end(tx, visit_id, EndedBy.AGENT, now=now)


def on_ticket_reopened(tx: Connection, event: Event, now: datetime) -> None:
    """It goes on after all."""
    visits.go_on(tx, event.payload["ticket_id"], now=now)


def on_assignment_changed(tx: Connection, event: Event, now: datetime) -> None:
    """Somebody else answers now, or nobody: the customer's browser shows it."""
    keys = tx.execute(select(ChatVisit.key).where(ChatVisit.ticket_id == event.payload["ticket_id"])).scalars()
    for key in list(keys):
        poke(tx, f"visit:{key}", name="visit.changed", payload={}, relay=False)


def _open_visits(tx: Connection, ticket_id: int) -> list[int]:
    return list(
        tx.execute(select(ChatVisit.id).where(ChatVisit.ticket_id == ticket_id, ChatVisit.ended_at.is_(None))).scalars()
    )
