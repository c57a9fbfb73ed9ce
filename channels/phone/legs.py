"""The parties of a call that runs as a conference: who is to be in it, who is, and who has left.

A leg's state only moves forward, so callbacks may come late, twice or in any order:

    wanted → dialing → ringing → joined → left
                  (any of them) → failed
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select, update

from channels.phone.models import Call, CallLeg
from contact_center.core.events import emit
from contact_center.core.upsert import insert_once
from tickets.models import Ticket
from tickets.timeline import topics_of


class Role(StrEnum):
    """Who a leg is: CALLER is the customer (whoever rang whom), AGENT has the ticket, OUTSIDE is no user here."""

    CALLER = "caller"
    AGENT = "agent"
    COLLEAGUE = "colleague"
    OUTSIDE = "outside"


class LegState(StrEnum):
    """Where a leg is; JOINED means that it is in the conference. The last two are final."""

    WANTED = "wanted"
    DIALING = "dialing"
    RINGING = "ringing"
    JOINED = "joined"
    LEFT = "left"
    FAILED = "failed"


ORDER = (LegState.WANTED, LegState.DIALING, LegState.RINGING, LegState.JOINED, LegState.LEFT)
OVER = (LegState.LEFT.value, LegState.FAILED.value)
ALIVE = (LegState.WANTED.value, LegState.DIALING.value, LegState.RINGING.value, LegState.JOINED.value)


def add_leg(
    tx: Connection,
    call_id: int,
    role: Role,
    *,
    client_key: str,
    number: str = "",
    user_id: int | None = None,
    external_id: str | None = None,
    state: LegState = LegState.WANTED,
    purpose: str = "",
    now: datetime,
) -> Row[Any]:
    """The leg with this key, added if it is new; `number` is E.164 or `client:name`, empty for the caller."""
    new_id = insert_once(
        tx,
        CallLeg,
        key=["client_key"],
        values={
            "call_id": call_id,
            "role": role.value,
            "user_id": user_id,
            "number": number,
            "external_id": external_id,
            "client_key": client_key,
            "state": state.value,
            "held": False,
            "muted": False,
            "heard": 0,
            "purpose": purpose,
            "created_at": now,
            "reason": "",
        },
    )
    leg = tx.execute(select(CallLeg.__table__).where(CallLeg.client_key == client_key)).one()
    if new_id is not None:
        tell(tx, leg, now=now)
    return leg


def move_leg(
    tx: Connection, leg_id: int, state: LegState, *, external_id: str | None = None, reason: str = "", now: datetime
) -> Row[Any] | None:
    """Move a leg forward; the leg as it is now, or None if it is there or further already.

    `external_id` is kept at any state where none is known yet; `reason` says why a leg is over.
    """
    if external_id:
        tx.execute(
            update(CallLeg)
            .where(CallLeg.id == leg_id, CallLeg.external_id.is_(None))
            .values(external_id=external_id[:250])
        )
    earlier = ORDER[: ORDER.index(state)] if state in ORDER else ORDER[:-1]
    values: dict[str, Any] = {"state": state.value}
    if state is LegState.JOINED:
        values["joined_at"] = now
    if state.value in OVER:
        values |= {"left_at": now, "held": False, "reason": reason[:200]}
    leg = tx.execute(
        update(CallLeg)
        .where(CallLeg.id == leg_id, CallLeg.state.in_([one.value for one in earlier]))
        .values(**values)
        .returning(*CallLeg.__table__.columns)
    ).first()
    if leg is not None:
        tell(tx, leg, now=now)
    return leg


def mark_leg(
    tx: Connection,
    leg_id: int,
    *,
    held: bool | None = None,
    muted: bool | None = None,
    heard: int | None = None,
    now: datetime,
) -> Row[Any] | None:
    """Say that a leg is held or muted or no longer; None if nothing changed.

    `heard` is the carrier's number of the report: one that is older than the last changes nothing.
    """
    wanted = {name: value for name, value in (("held", held), ("muted", muted)) if value is not None}
    leg = tx.execute(
        select(CallLeg.__table__).where(CallLeg.id == leg_id, CallLeg.state.not_in(OVER)).with_for_update()
    ).first()
    if leg is None or (heard is not None and heard <= leg.heard):
        return None
    changed = tx.execute(
        update(CallLeg)
        .where(CallLeg.id == leg_id)
        .values(**wanted, heard=leg.heard if heard is None else heard)
        .returning(*CallLeg.__table__.columns)
    ).one()
    if all(getattr(leg, name) == value for name, value in wanted.items()):
        return None
    tell(tx, changed, now=now)
    return changed


def must_accept(leg: Any) -> bool:
    """Whether a key must be pressed before this leg counts: a colleague's telephone may have a mailbox."""
    return leg.user_id is not None and leg.number.startswith("+")


def legs_of(tx: Connection, call_id: int) -> Sequence[Row[Any]]:
    """All legs of a call, oldest first."""
    return tx.execute(select(CallLeg.__table__).where(CallLeg.call_id == call_id).order_by(CallLeg.id)).all()


def by_id(tx: Connection, leg_id: int) -> Row[Any]:
    """A leg that there is."""
    return tx.execute(select(CallLeg.__table__).where(CallLeg.id == leg_id)).one()


def caller_of(tx: Connection, call_id: int) -> Row[Any] | None:
    """The customer's leg: the newest, since one of ours may have been dialled again."""
    return tx.execute(
        select(CallLeg.__table__)
        .where(CallLeg.call_id == call_id, CallLeg.role == Role.CALLER.value)
        .order_by(CallLeg.id.desc())
        .limit(1)
    ).first()


def find_leg(tx: Connection, call_id: int, *, external_id: str = "", client_key: str = "") -> Row[Any] | None:
    """The leg of a call that the carrier speaks of, by its id or by the label we gave it."""
    known = [CallLeg.external_id == external_id] if external_id else []
    label = [CallLeg.client_key == client_key] if client_key else []
    for condition in (*known, *label):
        leg = tx.execute(select(CallLeg.__table__).where(CallLeg.call_id == call_id, condition)).first()
        if leg is not None:
            return leg
    return None


def know_conference(tx: Connection, call_id: int, conference_id: str) -> None:
    """Keep the carrier's id of a call's conference."""
    known = update(Call).where(Call.id == call_id, Call.conference_id.is_distinct_from(conference_id))
    tx.execute(known.values(conference_id=conference_id[:250]))


def tell(tx: Connection, leg: Row[Any], *, now: datetime) -> None:
    """Screens and handlers hear that a leg is new, moved, or was held or muted."""
    ticket = tx.execute(
        select(Ticket.id, Ticket.queue_id, Ticket.assignee_id)
        .join(Call, Call.ticket_id == Ticket.id)
        .where(Call.id == leg.call_id)
    ).first()
    told = {
        "call_id": leg.call_id,
        "leg_id": leg.id,
        "ticket_id": ticket.id if ticket else None,
        "role": leg.role,
        "state": leg.state,
        "user_id": leg.user_id,
        "held": leg.held,
        "muted": leg.muted,
    }
    topics = topics_of(ticket.id, queue_id=ticket.queue_id, assignee_id=ticket.assignee_id) if ticket else []
    emit(tx, "call_leg.changed", told, now=now, topics=topics)
