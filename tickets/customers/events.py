"""What other systems tell about a customer: orders, payments, deliveries. Idempotent by the system's own id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Index, Numeric, Row, select
from sqlalchemy.orm import Mapped, mapped_column

from contact_center.core.errors import Invalid
from contact_center.core.events import emit
from contact_center.core.schema import Base, clean_json, id_column
from contact_center.core.upsert import insert_once
from tickets.models import refers_to

LONGEST_ID = 200
LONGEST_TEXT = 500
MOST_DATA = 50


class CustomerEvent(Base):
    """One thing in another system, as it was told last."""

    __tablename__ = "customer_events"

    id: Mapped[int] = id_column()
    customer_id: Mapped[int] = refers_to("customers.id", index=False)
    external_id: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    title: Mapped[str]
    state: Mapped[str]
    amount: Mapped[Decimal | None] = mapped_column(Numeric(18, 4))
    currency: Mapped[str]
    url: Mapped[str]
    data: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]

    __table_args__ = (Index("ix_customer_events_customer", "customer_id", "kind", "occurred_at", "id"),)


class Outcome(StrEnum):
    """What became of a told thing."""

    CREATED = "created"
    UPDATED = "updated"
    # We know it in this or a newer form: telling it again changes nothing.
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Told:
    """A thing as another system tells it; `occurred_at` is when it came to be in this state."""

    external_id: str
    kind: str
    title: str
    occurred_at: datetime
    state: str = ""
    amount: Decimal | None = None
    currency: str = ""
    url: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def record(
    tx: Connection,
    customer_id: int,
    *,
    external_id: str,
    kind: str,
    title: str,
    occurred_at: datetime,
    now: datetime,
    state: str = "",
    amount: Decimal | str | int | None = None,
    currency: str = "",
    url: str = "",
    data: Mapping[str, Any] | None = None,
) -> Outcome:
    """Keep a thing of a customer; the newest `occurred_at` wins, whatever the order of arrival. Raises Invalid."""
    told = Told(external_id, kind, title, occurred_at, state, _amount(amount), currency, url, data or {})
    _check(told)
    values = {
        "customer_id": customer_id,
        "external_id": external_id,
        "kind": kind,
        "title": title.strip(),
        "state": state,
        "amount": told.amount,
        "currency": currency.upper(),
        "url": url,
        "data": clean_json(dict(told.data)),
        "occurred_at": occurred_at,
        "received_at": now,
    }
    created = insert_once(tx, CustomerEvent, key=["external_id"], values=values) is not None
    if not created:
        table = CustomerEvent.__table__
        newer = table.update().where(  # type: ignore[attr-defined]
            CustomerEvent.external_id == external_id, CustomerEvent.occurred_at < occurred_at
        )
        if tx.execute(newer.values(**values)).rowcount == 0:
            return Outcome.KNOWN
    emit(
        tx,
        "customer.event_recorded",
        {"customer_id": customer_id, "external_id": external_id, "kind": kind, "state": state},
        now=now,
        topics=[f"customer:{customer_id}"],
    )
    return Outcome.CREATED if created else Outcome.UPDATED


def events_of(tx: Connection, customer_id: int, *, kind: str | None = None, limit: int = 20) -> Sequence[Row[Any]]:
    """A customer's things, newest first: all columns of `CustomerEvent`. The orders panel asks for kind "order"."""
    statement = select(CustomerEvent.__table__).where(CustomerEvent.customer_id == customer_id)
    if kind is not None:
        statement = statement.where(CustomerEvent.kind == kind)
    return tx.execute(statement.order_by(CustomerEvent.occurred_at.desc(), CustomerEvent.id.desc()).limit(limit)).all()


def _amount(value: Decimal | str | int | None) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        amount = Decimal(value)
    except (InvalidOperation, ValueError) as error:
        raise Invalid("An amount is a number such as 129.90.", field="amount") from error
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 14:
        raise Invalid("An amount is a number such as 129.90.", field="amount")
    return amount


def _check(told: Told) -> None:
    if not told.external_id.strip() or len(told.external_id) > LONGEST_ID:
        raise Invalid("external_id names the thing in 1 to {most} characters.", field="external_id", most=LONGEST_ID)
    if not told.kind.replace("_", "").isalnum() or not told.kind.isascii() or len(told.kind) > 40:
        raise Invalid("kind is one word, such as order.", field="kind")
    if not told.title.strip() or len(told.title) > LONGEST_TEXT or len(told.state) > LONGEST_TEXT:
        raise Invalid("title says what it is in 1 to {most} characters.", field="title", most=LONGEST_TEXT)
    if told.amount is not None and not (len(told.currency) == 3 and told.currency.isalpha()):
        raise Invalid("An amount needs its currency, such as VND or EUR.", field="currency")
    if told.url and not told.url.startswith(("https://", "http://")):
        raise Invalid("url is an http or https address.", field="url")
    if len(told.data) > MOST_DATA:
        raise Invalid("data holds at most {most} values.", field="data", most=MOST_DATA)
