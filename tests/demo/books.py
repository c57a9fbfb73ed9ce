"""Whether the books of a demo's database add up."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from contact_center.core.db import sqlite_engine
from contact_center.core.events import EventRow, HandlerFailure
from contact_center.core.settings import Settings
from contact_center.demo.seed import database_path
from routing.invariants import violations
from routing.models import Offer, QueueEntry, WorkItem
from tickets import counters
from tickets.models import Assignment, JournalItem, Message, Ticket


def check(settings: Settings, *, now: datetime) -> None:
    """Every invariant of routing, whole keys, whole numbering, right counters, nothing unhandled."""
    path = database_path(settings)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    engine = sqlite_engine(settings.database)
    with engine.connect() as tx, tx.begin() as transaction:
        assert set(violations(tx, now).values()) == {0}
        _nothing_unhandled(tx)
        _every_ticket_is_whole(tx)
        before = counters.counters(tx)
        counters.recount(tx)
        assert before == counters.counters(tx)
        transaction.rollback()
    engine.dispose()


def rows(path: Path) -> dict[str, int]:
    """How many rows each table of an SQLite file has."""
    with closing(sqlite3.connect(path)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}


def _nothing_unhandled(tx: Connection) -> None:
    waiting = tx.execute(select(EventRow.name, EventRow.created_at).where(EventRow.dispatched_at.is_(None))).all()
    assert waiting == []
    assert tx.execute(select(func.count()).select_from(HandlerFailure)).scalar_one() == 0


def _every_ticket_is_whole(tx: Connection) -> None:
    entries = select(Message.ticket_id, func.count().label("entries"), func.max(Message.seq).label("last"))
    numbered = {row.ticket_id: (row.entries, row.last) for row in tx.execute(entries.group_by(Message.ticket_id))}
    assert numbered == {row.id: (row.seq, row.seq) for row in tx.execute(select(Ticket.id, Ticket.seq))}
    first = select(Message.ticket_id).where(Message.seq == 1, Message.journal_id.is_not(None))
    assert set(tx.execute(first).scalars()) == numbered.keys()
    assert not set(tx.execute(select(JournalItem.state)).scalars()) - {"accepted"}
    worked = set(tx.execute(select(WorkItem.ticket_id)).scalars())
    assert worked == numbered.keys()
    waited = set(tx.execute(select(QueueEntry.work_item_id)).scalars())
    assert waited == set(tx.execute(select(WorkItem.id)).scalars())
    accepted = set(tx.execute(select(Offer.ticket_id).where(Offer.state == "accepted")).scalars())
    assert accepted <= set(tx.execute(select(Assignment.ticket_id)).scalars())
