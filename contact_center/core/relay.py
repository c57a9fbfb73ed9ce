"""The relay runs the handlers of each event: all of a batch in one transaction, and failures one by one.

1. Claim up to BATCH waiting events (SKIP LOCKED) and run every handler in the same transaction. A crash rolls
   back both the claim and the effects, so the effects happen once. Handlers that run for every message take what
   follows each other in a batch `together`.
2. If anything fails, the batch is rolled back and each event runs alone, each handler in a savepoint; what fails
   is stored with its error and is due again with back-off. It never blocks what comes after it.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from sqlalchemy import Connection, Integer, bindparam, delete, select, update

from contact_center.core.among import among
from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.db import Database, collect
from contact_center.core.errors import NotFound
from contact_center.core.events import Event, EventRow, Handler, HandlerFailure, Handlers, together
from contact_center.core.metrics import EVENTS, HANDLER_FAILURES
from contact_center.core.schema import UtcDateTime
from contact_center.core.upsert import upsert

log = structlog.get_logger()

BATCH = 100
MAX_ATTEMPTS = 10
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(hours=1)
KEPT = timedelta(days=7)
PURGED_AT_ONCE = 1000
# An event this old was probably never poked: its writer died between commit and publish, or runs elsewhere.
UNPOKED_AFTER = timedelta(seconds=1)
RETRY_SECONDS = 1.0
# At a busy moment events are handled together, as most of a batch's cost is the same for one event and for ten; the
# first one of a quiet moment does not wait.
GATHER_SECONDS = 0.02


def handler_name(handler: Handler) -> str:
    """The stable name under which a handler's failures are stored."""
    return f"{handler.__module__}.{handler.__name__}"


# Claimed and dispatched at once: a handler that fails rolls both back. MATERIALIZED, or a nested loop may claim more.
_WAITING = (
    select(EventRow.id)
    .where(EventRow.dispatched_at.is_(None))
    .order_by(EventRow.id)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(skip_locked=True)
    .cte("waiting")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
_CLAIM = (
    update(EventRow)
    .where(EventRow.id.in_(select(_WAITING.c.id)))
    .values(dispatched_at=bindparam("now", type_=UtcDateTime()))
    .returning(EventRow.id, EventRow.name, EventRow.payload, EventRow.created_at, EventRow.topics)
)


def claim(tx: Connection, limit: int, now: datetime) -> list[Event]:
    """The oldest waiting events, dispatched by this transaction; those that nobody poked are poked."""
    events = []
    # RETURNING keeps no order.
    for row in sorted(tx.execute(_CLAIM, {"most": limit, "now": now}), key=lambda row: row.id):
        events.append(Event(row.id, row.name, row.payload, row.created_at))
        if now - row.created_at > UNPOKED_AFTER:
            for topic in row.topics:
                collect(tx, Poke(topic, {"event": row.name, **row.payload, "again": True}))
    return events


def relay_batch(tx: Connection, handlers: Handlers, now: datetime, limit: int = BATCH) -> int:
    """Run all handlers of up to `limit` events; return how many there were. Raises what a handler raises."""
    events = claim(tx, limit, now)
    for run in _runs(events, handlers):
        for handler in handlers.get(run[0].name, ()):
            if isinstance(handler, together):
                handler.handle(tx, run, now)
                continue
            for event in run:
                handler(tx, event, now)
    return len(events)


def _runs(events: Sequence[Event], handlers: Handlers) -> Iterator[Sequence[Event]]:
    """Events that follow each other under one name, if a handler of theirs takes them together; else one by one."""
    for name, run in groupby(events, lambda event: event.name):
        if any(isinstance(handler, together) for handler in handlers.get(name, ())):
            yield list(run)
        else:
            yield from ([event] for event in run)


def relay_one(tx: Connection, handlers: Handlers, now: datetime) -> int:
    """Run one event, each handler on its own; store failures. Returns 0 when nothing waits."""
    events = claim(tx, 1, now)
    for event in events:
        for handler in handlers.get(event.name, ()):
            run_guarded(tx, handler, event, now, attempts=0)
    return len(events)


def run_guarded(tx: Connection, handler: Handler, event: Event, now: datetime, *, attempts: int) -> bool:
    """Run one handler in a savepoint; on an error store when it is due again. True when it went well."""
    name = handler_name(handler)
    try:
        with tx.begin_nested():
            handler(tx, event, now)
    except Exception as error:
        attempts += 1
        HANDLER_FAILURES.labels(name).inc()
        dead = attempts >= MAX_ATTEMPTS
        log.warning(
            "handler.failed",
            handler=name,
            event_name=event.name,
            event_id=event.id,
            attempts=attempts,
            exc_info=True,
        )
        wait = min(FIRST_RETRY * 2 ** (attempts - 1), LONGEST_RETRY)
        upsert(
            tx,
            HandlerFailure,
            key=("event_id", "handler"),
            values={
                "event_id": event.id,
                "handler": name,
                "attempts": attempts,
                "due_at": now + wait,
                "dead_at": now if dead else None,
                "error": f"{type(error).__name__}: {error}"[:2000],
            },
        )
        return False
    return True


_DUE = (
    select(HandlerFailure.__table__, EventRow.name, EventRow.payload, EventRow.created_at)
    .join(EventRow, EventRow.id == HandlerFailure.event_id)
    .where(HandlerFailure.dead_at.is_(None), HandlerFailure.due_at <= bindparam("now"))
    .order_by(HandlerFailure.due_at)
    .limit(1)
    .with_for_update(skip_locked=True, of=HandlerFailure)
)


def retry_due(tx: Connection, handlers: Handlers, now: datetime) -> int:
    """Run one failed handler that is due again; return how many there were."""
    row = tx.execute(_DUE, {"now": now}).first()
    if row is None:
        return 0
    event = Event(row.event_id, row.name, row.payload, row.created_at)
    handler = next((h for h in handlers.get(row.name, ()) if handler_name(h) == row.handler), None)
    if handler is None or run_guarded(tx, handler, event, now, attempts=row.attempts):
        tx.execute(delete(HandlerFailure).where(HandlerFailure.id == row.id))
    return 1


def retry_now(tx: Connection, failure_id: int, now: datetime) -> None:
    """Give a failed handler all its attempts again, the first of them now."""
    done = tx.execute(
        update(HandlerFailure).where(HandlerFailure.id == failure_id).values(attempts=0, dead_at=None, due_at=now)
    )
    if done.rowcount == 0:
        raise NotFound("This has run in the meantime.")


# The oldest are the first ids, so that no index on their moments has to be kept up for every event.
_FIRST = (
    select(EventRow.id, EventRow.dispatched_at)
    .where(EventRow.id.not_in(select(HandlerFailure.event_id)))
    .order_by(EventRow.id)
    .limit(PURGED_AT_ONCE)
)
_FORGET = delete(EventRow).where(among(EventRow.id, "events"))


def purge(tx: Connection, now: datetime) -> int:
    """Delete the oldest events whose handlers all ran a week ago, PURGED_AT_ONCE at most; those with failures stay."""
    first = tx.execute(_FIRST).all()
    old = [row.id for row in first if row.dispatched_at is not None and row.dispatched_at < now - KEPT]
    if old:
        tx.execute(_FORGET, {"events": old})
    return len(old)


class Relay:
    """The loop's step: relays waiting events, and once a second a failed handler that is due again.

    `look` gives the handlers that are wanted now, where they change while the process runs.
    """

    def __init__(self, db: Database, handlers: Handlers, look: Callable[[], Awaitable[Handlers]] | None = None) -> None:
        self.db = db
        self.handlers = handlers
        self._look = look
        self._retried_at = 0.0

    async def run_once(self) -> bool:
        """Relay a batch; True when there may be more. What handlers emit wakes the loop by its own poke."""
        if self._look is not None:
            self.handlers = await self._look()
        try:
            count = await self.db.write(relay_batch, self.handlers, utcnow())
        except Exception:
            log.info("relay.batch_failed", exc_info=True)
            count = 0
            for _ in range(BATCH):
                if not await self.db.write(relay_one, self.handlers, utcnow()):
                    break
                count += 1
        EVENTS.inc(count)
        return count == BATCH or await self._retry()

    async def _retry(self) -> bool:
        if monotonic() - self._retried_at < RETRY_SECONDS:
            return False
        if await self.db.write(retry_due, self.handlers, utcnow()):
            return True
        self._retried_at = monotonic()
        return False

    async def purge_once(self) -> bool:
        """Delete some old events; True when there may be more."""
        return await self.db.write(purge, utcnow()) == PURGED_AT_ONCE
