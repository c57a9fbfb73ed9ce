"""Why me, why not me, why still waiting: the stored records, and the present state of what waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from contact_center.accounts.models import User
from contact_center.core.errors import NotFound
from routing import work
from routing.explanation import explain_agent, explain_waiting
from routing.facts import SUPERVISOR, Work
from routing.loading import load_agents, load_queues, load_works
from routing.models import AgentState, Decision, Skill, WorkItem
from routing.policy import Floor
from routing.states import WorkItemState
from tickets.models import Queue, Ticket


@dataclass(frozen=True, slots=True)
class Explanation:
    """A record (see routing.explanation) with the names of everybody and everything in it, by id.

    `kind`: offer, auto, reset, or waiting for a record made just now.
    """

    kind: str
    at: datetime
    record: dict[str, Any]
    agents: dict[int, str]
    queues: dict[int, str]
    skills: dict[int, str]
    # The customer's language, and how sure their words made us of it (None: their channel or a person said it).
    language: tuple[str, float | None] | None = None


def of_offer(tx: Connection, offer_id: int) -> Explanation | None:
    """ "Why me": the record of the decision behind an offer."""
    row = tx.execute(select(Decision.__table__).where(Decision.offer_id == offer_id)).first()
    return _named(tx, row.kind, row.at, row.record, _language(tx, row.work_item_id)) if row is not None else None


def history(tx: Connection, work_item_id: int, *, limit: int = 20) -> list[Explanation]:
    """Every decision on a work item, newest first."""
    rows = tx.execute(
        select(Decision.__table__)
        .where(Decision.work_item_id == work_item_id)
        .order_by(Decision.id.desc())
        .limit(limit)
    ).all()
    return [_named(tx, row.kind, row.at, row.record) for row in rows]


def of_work(tx: Connection, work_item_id: int, now: datetime) -> Explanation | None:
    """ "Why still waiting": everybody who could and could not take it at this moment; None if it does not wait."""
    floor, waiting = _floor_around(tx, work_item_id, now)
    if waiting is None:
        return None
    return _named(tx, "waiting", now, explain_waiting(floor, waiting, now.timestamp()), _language(tx, work_item_id))


def why_not(tx: Connection, work_item_id: int, user_id: int, now: datetime) -> list[str]:
    """ "Why not me": what ruled the agent out when the work was last decided, or what does now if it still waits.

    An empty list: the agent could have had it, others came first in the queue's order.
    """
    floor, waiting = _floor_around(tx, work_item_id, now)
    agent = floor.staff.agents.get(user_id)
    if waiting is not None and agent is not None:
        return [reason.value for reason in explain_agent(floor, waiting, agent, now.timestamp())]
    last = tx.execute(
        select(Decision.record)
        .where(Decision.work_item_id == work_item_id, Decision.kind != "reset")
        .order_by(Decision.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    if last is None:
        raise NotFound("Routing has not decided on this yet.")
    return next((list(one["why"]) for one in last["ruled_out"] if one["agent"] == user_id), [])


def _floor_around(tx: Connection, work_item_id: int, now: datetime) -> tuple[Floor, Work | None]:
    """A floor with everybody and all work of the item's queue, as the engine sees it."""
    item = work.by_id(tx, work_item_id, lock=False)
    floor = Floor()
    for queue in load_queues(tx, now=now).values():
        floor.put_queue(queue)
    everybody = tx.execute(select(AgentState.user_id)).scalars().all()
    for agent, _ in load_agents(tx, everybody, now=now).values():
        floor.put_agent(agent)
    queued = WorkItem.state == WorkItemState.QUEUED.value
    beside = tx.execute(select(WorkItem.id).where(WorkItem.queue_id == item.queue_id, queued)).scalars()
    works = load_works(tx, list(beside)) if item.queue_id in floor.queues else {}
    for one, _ in works.values():
        floor.put_work(one)
    return floor, works[work_item_id][0] if work_item_id in works else None


def _language(tx: Connection, work_item_id: int) -> tuple[str, float | None] | None:
    row = tx.execute(
        select(Ticket.locale, Ticket.locale_share)
        .join(WorkItem, WorkItem.ticket_id == Ticket.id)
        .where(WorkItem.id == work_item_id, Ticket.locale.is_not(None))
    ).first()
    return (row.locale, row.locale_share) if row is not None else None


def _named(
    tx: Connection,
    kind: str,
    at: datetime,
    record: dict[str, Any],
    language: tuple[str, float | None] | None = None,
) -> Explanation:
    people = {one["agent"] for one in (*record["candidates"], *record["ruled_out"])}
    people |= {one for one in (record.get("agent"), record["step"]["only"]) if one is not None}
    queues = {record["queue"], *record["step"]["routes"]}
    skills = {skill for skill, _ in record["step"]["need"]}
    return Explanation(
        kind=kind,
        at=at,
        record=record,
        agents=_names(tx, User, people),
        queues=_names(tx, Queue, queues),
        skills=_names(tx, Skill, skills - {SUPERVISOR}),
        language=language,
    )


def _names(tx: Connection, model: type[User] | type[Queue] | type[Skill], ids: set[int]) -> dict[int, str]:
    if not ids:
        return {}
    return {row.id: row.name for row in tx.execute(select(model.id, model.name).where(model.id.in_(ids)))}
