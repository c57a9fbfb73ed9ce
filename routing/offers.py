"""Offers: accept, decline, timeout, rescind. The row of the work item is locked first and the offer's state is
compared and set, so that of any number of rivals exactly one wins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, literal_column, select, update

from contact_center.core.errors import Conflict, NotFound
from contact_center.core.events import emit
from contact_center.core.i18n import mark
from routing import agents, work
from routing.models import Offer
from routing.states import Move, OfferState, Presence
from tickets.assignments import assign
from tickets.states import AssignmentReason

ENDED = {
    OfferState.TIMEOUT.value: mark("This offer has run out. Go available to get the next one."),
    OfferState.REJECTED.value: mark("You have declined this offer."),
    OfferState.RESCINDED.value: mark("Taken by a colleague."),
    OfferState.CANCELED.value: mark("The customer is no longer waiting."),
}

_INSERT = insert(Offer).returning(*Offer.__table__.c)
_OWN = select(Offer.__table__).where(Offer.id == bindparam("offer"), Offer.agent_id == bindparam("agent"))
_BY_ID = select(Offer.__table__).where(Offer.id == bindparam("offer"))
_STATE = select(Offer.state).where(Offer.id == bindparam("offer"))
_OF_ITEM = (Offer.work_item_id == bindparam("item"), Offer.state == literal_column("'offered'"))
_OPEN_OF = select(Offer.id).where(*_OF_ITEM)
# SET takes whatever columns the parameters name.
_CLOSE = update(Offer).where(*_OF_ITEM).returning(*Offer.__table__.c)
_END = update(Offer).where(Offer.id == bindparam("offer"), Offer.state == literal_column("'offered'"))


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an agent has accepted; `again` when they had accepted it before."""

    ticket_id: int
    work_item_id: int
    again: bool = False


def create(
    tx: Connection,
    item: Row[Any],
    agent_id: int,
    *,
    queue_id: int,
    expires_at: datetime,
    now: datetime,
    by_engine: str | None = None,
) -> int:
    """T2: offer a reserved work item to its agent; `queue_id` is the queue through which it came to them."""
    offer = tx.execute(
        _INSERT,
        {
            "work_item_id": item.id,
            "ticket_id": item.ticket_id,
            "agent_id": agent_id,
            "queue_id": queue_id,
            "state": OfferState.OFFERED.value,
            "offered_at": now,
            "expires_at": expires_at,
        },
    ).one()
    _announce(tx, "offer.created", offer, now=now, by_engine=by_engine)
    offer_id: int = offer.id
    return offer_id


def accept(tx: Connection, offer_id: int, user_id: int, *, now: datetime) -> Accepted:
    """T3: take the offer on; accepting twice is accepting once. Conflict says who or what was faster."""
    offer = _own(tx, offer_id, user_id)
    item = work.by_id(tx, offer.work_item_id)
    if not _end(tx, offer_id, OfferState.ACCEPTED, now=now):
        state = tx.execute(_STATE, {"offer": offer_id}).scalar_one()
        if state == OfferState.ACCEPTED.value:
            return Accepted(offer.ticket_id, offer.work_item_id, again=True)
        raise Conflict(ENDED[state])
    work.move(tx, item, Move.ACCEPT, now=now, changes=assigned(now))
    _own_ticket(tx, item, user_id, AssignmentReason.OFFERED, offer_id, now=now)
    _announce(tx, "offer.accepted", offer, now=now)
    return Accepted(offer.ticket_id, offer.work_item_id)


def accept_open(tx: Connection, item: Row[Any], *, now: datetime) -> None:
    """The agent of a locked, reserved item does what accepting is for (e.g. answers): their offer is accepted."""
    offer_id = tx.execute(_OPEN_OF, {"item": item.id}).scalar_one()
    accept(tx, offer_id, item.agent_id, now=now)


def decline(tx: Connection, offer_id: int, user_id: int, reason: str = "", *, now: datetime) -> None:
    """T4: the work goes on with its age, to somebody else. Declining twice is declining once."""
    offer = _own(tx, offer_id, user_id)
    item = work.by_id(tx, offer.work_item_id)
    if not _end(tx, offer_id, OfferState.REJECTED, now=now, reason=reason or None):
        state = tx.execute(_STATE, {"offer": offer_id}).scalar_one()
        if state == OfferState.ACCEPTED.value:
            raise Conflict("You have accepted this already. Transfer it instead.")
        return
    _give_back(tx, item, Move.DECLINE, user_id, now=now)
    _announce(tx, "offer.declined", offer, now=now, reason=reason)


def expire(tx: Connection, offer_id: int, *, now: datetime) -> bool:
    """T5: an offer nobody answered in time; the agent is not responding until they say otherwise."""
    offer = tx.execute(_BY_ID, {"offer": offer_id}).one()
    item = work.by_id(tx, offer.work_item_id)
    if offer.expires_at > now or not _end(tx, offer_id, OfferState.TIMEOUT, now=now):
        return False
    _give_back(tx, item, Move.TIMEOUT, offer.agent_id, now=now)
    agent = agents.state_of(tx, offer.agent_id, now=now)
    if agent.presence == Presence.AVAILABLE.value:
        agents.become(tx, agent, Presence.NOT_RESPONDING, now=now)
    _announce(tx, "offer.missed", offer, now=now)
    return True


def rescind(tx: Connection, item: Row[Any], reason: str, *, now: datetime) -> Row[Any]:
    """Take the open offer of a locked, reserved item back: the agent was not asked in earnest, so nothing is held
    against them. Returns the item, queued again."""
    close_open(tx, item, OfferState.RESCINDED, reason, now=now)
    return work.move(tx, item, Move.RESCIND, now=now, changes={"offers": item.offers + 1})


def close_open(tx: Connection, item: Row[Any], state: OfferState, reason: str, *, now: datetime) -> None:
    """End the open offer of a locked item; the caller moves the item."""
    values = {"state": state.value, "ended_at": now, "reason": reason}
    offer = tx.execute(_CLOSE, {"item": item.id, **values}).first()
    if offer is not None:
        _announce(tx, f"offer.{state.value}", offer, now=now, reason=reason)


def hand_to(
    tx: Connection,
    item: Row[Any],
    user_id: int,
    how: Move,
    reason: AssignmentReason,
    *,
    now: datetime,
    by_user_id: int | None = None,
) -> Row[Any]:
    """T16: give a locked item to an agent without asking them (take, assign); may exceed their pool."""
    agents.state_of(tx, user_id, now=now)
    if item.state == "reserved":
        close_open(tx, item, OfferState.RESCINDED, "assigned", now=now)
    moved = work.move(tx, item, how, now=now, agent_id=user_id, changes=assigned(now))
    assign(tx, item.ticket_id, user_id, reason=reason, now=now, by_user_id=by_user_id)
    return moved


def give(tx: Connection, item: Row[Any], agent_id: int, *, now: datetime) -> None:
    """Auto acceptance: the engine has claimed the item for its agent; write down that they own the ticket."""
    _own_ticket(tx, item, agent_id, AssignmentReason.AUTO, None, now=now)


def _own_ticket(
    tx: Connection, item: Row[Any], user_id: int, reason: AssignmentReason, offer_id: int | None, *, now: datetime
) -> None:
    if item.transfers:
        reason = AssignmentReason.TRANSFERRED
    assign(tx, item.ticket_id, user_id, reason=reason, now=now, offer_id=offer_id, anew=False)


def assigned(now: datetime) -> dict[str, Any]:
    """What else changes on an item that gets its agent: the search for one is over."""
    return {
        "assigned_at": now,
        "tried": [],
        "round": 0,
        "not_before": None,
        "preferred_id": None,
        "preferred_until": None,
        "paused_at": None,
    }


def _give_back(tx: Connection, item: Row[Any], how: Move, agent_id: int, *, now: datetime) -> None:
    tried = sorted({*item.tried, agent_id})
    work.move(tx, item, how, now=now, changes={"tried": tried, "offers": item.offers + 1})


def _own(tx: Connection, offer_id: int, user_id: int) -> Row[Any]:
    offer = tx.execute(_OWN, {"offer": offer_id, "agent": user_id}).first()
    if offer is None:
        raise NotFound("There is no such offer.")
    return offer


def _end(tx: Connection, offer_id: int, state: OfferState, *, now: datetime, reason: str | None = None) -> bool:
    values = {"state": state.value, "ended_at": now, "reason": reason}
    ended = tx.execute(_END, {"offer": offer_id, **values})
    return ended.rowcount == 1


def _announce(tx: Connection, name: str, offer: Row[Any], *, now: datetime, **more: Any) -> None:
    """Wakes the engine, the agent's screens and everybody who looks at the queue or the ticket."""
    emit(
        tx,
        name,
        {
            "offer_id": offer.id,
            "work_item_id": offer.work_item_id,
            "ticket_id": offer.ticket_id,
            "agent_id": offer.agent_id,
            "queue_id": offer.queue_id,
            **{key: value for key, value in more.items() if value is not None},
        },
        now=now,
        topics=[
            "routing",
            "floor",
            f"user:{offer.agent_id}",
            f"queue:{offer.queue_id}",
            f"ticket:{offer.ticket_id}",
        ],
    )
