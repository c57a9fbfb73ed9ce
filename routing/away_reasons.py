"""Away reasons: why people are away, whether that time is productive and paid, and in which order they are offered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.events import emit
from routing.models import AgentState, AwayReason
from routing.states import Presence

LONGEST_NAME = 40


class Away(NamedTuple):
    """Why people are away, and whether that time is productive and paid."""

    name: str
    productive: bool
    paid: bool


# What a new installation starts with.
DEFAULT_REASONS = (
    Away("Break", productive=False, paid=True),
    Away("Lunch", productive=False, paid=False),
    Away("Meeting", productive=True, paid=True),
    Away("Training", productive=True, paid=True),
    Away("Coaching", productive=True, paid=True),
    Away("Back office", productive=True, paid=True),
    Away("System problem", productive=False, paid=True),
)


def choosable(tx: Connection) -> list[Away]:
    """The reasons that can be chosen, in their order; the defaults until somebody configures any."""
    rows = every(tx)
    if not rows:
        return list(DEFAULT_REASONS)
    return [Away(row.name, row.productive, row.paid) for row in rows if row.active]


def every(tx: Connection) -> Sequence[Row[Any]]:
    """All configured reasons in their order, those that are switched off too; none before anybody changed one."""
    return tx.execute(select(AwayReason.__table__).order_by(AwayReason.position, AwayReason.id)).all()


def set_away_reasons(tx: Connection, reasons: Sequence[Away]) -> None:
    """Replace the configured reasons; past entries keep the words they were made with."""
    names = [one.name.strip() for one in reasons]
    if not all(names) or len(set(names)) != len(names):
        raise Invalid("Every reason needs a name of its own.", field="name")
    tx.execute(delete(AwayReason))
    for position, one in enumerate(reasons):
        values = {"name": one.name.strip(), "productive": one.productive, "paid": one.paid}
        tx.execute(insert(AwayReason), {**values, "position": position})


def begin(tx: Connection) -> None:
    """Write the defaults down, so that each of them can be changed; nothing if reasons are configured already."""
    if not every(tx):
        set_away_reasons(tx, DEFAULT_REASONS)


def add(tx: Connection, reason: Away, *, now: datetime) -> int:
    """One more reason, after the others; Conflict if there is one of this name."""
    begin(tx)
    values = {**_checked(reason), "position": len(every(tx))}
    try:
        reason_id: int = tx.execute(insert(AwayReason).returning(AwayReason.id), values).scalar_one()
    except IntegrityError as error:
        raise Conflict("There is already a reason called {name}.", name=reason.name.strip()) from error
    _announce(tx, now)
    return reason_id


def change(tx: Connection, name: str, reason: Away, *, active: bool, now: datetime) -> None:
    """Rename the reason `name`, say what its time counts as, offer it or not. Conflict when none would be left."""
    begin(tx)
    if not active and not any(row.active for row in every(tx) if row.name != name):
        raise Conflict("One reason must be left, or nobody can take a break.")
    statement = update(AwayReason).where(AwayReason.name == name)
    try:
        done = tx.execute(statement.values(**_checked(reason), active=active))
    except IntegrityError as error:
        raise Conflict("There is already a reason called {name}.", name=reason.name.strip()) from error
    if not done.rowcount:
        raise NotFound("There is no such reason.")
    _announce(tx, now)


def move(tx: Connection, name: str, *, up: bool, now: datetime) -> None:
    """Change places with the reason above or below; nothing at either end."""
    begin(tx)
    order = [row.name for row in every(tx)]
    if name not in order:
        raise NotFound("There is no such reason.")
    at = order.index(name)
    to = at - 1 if up else at + 1
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
    for position, one in enumerate(order):
        tx.execute(update(AwayReason).where(AwayReason.name == one).values(position=position))
    _announce(tx, now)


def _checked(reason: Away) -> dict[str, Any]:
    name = reason.name.strip()
    if not name:
        raise Invalid("Every reason needs a name of its own.", field="name")
    if len(name) > LONGEST_NAME:
        raise Invalid("At most {longest} characters fit here.", field="name", longest=LONGEST_NAME)
    return {"name": name, "productive": reason.productive, "paid": reason.paid}


def _announce(tx: Connection, now: datetime) -> None:
    """Whoever is on the floor sees the new choice in their menu."""
    present = select(AgentState.user_id).where(AgentState.presence != Presence.OFFLINE.value)
    topics = [f"user:{user_id}" for user_id in tx.execute(present.order_by(AgentState.user_id)).scalars()]
    emit(tx, "away_reasons.changed", {}, now=now, topics=["floor", *topics])
