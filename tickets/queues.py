"""Queues: where work waits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from contact_center.core.errors import Conflict
from contact_center.core.events import emit
from contact_center.core.upsert import insert_once
from tickets.models import Queue


def create(tx: Connection, name: str, *, now: datetime, **values: Any) -> int:
    """Add a queue; other columns by name. Conflict if the name is in use."""
    columns = {"routing": {}, **values, "name": name.strip(), "created_at": now}
    queue_id = insert_once(tx, Queue, key=["name"], values=columns)
    if queue_id is None:
        raise Conflict("There is already a queue called {name}.", name=name)
    emit(tx, "queue.changed", {"queue_id": queue_id}, now=now, topics=[f"queue:{queue_id}", "queues"])
    return queue_id


def change(tx: Connection, queue_id: int, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change columns of a queue."""
    tx.execute(update(Queue).where(Queue.id == queue_id).values(**values))
    emit(tx, "queue.changed", {"queue_id": queue_id}, now=now, topics=[f"queue:{queue_id}", "queues"])


def all_named(tx: Connection) -> Sequence[Row[int, str]]:
    """(id, name) of all active queues, by name."""
    return tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name)).all()
