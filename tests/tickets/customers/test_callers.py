"""Who may be calling: the evidence, the choice of a person, its undo, and "nobody of these"."""

import pytest
from sqlalchemy import Connection, insert, select, update

from contact_center.accounts.models import AuditEntry
from contact_center.core.db import Database, open_database
from contact_center.core.errors import Conflict
from tests.agent_ui.console import statements
from tests.conftest import NOW
from tests.factories import make_account, make_ticket, make_user
from tickets.customers import callers, contacts, events, merge
from tickets.customers.caller_index import INDEXES, NEWEST
from tickets.customers.caller_match import Evidence, Place, Sign, Trace, candidates
from tickets.customers.wrong_person import not_this_person
from tickets.inbound import Address
from tickets.models import ContactPoint, Customer, Ticket
from tickets.states import Channel, ContactKind

NUMBER = "+84912345678"


def person(tx: Connection, name: str, *, phone: str = "", note: str = "") -> int:
    """A customer with a mail address, and a number if any."""
    address = Address(ContactKind.EMAIL, f"{name.lower()}@example.com", name)
    customer_id = contacts.find_or_create(tx, address, now=NOW).customer_id
    if phone:
        contacts.add(tx, customer_id, Address(ContactKind.PHONE, phone), now=NOW)
    search = contacts.search_text(name, phone)
    tx.execute(update(Customer).where(Customer.id == customer_id).values(note=note, search=search))
    return customer_id


def called(tx: Connection) -> tuple[int, int]:
    """(ticket, agent): a number that nobody has calls."""
    account_id = make_account(tx, Channel.PHONE)
    ticket_id = make_ticket(tx, account_id=account_id, channel=Channel.PHONE, sender=NUMBER).ticket_id
    return ticket_id, make_user(tx)


def signs(tx: Connection, ticket_id: int) -> dict[str, list[Sign]]:
    found = callers.caller(tx, ticket_id, region="VN")
    return {one.name: [evidence.sign for evidence in one.evidence] for one in found.maybe} if found else {}


def owner(tx: Connection, ticket_id: int) -> tuple[int, int]:
    """Whose the ticket and whose its number is."""
    return tuple(  # type: ignore[return-value]
        tx.execute(
            select(Ticket.customer_id, ContactPoint.customer_id)
            .join(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
            .where(Ticket.id == ticket_id)
        ).one()
    )


def test_the_strongest_evidence_comes_first_and_three_are_named() -> None:
    found = candidates(
        NUMBER,
        [
            Trace(1, "End", Place.ADDRESS, "+84282345678"),
            Trace(2, "Note", Place.TEXT, "call 0912 345 678 after six"),
            Trace(3, "Form", Place.ADDRESS, "+1912345678"),
            Trace(4, "Before", Place.TICKET, "Before"),
            Trace(3, "Form", Place.TEXT, "0912.345.678"),
        ],
        region="VN",
    )
    assert [one.name for one in found] == ["Before", "Form", "Note"]
    assert found[1].evidence == (Evidence(Sign.OTHER_FORM, "+1912345678"), Evidence(Sign.WRITTEN))


@pytest.mark.parametrize(
    "trace",
    [
        Trace(1, "Other", Place.ADDRESS, "+84912345679"),
        Trace(1, "Short", Place.ADDRESS, "5678"),
        Trace(1, "Longer", Place.TEXT, "order 10912345678999"),
        Trace(1, "Apart", Place.TEXT, "2 shirts, 3 trousers, 45 euros, 678"),
    ],
)
def test_what_only_looks_like_the_number_is_no_evidence(trace: Trace) -> None:
    assert candidates(NUMBER, [trace], region="VN") == []


async def test_an_unknown_number_is_looked_for_everywhere_in_two_statements(db: Database) -> None:
    def world(tx: Connection) -> int:
        person(tx, "Mai", phone="+1912345678")
        person(tx, "Lan", note="Máy bàn hỏng, gọi 0912.345.678")
        buyer = person(tx, "Hoa")
        data = {"phone": "0912 345 678"}
        events.record(tx, buyer, external_id="o1", kind="order", title="Shirt", occurred_at=NOW, now=NOW, data=data)
        person(tx, "Nobody", phone="+84912345600", note="1 2 3 4 5 6 7 8")
        return called(tx)[0]

    ticket_id = await db.write(world)
    with statements() as seen:
        found = await db.read(signs, ticket_id)
    assert found == {"Mai": [Sign.OTHER_FORM], "Hoa": [Sign.WRITTEN], "Lan": [Sign.WRITTEN]}
    assert len(seen) == 2


async def test_the_chosen_one_gets_number_and_conversation_and_it_can_be_undone(db: Database) -> None:
    def world(tx: Connection) -> tuple[int, int, int]:
        return person(tx, "Mai", phone="+1912345678"), *called(tx)

    mai, ticket_id, agent = await db.write(world)
    before = await db.read(owner, ticket_id)
    assert await db.write(callers.attach, ticket_id, mai, region="VN", user_id=agent, now=NOW) == "Mai"
    assert await db.read(owner, ticket_id) == (mai, mai)
    assert await db.read(signs, ticket_id) == {}
    actions = await db.read(lambda tx: list(tx.execute(select(AuditEntry.action)).scalars()))
    assert "caller.known" in actions
    [row] = await db.read(merge.merges_of, mai)
    assert row.evidence == ["other_form"]
    await db.write(merge.undo, row.id, user_id=agent, now=NOW)
    assert await db.read(owner, ticket_id) == before


async def test_nobody_but_those_shown_can_be_chosen(db: Database) -> None:
    def world(tx: Connection) -> tuple[int, int, int]:
        return person(tx, "Mai", phone="+84911111111"), *called(tx)

    mai, ticket_id, agent = await db.write(world)
    before = await db.read(owner, ticket_id)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await db.write(callers.attach, ticket_id, mai, region="VN", user_id=agent, now=NOW)
    assert await db.read(owner, ticket_id) == before


async def test_a_number_of_two_people_is_asked_about_and_changes_hands(db: Database) -> None:
    def world(tx: Connection) -> tuple[int, int, int, int]:
        """Mai had the number, then it was Lan's, who calls."""
        account_id = make_account(tx)
        old = make_ticket(tx, account_id=account_id, sender=NUMBER).ticket_id
        mai = owner(tx, old)[0]
        tx.execute(update(Ticket).where(Ticket.id == old).values(status="closed", thread_key=None))
        tx.execute(update(Customer).where(Customer.id == mai).values(name="Mai"))
        new = make_ticket(tx, account_id=account_id, sender=NUMBER).ticket_id
        agent = make_user(tx)
        lan = not_this_person(tx, new, user_id=agent, now=NOW)
        tx.execute(update(Customer).where(Customer.id == lan).values(name="Lan"))
        return mai, lan, new, agent

    mai, lan, ticket_id, agent = await db.write(world)
    assert await db.read(signs, ticket_id) == {"Mai": [Sign.USED_BEFORE]}
    assert await db.read(owner, ticket_id) == (lan, lan)
    await db.write(callers.attach, ticket_id, mai, region="VN", user_id=agent, now=NOW)
    assert await db.read(owner, ticket_id) == (mai, mai)
    # What stood between them and the number is over, and Lan is still a customer of her own.
    found = await db.read(lambda tx: tx.execute(select(ContactPoint.suppressed_reason)).scalars().all())
    assert list(found) == [None]
    merged = await db.read(lambda tx: tx.execute(select(Customer.merged_into_id).where(Customer.id == lan)).scalar())
    assert merged is None


async def test_an_opt_out_stays_with_the_number(db: Database) -> None:
    def world(tx: Connection) -> tuple[int, int, int]:
        mai = person(tx, "Mai", phone="+1912345678")
        ticket_id, agent = called(tx)
        point = tx.execute(select(ContactPoint.id).where(ContactPoint.value == NUMBER)).scalar_one()
        contacts.suppress(tx, point, "opted out", now=NOW)
        return mai, ticket_id, agent

    mai, ticket_id, agent = await db.write(world)
    await db.write(callers.attach, ticket_id, mai, region="VN", user_id=agent, now=NOW)
    reasons = await db.read(lambda tx: set(tx.execute(select(ContactPoint.suppressed_reason)).scalars()))
    assert "opted out" in reasons


async def test_nobody_of_these_ends_the_question_for_this_conversation(db: Database) -> None:
    def world(tx: Connection) -> tuple[int, int, int]:
        return person(tx, "Mai", phone="+1912345678"), *called(tx)

    mai, ticket_id, agent = await db.write(world)
    for _ in range(2):
        await db.write(callers.dismiss, ticket_id, user_id=agent, now=NOW)
    assert await db.read(signs, ticket_id) == {}
    actions = await db.read(lambda tx: list(tx.execute(select(AuditEntry.action)).scalars()))
    assert actions.count("caller.unknown") == 1
    with pytest.raises(Conflict):
        await db.write(callers.attach, ticket_id, mai, region="VN", user_id=agent, now=NOW)


async def test_whose_number_is_certain_is_not_asked_about(db: Database) -> None:
    def world(tx: Connection) -> int:
        person(tx, "Mai", phone="+1912345678")
        person(tx, "Lan", phone=NUMBER)
        return called(tx)[0]

    assert await db.read(signs, await db.write(world)) == {}


MANY_CUSTOMERS = """INSERT INTO customers (name, search, company, vip, note, attributes, created_at, listed_at, version)
SELECT 'C' || i, '', '', false, 'ring 09' || lpad((i * 7919 % 100000000)::text, 8, '0'), '{}', now(), now(), 1
FROM generate_series(1, 3000) i"""
MANY_EVENTS = """INSERT INTO customer_events
(customer_id, external_id, kind, title, state, currency, url, data, occurred_at, received_at)
SELECT id, 'o-' || id, 'order', 'Order ' || id, '', '', '',
jsonb_build_object('phone', '+849' || lpad((id * 104729 % 100000000)::text, 8, '0')), now(), now() FROM customers"""


@pytest.mark.postgres
async def test_notes_and_orders_are_found_by_an_index_on_postgresql(postgres_url: str) -> None:
    database = open_database(postgres_url)
    asked = {"me": 1, "point": 1, "end": "%2345678%", "spaced": "%2%3%4%5%6%7%8%"}

    def explain(tx: Connection) -> str:
        wanted = callers.TRACES[True].params(asked)
        statement = str(wanted.compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True})).replace("%%", "%")
        # Enough of them that looking through all by another index is dearer.
        tx.exec_driver_sql(MANY_CUSTOMERS)
        tx.exec_driver_sql(MANY_EVENTS)
        for table, (index, _) in INDEXES.items():
            tx.exec_driver_sql(f"SELECT gin_clean_pending_list('{index}')")
            tx.exec_driver_sql(f"ANALYZE {table}")
        tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return "\n".join(row[0] for row in tx.exec_driver_sql(f"EXPLAIN {statement}"))

    plan = await database.write(explain)
    await database.close()
    assert "Bitmap Index Scan on ix_customers_note_digits" in plan
    assert "Bitmap Index Scan on ix_customer_events_digits" in plan


async def test_only_the_newest_are_looked_through_on_sqlite(sqlite_db: Database) -> None:
    ticket_id, _ = await sqlite_db.write(called)
    noted = await sqlite_db.write(person, "Trang", note="Her new number is 0912 345 678")
    assert list(await sqlite_db.read(signs, ticket_id)) == ["Trang"]
    later = {"id": noted + NEWEST, "name": "Later", "search": "", "attributes": {}, "created_at": NOW}
    await sqlite_db.write(lambda tx: tx.execute(insert(Customer).values(**later)))
    assert await sqlite_db.read(signs, ticket_id) == {}
