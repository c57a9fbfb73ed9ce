"""Events from a shop: told twice counts once, told late does not win, and nobody is merged on the way."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Invalid
from tests.conftest import NOW
from tickets.customers import events
from tickets.customers.events import Outcome
from tickets.customers.recognise import Person, recognise
from tickets.models import ContactPoint, Customer
from tickets.states import ContactKind

EMAIL, PHONE = ContactKind.EMAIL, ContactKind.PHONE
ORDER = {"external_id": "order-1", "kind": "order", "title": "2 shirts", "now": NOW}


def person(tx: Connection, external_id: str | None = "C1", *points: tuple[ContactKind, str], name: str = "") -> int:
    return recognise(tx, Person(external_id, points, name), now=NOW).customer_id


async def test_an_order_is_kept_once_and_changes_with_its_state(db: Database) -> None:
    customer = await db.write(person)
    placed = {**ORDER, "state": "placed", "amount": "129.90", "currency": "eur", "occurred_at": NOW}
    shipped = {**placed, "state": "shipped", "occurred_at": NOW + timedelta(days=1)}
    outcomes = [await db.write(events.record, customer, **told) for told in (placed, placed, shipped, placed)]
    assert outcomes == [Outcome.CREATED, Outcome.KNOWN, Outcome.UPDATED, Outcome.KNOWN]
    [row] = await db.read(events.events_of, customer, kind="order")
    assert (row.state, row.amount, row.currency) == ("shipped", Decimal("129.90"), "EUR")
    assert await db.read(events.events_of, customer, kind="payment") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"external_id": " "},
        {"kind": "two words"},
        {"title": ""},
        {"amount": "12,5"},
        {"amount": "NaN", "currency": "EUR"},
        {"amount": 5},
        {"url": "javascript:alert(1)"},
    ],
)
async def test_a_malformed_event_is_refused(sqlite_db: Database, wrong: dict[str, object]) -> None:
    customer = await sqlite_db.write(person)
    with pytest.raises(Invalid):
        await sqlite_db.write(lambda tx: events.record(tx, customer, **{**ORDER, "occurred_at": NOW, **wrong}))


async def test_the_shops_id_goes_before_any_address(db: Database) -> None:
    first = await db.write(person, "C1", (EMAIL, "a@x.vn"))
    assert await db.write(person, "C1", (EMAIL, "new@x.vn")) == first
    assert await db.write(person, None, (EMAIL, "new@x.vn")) == first


async def test_an_id_is_given_to_the_customer_we_know_by_address(db: Database) -> None:
    known = await db.write(person, None, (PHONE, "+84912345678"))
    assert await db.write(person, "C1", (PHONE, "+84912345678")) == known
    assert await db.write(person, "C1") == known


async def test_two_shop_accounts_with_one_address_stay_two_people(db: Database) -> None:
    first = await db.write(person, "C1", (EMAIL, "family@x.vn"))
    found = await db.write(lambda tx: recognise(tx, Person("C2", ((EMAIL, "family@x.vn"),)), now=NOW))
    assert found.customer_id != first
    assert found.taken == ("family@x.vn",)
    owner = await db.read(lambda tx: tx.execute(select(ContactPoint.customer_id)).scalar_one())
    assert owner == first


async def test_a_given_name_replaces_a_makeshift_one_only(db: Database) -> None:
    customer = await db.write(person, None, (PHONE, "+84912345678"))
    await db.write(person, None, (PHONE, "+84912345678"), name="Lê Bình")
    await db.write(person, None, (PHONE, "+84912345678"), name="Somebody Else")
    row = await db.read(
        lambda tx: tx.execute(select(Customer.name, Customer.search).where(Customer.id == customer)).one()
    )
    assert row.name == "Lê Bình"
    assert row.search == "le binh +84912345678"


async def test_nobody_is_no_customer(sqlite_db: Database) -> None:
    with pytest.raises(Invalid):
        await sqlite_db.write(person, None)
