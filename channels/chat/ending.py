"""How conversations end: the customer goes, presses End, rates it; an agent resolves it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, bindparam, select, update

from channels.chat import lineup, rating, visits
from channels.chat.frames import EndedBy
from channels.chat.models import ChatVisit
from channels.chat.visit import Visit
from contact_center.core.events import Event, emit, poke
from routing.states import WorkItemState

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


def on_ticket_resolved(tx: Connection, event: Event, now: datetime) -> None:
    """The matter was resolved, or closed because its customer had left: its conversation is over.

    Where it was over before, the browser hears that a rating is welcome now (surveys plan it in the same batch).
    """
    ticket_id = event.payload["ticket_id"]
    for visit in _visits_of(tx, ticket_id):
        if visit.ended_by is None:
            visits.end(tx, visit.id, EndedBy.TIMEOUT if visit.left_at else EndedBy.AGENT, now=now)
        elif rating.score_of(tx, ticket_id) == 0:
            poke(tx, f"visit:{visit.key}", name="visit.ended", payload={"by": visit.ended_by}, relay=False)


def on_work_item_changed(tx: Connection, event: Event, now: datetime) -> None:
    """T7: the agent has ended the contact and wraps up; a call beside the chat ends no chat."""
    if event.payload["state"] == WorkItemState.WRAPPING.value and "beside" not in event.payload:
        for visit in _visits_of(tx, event.payload["ticket_id"]):
            visits.end(tx, visit.id, EndedBy.AGENT, now=now)


def on_ticket_reopened(tx: Connection, event: Event, now: datetime) -> None:
    """It goes on after all."""
    visits.go_on(tx, event.payload["ticket_id"], now=now)


def on_assignment_changed(tx: Connection, event: Event, now: datetime) -> None:
    """Somebody else answers now, or nobody: the customer's browser shows it."""
    for visit in _visits_of(tx, event.payload["ticket_id"]):
        poke(tx, f"visit:{visit.key}", name="visit.changed", payload={}, relay=False)


_VISITS = select(ChatVisit.id, ChatVisit.key, ChatVisit.ended_by, ChatVisit.left_at).where(
    ChatVisit.ticket_id == bindparam("ticket")
)


def _visits_of(tx: Connection, ticket_id: int) -> Sequence[Row[int, str, str | None, datetime | None]]:
    return tx.execute(_VISITS, {"ticket": ticket_id}).all()
