"""How a decision made in memory becomes true: conditional updates that only one of several engines can win."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, update

from contact_center.core.events import emit
from contact_center.core.schema import UtcDateTime
from routing import offers, work
from routing.facts import Acceptance
from routing.models import AgentState, Decision, WorkItem
from routing.policy import Decision as Choice
from routing.policy import Reset
from routing.pools import PoolName
from routing.states import Move, Presence, QueueExit, WorkItemState

_CLAIM = (
    update(WorkItem)
    .where(
        WorkItem.id == bindparam("item"),
        WorkItem.version == bindparam("seen"),
        WorkItem.state == WorkItemState.QUEUED.value,
    )
    .values(state=bindparam("target"), agent_id=bindparam("agent"), version=WorkItem.version + 1)
    .returning(*WorkItem.__table__.c)
)
_UNCLAIM = (
    update(WorkItem)
    .where(WorkItem.id == bindparam("item"))
    .values(state=WorkItemState.QUEUED.value, agent_id=None, version=WorkItem.version + 1)
)
_INSERT_DECISION = insert(Decision)


def _hold(pool: PoolName) -> Any:
    held, capacity = work.held_column(pool.value), work.capacity_column(pool.value)
    return (
        update(AgentState)
        .where(
            AgentState.user_id == bindparam("agent"),
            AgentState.presence == Presence.AVAILABLE.value,
            AgentState.lost_at.is_(None),
            AgentState.next_presence.is_(None),
            AgentState.active,
            held + bindparam("weight") <= capacity,
        )
        .values(
            {
                held: held + bindparam("weight"),
                "last_assigned_at": bindparam("moment", type_=UtcDateTime()),
                "version": AgentState.version + 1,
            }
        )
        .returning(AgentState.version)
    )


_HOLDS = {pool: _hold(pool) for pool in PoolName}


@dataclass(frozen=True, slots=True)
class Won:
    """A decision that became true; `agent_version` is the agent's row after it."""

    choice: Choice
    item: Row[Any]
    agent_version: int


def claim(tx: Connection, choices: Sequence[tuple[Choice, int]], *, now: datetime) -> list[Won]:
    """Claim work items (each with the version it was decided on), then room with their agents; those not in the
    answer were lost to somebody faster. Both in order of id, so that engines cannot lock each other out."""
    claimed = []
    for choice, version in sorted(choices, key=lambda one: one[0].work.id):
        target = WorkItemState.ASSIGNED if choice.acceptance is Acceptance.AUTO else WorkItemState.RESERVED
        key = {"item": choice.work.id, "seen": version}
        item = tx.execute(_CLAIM, {**key, "target": target.value, "agent": choice.agent.id}).first()
        if item is not None:
            claimed.append((choice, item))
    won = []
    for choice, item in sorted(claimed, key=lambda one: one[0].agent.id):
        share = {"agent": choice.agent.id, "weight": choice.work.weight, "moment": now}
        held = tx.execute(_HOLDS[choice.work.pool], share).first()
        if held is None:
            tx.execute(_UNCLAIM, {"item": choice.work.id})
        else:
            won.append(Won(choice, item, held.version))
    return won


def settle(tx: Connection, won: Won, record: dict[str, Any], *, by_engine: str, now: datetime) -> None:
    """T2: the offer, or for auto acceptance the assignment, with the record of why and the events."""
    choice, item = won.choice, won.item
    offer_id = None
    if choice.expires_at is not None:
        offer_id = offers.create(
            tx,
            item,
            choice.agent.id,
            queue_id=choice.route,
            expires_at=moment(choice.expires_at),
            now=now,
            by_engine=by_engine,
        )
    else:
        work.leave_queue(tx, item.id, QueueExit.ANSWERED, now=now, agent_id=choice.agent.id)
        given = work.change(tx, item, now, how=Move.AUTO.value, by_engine=by_engine, **offers.assigned(now))
        offers.give(tx, given, choice.agent.id, now=now)
    values = {"offer_id": offer_id, "agent_id": choice.agent.id, "kind": choice.acceptance.value}
    tx.execute(_INSERT_DECISION, {"work_item_id": item.id, "at": now, "record": record, **values})


def let_rest(tx: Connection, reset: Reset, version: int, record: dict[str, Any], *, now: datetime) -> bool:
    """T13: everyone was tried: forget who, rest, and tell the supervisor. False if somebody was faster."""
    rested = tx.execute(
        update(WorkItem)
        .where(WorkItem.id == reset.work.id, WorkItem.version == version)
        .values(
            tried=[],
            round=reset.work.round,
            not_before=moment(reset.work.not_before),
            version=WorkItem.version + 1,
        )
        .returning(*WorkItem.__table__.c)
    ).first()
    if rested is None:
        return False
    values = {"work_item_id": rested.id, "offer_id": None, "agent_id": None, "kind": "reset"}
    tx.execute(_INSERT_DECISION, {**values, "at": now, "record": record})
    emit(
        tx,
        "work_item.exhausted",
        {
            "work_item_id": rested.id,
            "ticket_id": rested.ticket_id,
            "queue_id": rested.queue_id,
            "round": rested.round,
            "offers": rested.offers,
            "overflows": reset.overflows,
        },
        now=now,
        topics=["floor", f"queue:{rested.queue_id}"],
    )
    return True


def moment(seconds: float) -> datetime:
    """The policy's seconds as an aware moment."""
    return datetime.fromtimestamp(seconds, UTC)
