"""Sockets of agents as rows: presence survives a reload, a lost line and a killed web process, within its grace.

Each web process renews a lease; the connections of a process whose lease ran out count as lost.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select

from contact_center.core.upsert import insert_once, upsert
from routing import agents
from routing.models import AgentConnection, Lease
from routing.states import Presence

LEASE = timedelta(seconds=6)
RENEW_SECONDS = 2.0

_OF_PROCESS = select(AgentConnection.connection_id, AgentConnection.opened_at).where(
    AgentConnection.process_id == bindparam("process_id")
)


def renew_lease(tx: Connection, process_id: str, lines: Mapping[str, int], *, now: datetime) -> None:
    """This web process lives, and these are its open lines: connection id -> user.

    A process that stalled until its lease ran out lost its connections; their browsers noticed nothing and would never
    connect again, so they are put back. A row whose line is gone for a renewal's time goes.
    """
    upsert(tx, Lease, key=["process_id"], values={"process_id": process_id, "expires_at": now + LEASE})
    rows = tx.execute(_OF_PROCESS, {"process_id": process_id}).all()
    for connection_id in lines.keys() - {row.connection_id for row in rows}:
        connected(tx, lines[connection_id], connection_id, process_id, now=now)
    for row in rows:
        if row.connection_id not in lines and row.opened_at <= now - timedelta(seconds=RENEW_SECONDS):
            disconnected(tx, row.connection_id, now=now)


def lose_process(tx: Connection, process_id: str, *, now: datetime) -> None:
    """A web process's lease ran out: its connections are lost. Nothing happens if it was renewed meanwhile."""
    if not tx.execute(delete(Lease).where(Lease.process_id == process_id, Lease.expires_at <= now)).rowcount:
        return
    users = tx.execute(
        delete(AgentConnection).where(AgentConnection.process_id == process_id).returning(AgentConnection.user_id)
    ).scalars()
    for user_id in sorted(set(users)):
        _lose(tx, user_id, now=now)


def connected(tx: Connection, user_id: int, connection_id: str, process_id: str, *, now: datetime) -> None:
    """T10: an agent's socket is open. Within the grace nothing else has changed."""
    agent = agents.state_of(tx, user_id, now=now)
    values = {"connection_id": connection_id, "process_id": process_id, "user_id": user_id, "opened_at": now}
    insert_once(tx, AgentConnection, key=["connection_id"], values=values)
    if agent.lost_at is not None:
        agents.change(tx, user_id, now=now, lost_at=None)


def disconnected(tx: Connection, connection_id: str, *, now: datetime) -> None:
    """T9 begins when the last socket of an agent goes: their grace runs from now."""
    gone = tx.execute(
        delete(AgentConnection).where(AgentConnection.connection_id == connection_id).returning(AgentConnection.user_id)
    ).first()
    if gone is not None:
        _lose(tx, gone.user_id, now=now)


def _lose(tx: Connection, user_id: int, *, now: datetime) -> None:
    """Nothing is lost while another tab is open, and somebody who signed out has nothing to lose."""
    agent = agents.state_of(tx, user_id, now=now)
    others = tx.execute(select(AgentConnection.id).where(AgentConnection.user_id == user_id).limit(1)).first()
    if others is None and agent.lost_at is None and agent.presence != Presence.OFFLINE.value:
        agents.change(tx, user_id, now=now, lost_at=now)
