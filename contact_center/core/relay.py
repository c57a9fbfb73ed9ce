"""The relay runs the handlers of each event: all of a batch in one transaction, and failures one by one.

1. Claim up to BATCH waiting events (SKIP LOCKED) and run every handler in the same transaction. A crash rolls
   back both the claim and the effects, so the effects happen once.
2. If anything fails, the batch is rolled back and each event runs alone, each handler in a savepoint; what fails
   is stored with its error and is due again with back-off. It never blocks what comes after it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, delete, select, update

from contact_center.core.bus import Poke
from contact_center.core.clock import utcnow
from contact_center.core.db import Database, collect
from contact_center.core.errors import NotFound
from contact_center.core.events import Event, EventRow, Handler, HandlerFailure, Handlers
from contact_center.core.metrics import EVENTS, HANDLER_FAILURES
from contact_center.core.upsert import upsert

log = structlog.get_logger()

BATCH = 100
MAX_ATTEMPTS = 10
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(hours=1)
KEPT = timedelta(days=7)
# An event this old was probably never poked: its writer died between commit and publish, or runs elsewhere.
UNPOKED_AFTER = timedelta(seconds=1)


def handler_name(handler: Handler) -> str:
    """The stable name under which a handler's failures are stored."""
    return f"{handler.__module__}.{handler.__name__}"


def claim(tx: Connection, limit: int) -> list[tuple[Event, list[str]]]:
    """The oldest waiting events, locked for this transaction."""
    rows = tx.execute(
        select(EventRow.id, EventRow.name, EventRow.payload, EventRow.created_at, EventRow.topics)
        .where(EventRow.dispatched_at.is_(None))
        .order_by(EventRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    return [(Event(row.id, row.name, row.payload, row.created_at), row.topics) for row in rows]


def relay_batch(tx: Connection, handlers: Handlers, now: datetime, limit: int = BATCH) -> int:
    """Run all handlers of up to `limit` events; return how many there were. Raises what a handler raises."""
    claimed = claim(tx, limit)
    for event, _ in claimed:
        for handler in handlers.get(event.name, ()):
            handler(tx, event, now)
    _finish(tx, claimed, now)
    return len(claimed)


def relay_one(tx: Connection, handlers: Handlers, now: datetime) -> int:
    """Run one event, each handler on its own; store failures. Returns 0 when nothing waits."""
    claimed = claim(tx, 1)
    for event, _ in claimed:
        for handler in handlers.get(event.name, ()):
            run_guarded(tx, handler, event, now, attempts=0)
    _finish(tx, claimed, now)
    return len(claimed)


def _finish(tx: Connection, claimed: Sequence[tuple[Event, list[str]]], now: datetime) -> None:
    if not claimed:
        return
    tx.execute(update(EventRow).where(EventRow.id.in_([event.id for event, _ in claimed])).values(dispatched_at=now))
    for event, topics in claimed:
        if now - event.created_at > UNPOKED_AFTER:
            for topic in topics:
                collect(tx, Poke(topic, {"event": event.name, **event.payload}))


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


def retry_due(tx: Connection, handlers: Handlers, now: datetime) -> int:
    """Run one failed handler that is due again; return how many there were."""
    row = tx.execute(
        select(HandlerFailure, EventRow.name, EventRow.payload, EventRow.created_at)
        .join(EventRow, EventRow.id == HandlerFailure.event_id)
        .where(HandlerFailure.dead_at.is_(None), HandlerFailure.due_at <= now)
        .order_by(HandlerFailure.due_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=HandlerFailure)
    ).first()
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


def purge(tx: Connection, now: datetime) -> int:
    """Delete events whose handlers all ran a week ago; those with failures stay."""
    failed = select(HandlerFailure.event_id)
    done = tx.execute(delete(EventRow).where(EventRow.dispatched_at < now - KEPT, EventRow.id.not_in(failed)))
    return done.rowcount


class Relay:
    """The loop's step: relays waiting events, then one due retry."""

    def __init__(self, db: Database, handlers: Handlers) -> None:
        self.db = db
        self.handlers = handlers

    async def run_once(self) -> bool:
        """Relay a batch; True when there may be more."""
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
        retried = await self.db.write(retry_due, self.handlers, utcnow()) if count < BATCH else 0
        return count > 0 or retried > 0

    async def purge_once(self) -> bool:
        """Delete old events."""
        await self.db.write(purge, utcnow())
        return False
