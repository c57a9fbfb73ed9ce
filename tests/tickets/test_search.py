"""Finding tickets and customers as people type: without marks, in any order, by pieces of addresses."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, select, update

from contact_center.core.db import Database
from contact_center.core.events import Event
from tests.conftest import NOW
from tests.factories import make_account, make_ticket
from tickets import lifecycle, search
from tickets.customers import profiles
from tickets.models import Customer, Ticket
from tickets.states import Channel

MAILS = [
    ("binh.le@shop.vn", "Đổi trả áo khoác"),
    ("jane_x@example.com", "100% refund of order 55123"),
    ("an@shop.vn", "Order late"),
]


def fill(tx: Connection) -> list[int]:
    account = make_account(tx, Channel.EMAIL)
    ids = []
    for number, (sender, subject) in enumerate(MAILS):
        at = NOW + timedelta(minutes=number)
        mail = {"channel": Channel.EMAIL, "sender": sender, "subject": subject}
        ticket = make_ticket(tx, account_id=account, now=at, **mail).ticket_id or 0
        search.on_ticket_created(tx, Event(1, "ticket.created", {"ticket_id": ticket}, at), at)
        ids.append(ticket)
    first = tx.execute(select(Ticket.customer_id).where(Ticket.id == ids[0])).scalar_one()
    profiles.change(tx, first, {"name": "Lê Thị Bình", "company": "Áo Đẹp"}, version=1, user_id=1, now=NOW)
    phone = make_ticket(tx, sender="+84912345678", now=NOW + timedelta(hours=1))
    search.index(tx, phone.ticket_id or 0)
    return [*ids, phone.ticket_id or 0]


@pytest.mark.parametrize(
    ("query", "tickets", "customers"),
    [
        ("doi tra", [0], 0),
        ("trả đổi", [0], 0),
        ("binh thi", [0], 1),
        ("ao dep", [0], 1),
        ("0912 345 678", [3], 1),
        ("345678", [3], 1),
        ("jane_x", [1], 1),
        ("janeXx", [], 0),
        ("100%", [1], 0),
        ("order", [3, 2, 1], 0),
        ("shop.vn", [2, 0], 2),
        ("  ", [], 0),
        ("nobody", [], 0),
    ],
)
async def test_what_people_type_finds_what_they_mean(
    db: Database, query: str, tickets: list[int], customers: int
) -> None:
    ids = await db.write(fill)
    found = await db.read(search.search, query)
    assert [hit.ticket_id for hit in found.tickets] == [ids[number] for number in tickets]
    assert len(found.customers) == customers


async def test_an_exact_number_comes_first(db: Database) -> None:
    ids = await db.write(fill)
    await db.write(
        lambda tx: tx.execute(update(Customer).where(Customer.id == 3).values(search="101 dalmatians")).rowcount
    )
    found = await db.read(search.search, "#101")
    assert [hit.ticket_id for hit in found.tickets] == [ids[1]]
    assert [hit.number for hit in (await db.read(search.search, "101")).tickets] == [101, 102]


async def test_a_new_subject_is_found_by_its_new_words(sqlite_db: Database) -> None:
    ids = await sqlite_db.write(fill)
    await sqlite_db.write(lifecycle.set_fields, ids[0], user_id=None, now=NOW, subject="Voucher")
    event = Event(1, "ticket.updated", {"ticket_id": ids[0], "field": "subject"}, NOW)
    await sqlite_db.write(search.on_ticket_updated, event, NOW)
    assert [hit.ticket_id for hit in (await sqlite_db.read(search.search, "voucher")).tickets] == [ids[0]]
    assert (await sqlite_db.read(search.search, "doi tra")).tickets == ()
