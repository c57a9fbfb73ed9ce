"""Rate limits that count in the database, so that they hold over processes and restarts."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, func, select

from contact_center.accounts.models import RateCount
from contact_center.core.errors import TooMany
from contact_center.core.upsert import insert_for


def count(tx: Connection, key: str, *, window: timedelta, now: datetime) -> int:
    """Count one more under `key` in the present fixed window; return the count so far."""
    statement = insert_for(tx, RateCount).values(key=key, window=_start(window, now), count=1)
    return tx.execute(
        statement.on_conflict_do_update(
            index_elements=["key", "window"], set_={"count": RateCount.count + 1}
        ).returning(RateCount.count)
    ).scalar_one()


def counted(tx: Connection, key: str, *, window: timedelta, now: datetime) -> int:
    """How often `key` was counted in the present window."""
    found = tx.execute(
        select(func.max(RateCount.count)).where(RateCount.key == key, RateCount.window == _start(window, now))
    ).scalar_one()
    return found or 0


def enforce(tx: Connection, key: str, *, limit: int, window: timedelta, now: datetime) -> None:
    """Count one more, and raise TooMany above `limit` in the window."""
    if count(tx, key, window=window, now=now) > limit:
        rest = _start(window, now) + window - now
        raise TooMany("Too many attempts. Wait a moment and try again.", retry_after=max(1, int(rest.total_seconds())))


def forget_old(tx: Connection, now: datetime) -> None:
    """Delete the windows of before yesterday."""
    tx.execute(delete(RateCount).where(RateCount.window < now - timedelta(days=2)))


def _start(window: timedelta, now: datetime) -> datetime:
    seconds = int(window.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
