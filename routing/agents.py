"""The rows of agents on the floor: who is what since when, and the timeline of their day."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from contact_center.core.events import emit
from contact_center.core.upsert import insert_for
from routing.models import AgentState, PresenceEntry
from routing.states import PRESENCE_MOVES, OfflineReason, Presence

_LOOK = select(AgentState.__table__).where(AgentState.user_id == bindparam("agent"))
_LOCK = _LOOK.with_for_update()
# SET takes whatever columns the parameters name.
_CHANGE = update(AgentState).where(AgentState.user_id == bindparam("agent")).values(version=AgentState.version + 1)
_END_ENTRY = update(PresenceEntry).where(PresenceEntry.user_id == bindparam("agent"), PresenceEntry.ended_at.is_(None))
_INSERT_ENTRY = insert(PresenceEntry)


def state_of(tx: Connection, user_id: int, *, now: datetime, lock: bool = True) -> Row[Any]:
    """An agent's row, locked for this transaction; made on first sight, offline."""
    statement, agent = _LOCK if lock else _LOOK, {"agent": user_id}
    row = tx.execute(statement, agent).first()
    if row is not None:
        return row
    enrol(tx, user_id, now=now)
    return tx.execute(statement, agent).one()


def enrol(tx: Connection, user_id: int, *, now: datetime) -> None:
    """Make the row of somebody new on the floor; nothing if there is one."""
    values = {
        "user_id": user_id,
        "presence": Presence.OFFLINE.value,
        "reason": OfflineReason.SIGNED_OUT.value,
        "since": now,
        "media_off": [],
        "free_since": now,
    }
    statement = insert_for(tx, AgentState).values(**values).on_conflict_do_nothing(index_elements=["user_id"])
    if tx.execute(statement).rowcount == 1:
        _log(tx, user_id, Presence.OFFLINE, OfflineReason.SIGNED_OUT.value, now=now, by_user_id=None)


def become(
    tx: Connection,
    agent: Row[Any],
    presence: Presence,
    *,
    now: datetime,
    reason: str | None = None,
    by_user_id: int | None = None,
) -> bool:
    """Change a locked agent's presence; False if nothing changes or the change is not one of its moves."""
    current = Presence(agent.presence)
    if (current, agent.reason) == (presence, reason) or presence not in PRESENCE_MOVES[current]:
        return False
    values: dict[str, Any] = {"presence": presence.value, "reason": reason, "since": now}
    if presence is Presence.AVAILABLE:
        values["free_since"] = now
    change(tx, agent.user_id, now=now, **values)
    tx.execute(_END_ENTRY, {"agent": agent.user_id, "ended_at": now})
    _log(tx, agent.user_id, presence, reason, now=now, by_user_id=by_user_id)
    return True


def change(tx: Connection, user_id: int, *, now: datetime, **values: Any) -> None:
    """Change columns of an agent's row and tell everybody who looks."""
    tx.execute(_CHANGE, {"agent": user_id, **values})
    payload: dict[str, Any] = {"user_id": user_id}
    if "presence" in values:
        payload |= {"presence": values["presence"], "reason": values["reason"]}
    emit(
        tx,
        "presence.changed" if "presence" in values else "agent.changed",
        payload,
        now=now,
        topics=["routing", "floor", f"user:{user_id}"],
    )


def _log(
    tx: Connection,
    user_id: int,
    presence: Presence,
    reason: str | None,
    *,
    now: datetime,
    by_user_id: int | None,
) -> None:
    tx.execute(
        _INSERT_ENTRY,
        {
            "user_id": user_id,
            "presence": presence.value,
            "reason": reason,
            "started_at": now,
            "by_user_id": by_user_id,
        },
    )
