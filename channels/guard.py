"""The intake guard: what a webhook brought is taken in one transaction, or kept in quarantine, or refused aloud."""

from collections.abc import Callable
from typing import Any, Concatenate, TypeVar

import structlog
from sqlalchemy import Connection

from contact_center.core.clock import utcnow
from contact_center.core.db import Database
from contact_center.core.metrics import INBOUND
from tickets import inbox
from tickets.inbox import RawItem
from tickets.states import JournalState

log = structlog.get_logger()

T = TypeVar("T")


async def guarded(
    db: Database, item: RawItem, use_case: Callable[Concatenate[Connection, ...], T], /, *args: Any, **kwargs: Any
) -> T | None:
    """The result of `use_case(tx, …)`, or None when it failed and the raw item was quarantined in its place.

    Raises what the quarantine raises: then nothing was stored and the sender must hear a 5xx.
    """
    try:
        return await db.write(use_case, *args, **kwargs)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        log.exception("intake.failed", channel=item.channel.value, external_id=item.external_id)
        await db.write(inbox.quarantine, item, reason, now=utcnow())
        INBOUND.labels(item.channel.value, JournalState.QUARANTINED.value).inc()
        return None


async def guarded_again(
    db: Database, item_id: int, channel: str, use_case: Callable[Concatenate[Connection, ...], T], /, *args: Any
) -> T | None:
    """The same for an item that lies in the journal already and is tried once more."""
    try:
        return await db.write(use_case, *args)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        log.exception("intake.failed_again", channel=channel, journal_id=item_id)
        await db.write(inbox.finish, item_id, JournalState.QUARANTINED, now=utcnow(), reason=reason)
        INBOUND.labels(channel, JournalState.QUARANTINED.value).inc()
        return None
