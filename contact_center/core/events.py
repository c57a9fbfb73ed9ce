"""The outbox: facts in the past tense, written in the transaction that makes them true."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import update_wrapper
from typing import Any

from sqlalchemy import Connection, Index, Text, UniqueConstraint, insert, text
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.bus import Poke
from contact_center.core.db import collect
from contact_center.core.schema import Base, BigId, clean_json, id_column

# Everybody who runs loops listens on this one: there is something to relay.
OUTBOX_TOPIC = "outbox"


class EventRow(Base):
    """One fact; `dispatched_at` is set by the transaction that ran its handlers."""

    __tablename__ = "events"

    id: Mapped[int] = id_column()
    name: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    payload: Mapped[dict[str, Any]]
    topics: Mapped[list[Any]]
    created_at: Mapped[datetime]
    dispatched_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "ix_events_waiting",
            "id",
            postgresql_where=text("dispatched_at IS NULL"),
            sqlite_where=text("dispatched_at IS NULL"),
        ),
    )


class HandlerFailure(Base):
    """A handler that failed on an event: retried with back-off, `dead_at` after the last attempt."""

    __tablename__ = "handler_failures"

    id: Mapped[int] = id_column()
    event_id: Mapped[int] = mapped_column(BigId, index=True)
    handler: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    dead_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("event_id", "handler", name="uq_handler_failures_event_id_handler"),)


@dataclass(frozen=True, slots=True)
class Event:
    """What a handler gets: ids only, it reads the rest again."""

    id: int
    name: str
    payload: dict[str, Any]
    created_at: datetime


Handler = Callable[[Connection, Event, datetime], None]
Handlers = Mapping[str, Sequence[Handler]]


class together:
    """Decorates a handler that takes a run of events of one name, and asks the database once for all of them.

    A single event goes into it like into any other handler.
    """

    def __init__(self, handle: Callable[[Connection, Sequence[Event], datetime], None]) -> None:
        self.handle = handle
        update_wrapper(self, handle)

    def __call__(self, tx: Connection, event: Event, now: datetime) -> None:
        self.handle(tx, [event], now)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A fact to record and the topics to poke. `payload` holds ids and small values that JSON takes; `local` goes
    with the pokes inside this process."""

    name: str
    payload: Mapping[str, Any]
    topics: Sequence[str] = ()
    local: Any = None


INSERT_EVENT = insert(EventRow)
CAUSE = "cause"


@contextmanager
def caused(tx: Connection, values: Mapping[str, Any]) -> Iterator[None]:
    """All that is announced inside carries these values in its payload too: what led to it."""
    tx.info[CAUSE] = values
    try:
        yield
    finally:
        tx.info.pop(CAUSE, None)


def emit(
    tx: Connection,
    name: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    topics: Sequence[str] = (),
    local: Any = None,
) -> None:
    """Record the fact `name` and poke `topics` (and the relay) after commit."""
    emit_all(tx, [Announcement(name, payload, topics, local)], now=now)


def emit_all(tx: Connection, announcements: Sequence[Announcement], *, now: datetime) -> None:
    """Record several facts in their order with one INSERT, and poke their topics after commit."""
    cause = tx.info.get(CAUSE, {})
    rows = [
        {
            "name": one.name,
            "version": 1,
            "payload": clean_json({**one.payload, **cause}),
            "topics": list(one.topics),
            "created_at": now,
            "dispatched_at": None,
        }
        for one in announcements
    ]
    if not rows:
        return
    tx.execute(INSERT_EVENT, rows)
    for one, row in zip(announcements, rows, strict=True):
        data = {"event": one.name, **row["payload"]}
        for topic in one.topics:
            collect(tx, Poke(topic, data, one.local))
    collect(tx, Poke(OUTBOX_TOPIC))


def poke(
    tx: Connection, *topics: str, name: str, payload: Mapping[str, Any], local: Any = None, relay: bool = True
) -> None:
    """Poke `topics` after commit without recording a fact (the hot path records it in its own statement)."""
    data = {"event": name, **payload}
    for topic in topics:
        collect(tx, Poke(topic, data, local))
    if relay:
        collect(tx, Poke(OUTBOX_TOPIC))
