"""Who is unsubscribed from what we start ourselves: a ledger per address, and the wish of the whole person.

Answers are never among it: `what` names kinds of mail that nobody asked for, today satisfaction surveys.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Text, bindparam, literal_column, select, update
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.accounts.models import User
from contact_center.core.errors import Conflict, Invalid, NotFound
from contact_center.core.schema import Base, id_column
from contact_center.core.upsert import insert_once
from tickets.models import ContactPoint, partial_index, refers_to

SHORTEST_REASON = 4
MOST_ENTRIES = 20
OPEN = "lifted_at IS NULL"


class What(StrEnum):
    """What one can be unsubscribed from."""

    SURVEYS = "surveys"


class Source(StrEnum):
    """How it was said: by the mail program's button (RFC 8058), or on our page."""

    ONE_CLICK = "one_click"
    PAGE = "page"


class Unsubscribe(Base):
    """One wish of an address's owner, from `created_at` until somebody lifts it."""

    __tablename__ = "unsubscribes"

    id: Mapped[int] = id_column()
    contact_point_id: Mapped[int] = refers_to("contact_points.id")
    what: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by_id: Mapped[int | None] = refers_to("users.id", nullable=True, index=False)
    lifted_because: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (partial_index("uq_unsubscribes_open", "contact_point_id", "what", where=OPEN, unique=True),)


def stop(tx: Connection, contact_point_id: int, what: What, source: Source, *, now: datetime) -> bool:
    """Write the wish down; False if it stands already. NotFound where the address is gone."""
    if tx.execute(_POINT, {"point": contact_point_id}).first() is None:
        raise NotFound("This link is no longer valid.")
    values = {
        "contact_point_id": contact_point_id,
        "what": what.value,
        "source": source.value,
        "created_at": now,
    }
    return insert_once(tx, Unsubscribe, key=["contact_point_id", "what"], where=OPEN, values=values) is not None


def lift(tx: Connection, unsubscribe_id: int, *, reason: str, user_id: int, now: datetime) -> int:
    """Somebody here sends such mails to the address again, for a reason; returns the contact point."""
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid("Say why: how has the customer asked for it again?")
    values = {"lifted_at": now, "lifted_by_id": user_id, "lifted_because": reason.strip()}
    point: int | None = tx.execute(_LIFT, {"unsubscribe": unsubscribe_id, **values}).scalar_one_or_none()
    if point is None:
        raise Conflict("Somebody has lifted this already.")
    return point


def ledger(tx: Connection, customer_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """What a customer's addresses are and were unsubscribed from, newest first, with who lifted it."""
    return tx.execute(_LEDGER, {"customer": customer_id}).all()


def is_off(customer_id: Any, what: What) -> Any:
    """A condition for statements: any address of this customer is unsubscribed from it."""
    return (
        select(Unsubscribe.id)
        .join(ContactPoint, ContactPoint.id == Unsubscribe.contact_point_id)
        .where(
            ContactPoint.customer_id == customer_id,
            Unsubscribe.what == literal_column(f"'{what.value}'"),
            Unsubscribe.lifted_at.is_(None),
        )
        .exists()
    )


_POINT = select(ContactPoint.id).where(ContactPoint.id == bindparam("point"))
# SET takes whatever columns the parameters name.
_LIFT = (
    update(Unsubscribe)
    .where(Unsubscribe.id == bindparam("unsubscribe", type_=BigInteger()), Unsubscribe.lifted_at.is_(None))
    .returning(Unsubscribe.contact_point_id)
)
_LEDGER = (
    select(Unsubscribe.__table__, ContactPoint.value, User.name.label("person"))
    .join(ContactPoint, ContactPoint.id == Unsubscribe.contact_point_id)
    .outerjoin(User, User.id == Unsubscribe.lifted_by_id)
    .where(ContactPoint.customer_id == bindparam("customer"))
    .order_by(Unsubscribe.id.desc())
    .limit(MOST_ENTRIES)
)
