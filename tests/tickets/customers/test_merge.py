"""Merging customers, and taking it back without a trace; history, profile and suggestions around it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from contact_center.core.db import Database
from contact_center.core.errors import Conflict, Invalid, NotFound
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket, make_user
from tickets import intake, replies
from tickets.customers import events, merge, profiles
from tickets.customers.duplicates import Hint
from tickets.customers.suggestions import addresses_in, possible_duplicates
from tickets.customers.timeline import history
from tickets.models import ContactPoint, Customer, Ticket
from tickets.replies import Author
from tickets.states import Channel, ContactKind

DAY = timedelta(days=1)
PHONE, MAIL = "+4915112345678", "jane.smith@example.com"


def two_people(tx: Connection) -> dict[str, int]:
    """Jane writes by SMS and by mail and is two customers."""
    sms, mail = make_account(tx, Channel.SMS), make_account(tx, Channel.EMAIL)
    one = make_ticket(tx, account_id=sms, sender=PHONE, text="Where is it?").ticket_id
    two = make_ticket(
        tx, account_id=mail, channel=Channel.EMAIL, sender=MAIL, text=f"Call {PHONE}", subject="Order", now=NOW + DAY
    ).ticket_id
    owner = {row.id: row.customer_id for row in tx.execute(select(Ticket.id, Ticket.customer_id))}
    assert one
    assert two
    profiles.change(tx, owner[two], {"name": "Jane Smith", "vip": True}, version=1, user_id=1, now=NOW)
    return {"sms": sms, "mail": mail, "kept": owner[one], "merged": owner[two], "agent": make_user(tx)}


def snapshot(tx: Connection) -> dict[str, Any]:
    owners = {
        table.__tablename__: tx.execute(select(table.id, table.customer_id).order_by(table.id)).all()
        for table in (Ticket, ContactPoint, events.CustomerEvent)
    }
    columns = (Customer.id, Customer.name, Customer.vip, Customer.search, Customer.merged_into_id, Customer.attributes)
    return {**owners, "customers": tx.execute(select(*columns).order_by(Customer.id)).all()}


def do_merge(tx: Connection, people: dict[str, int]) -> int:
    return merge.merge(
        tx, people["kept"], people["merged"], user_id=people["agent"], now=NOW + 2 * DAY, evidence=["same_name"]
    )


async def test_a_merge_brings_tickets_addresses_and_orders_together(db: Database) -> None:
    people = await db.write(two_people)
    await db.write(
        events.record, people["merged"], external_id="o1", kind="order", title="Shirt", occurred_at=NOW, now=NOW
    )
    await db.write(do_merge, people)
    found = await db.read(profiles.profile, people["merged"])
    assert (found.id, found.name, found.vip, found.tickets) == (people["kept"], "Jane Smith", True, 2)
    assert [point.value for point in found.points] == [PHONE, MAIL]
    assert len(await db.read(events.events_of, people["kept"])) == 1
    receipt = await db.write(
        intake.receive, inbound(people["mail"], channel=Channel.EMAIL, sender=MAIL), now=NOW + 3 * DAY
    )
    ticket = await db.read(
        lambda tx: tx.execute(select(Ticket.customer_id).where(Ticket.id == receipt.ticket_id)).scalar_one()
    )
    assert ticket == people["kept"]


async def test_undoing_a_merge_restores_everything(db: Database) -> None:
    people = await db.write(two_people)
    await db.write(
        events.record, people["merged"], external_id="o1", kind="order", title="Shirt", occurred_at=NOW, now=NOW
    )
    before = await db.read(snapshot)
    merge_id = await db.write(do_merge, people)
    assert [row.id for row in await db.read(merge.merges_of, people["kept"])] == [merge_id]
    await db.write(merge.undo, merge_id, user_id=people["agent"], now=NOW + 3 * DAY)
    assert await db.read(snapshot) == before
    with pytest.raises(Conflict):
        await db.write(merge.undo, merge_id, user_id=people["agent"], now=NOW)


async def test_what_came_in_between_goes_to_whose_address_it_came_from(db: Database) -> None:
    people = await db.write(two_people)
    merge_id = await db.write(do_merge, people)
    later = await db.write(
        intake.receive, inbound(people["mail"], channel=Channel.EMAIL, sender=MAIL), now=NOW + 3 * DAY
    )
    await db.write(
        profiles.change, people["kept"], {"name": "Jane S. Smith"}, version=2, user_id=people["agent"], now=NOW
    )
    await db.write(merge.undo, merge_id, user_id=people["agent"], now=NOW + 4 * DAY)
    owner = await db.read(
        lambda tx: tx.execute(select(Ticket.customer_id).where(Ticket.id == later.ticket_id)).scalar_one()
    )
    assert owner == people["merged"]
    assert (await db.read(profiles.profile, people["kept"])).name == "Jane S. Smith"


async def test_merging_with_oneself_twice_or_nobody_is_refused(db: Database) -> None:
    people = await db.write(two_people)
    with pytest.raises(Invalid):
        await db.write(merge.merge, people["kept"], people["kept"], user_id=1, now=NOW)
    with pytest.raises(NotFound):
        await db.write(merge.merge, people["kept"], 99_999, user_id=people["agent"], now=NOW)
    await db.write(do_merge, people)
    with pytest.raises(Conflict):
        await db.write(do_merge, people)


async def test_a_duplicate_is_suggested_with_its_evidence(db: Database) -> None:
    people = await db.write(two_people)
    [suggestion] = await db.read(possible_duplicates, people["merged"])
    assert suggestion.customer_id == people["kept"]
    assert [entry.hint for entry in suggestion.evidence] == [Hint.MENTIONED_ADDRESS]
    await db.write(do_merge, people)
    assert await db.read(possible_duplicates, people["kept"]) == []


def test_addresses_are_found_in_what_people_write() -> None:
    text = "Gọi em số 0912 345 678 hoặc an.nguyen@shop.vn nhé. Order 123456789012."
    assert addresses_in([text], region="VN") == {"+84912345678", "an.nguyen@shop.vn"}


async def test_the_history_runs_over_all_channels_in_pages(db: Database) -> None:
    people = await db.write(two_people)
    await db.write(do_merge, people)
    for number in range(5):
        await db.write(
            events.record,
            people["kept"],
            external_id=f"o{number}",
            kind="order",
            title=f"Order {number}",
            occurred_at=NOW + number * timedelta(hours=9),
            now=NOW,
        )
    await db.write(replies.note, 1, "Watch out.", author=Author(people["agent"]), now=NOW + DAY)
    whole = (await db.read(history, people["kept"], limit=50)).lines
    assert [line.at for line in whole] == sorted((line.at for line in whole), reverse=True)
    assert {line.kind for line in whole} == {"order", "inbound", "note"}
    paged, cursor = [], None
    while True:
        page = await db.read(history, people["kept"], cursor=cursor, limit=3)
        paged, cursor = paged + page.lines, page.cursor
        if cursor is None:
            break
    assert paged == whole
    with pytest.raises(Invalid):
        await db.read(history, people["kept"], cursor="nonsense")


async def test_an_address_moves_only_by_merging(db: Database) -> None:
    people = await db.write(two_people)
    with pytest.raises(Conflict):
        await db.write(profiles.add_address, people["kept"], ContactKind.EMAIL, MAIL.upper(), user_id=1, now=NOW)
    added = await db.write(profiles.add_address, people["kept"], ContactKind.PHONE, "0912 345 678", user_id=1, now=NOW)
    await db.write(profiles.remove_address, added, user_id=1, now=NOW)
    [used] = (await db.read(profiles.profile, people["kept"])).points
    with pytest.raises(Conflict):
        await db.write(profiles.remove_address, used.id, user_id=1, now=NOW)


async def test_two_edits_of_one_customer_do_not_overwrite_each_other(sqlite_db: Database) -> None:
    people = await sqlite_db.write(two_people)
    await sqlite_db.write(profiles.change, people["kept"], {"company": "Acme"}, version=1, user_id=1, now=NOW)
    with pytest.raises(Conflict):
        await sqlite_db.write(profiles.change, people["kept"], {"company": "Other"}, version=1, user_id=1, now=NOW)
    with pytest.raises(Invalid):
        await sqlite_db.write(profiles.change, people["kept"], {"external_id": "x"}, version=2, user_id=1, now=NOW)
