"""Topics: the contact reasons, in two levels, that are asked at wrap-up."""

from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from contact_center.core.upsert import insert_once
from tickets.models import Topic

LONGEST_NAME = 80


def create(tx: Connection, name: str, *, now: datetime, parent_id: int | None = None) -> int:
    """Add a topic, below another one or on the first level; Conflict if there is one of this name beside it."""
    wanted = _name(name)
    if parent_id is None:
        _refuse_twin(tx, wanted, None)
    else:
        parent = tx.execute(select(Topic.parent_id).where(Topic.id == parent_id)).first()
        if parent is None or parent.parent_id is not None:
            raise Invalid("Topics have two levels: choose one of the first.", field="parent_id")
    topic_id = insert_once(tx, Topic, key=["parent_id", "name"], values={"parent_id": parent_id, "name": wanted})
    if topic_id is None:
        raise Conflict("There is already a topic called {name} here.", name=wanted)
    _announce(tx, topic_id, now=now)
    return topic_id


def rename(tx: Connection, topic_id: int, name: str, *, now: datetime) -> None:
    """Give a topic another name; tickets that have it show the new one."""
    wanted = _name(name)
    topic = tx.execute(select(Topic.parent_id, Topic.name).where(Topic.id == topic_id)).first()
    if topic is None:
        raise NotFound("There is no such topic.")
    if topic.name == wanted:
        return
    if topic.parent_id is None:
        _refuse_twin(tx, wanted, topic_id)
    try:
        with tx.begin_nested():
            tx.execute(update(Topic).where(Topic.id == topic_id).values(name=wanted))
    except IntegrityError as error:
        raise Conflict("There is already a topic called {name} here.", name=wanted) from error
    _announce(tx, topic_id, now=now)


def set_active(tx: Connection, topic_id: int, active: bool, *, now: datetime) -> None:
    """Offer a topic or not; what lies below goes with it. Tickets keep theirs."""
    done = tx.execute(update(Topic).where((Topic.id == topic_id) | (Topic.parent_id == topic_id)).values(active=active))
    if done.rowcount == 0:
        raise NotFound("There is no such topic.")
    _announce(tx, topic_id, now=now)


def _refuse_twin(tx: Connection, name: str, topic_id: int | None) -> None:
    """Both databases let several rows with a NULL parent have one name; topics are written by hand, one by one."""
    twin = select(Topic.id).where(Topic.parent_id.is_(None), Topic.name == name)
    if tx.execute(twin if topic_id is None else twin.where(Topic.id != topic_id)).first() is not None:
        raise Conflict("There is already a topic called {name} here.", name=name)


def _name(raw: str) -> str:
    name = " ".join(raw.split())
    if not name or len(name) > LONGEST_NAME:
        raise Invalid("A name has 1 to {longest} characters.", field="name", longest=LONGEST_NAME)
    return name


def _announce(tx: Connection, topic_id: int, *, now: datetime) -> None:
    emit(tx, "topic.changed", {"topic_id": topic_id}, now=now, topics=["topics"])


def by_path(tx: Connection) -> dict[str, int]:
    """All active topics: "Delivery" and "Delivery / Where is my order" → id."""
    rows = tx.execute(select(Topic.id, Topic.parent_id, Topic.name).where(Topic.active)).all()
    names = {row.id: row.name for row in rows}
    return {f"{names[row.parent_id]} / {row.name}" if row.parent_id in names else row.name: row.id for row in rows}
