"""What is asked before a chat: numbers read by region, choices that lead to a queue, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection, insert, select

from channels.chat import asking, mailing, visits
from channels.chat.asking import Choice, choices_from, phone_of, regions_of
from channels.chat.parse import OfflineMessage
from contact_center.core.db import Database
from contact_center.core.errors import Invalid
from tests.channels.chat.story import hello, say
from tests.conftest import NOW
from tests.factories import make_account, make_queue
from tickets import topics
from tickets.models import Calendar, ContactPoint, Queue, Ticket
from tickets.states import Channel


@pytest.mark.parametrize(
    ("accept", "raw", "number"),
    [
        ("vi-VN,vi;q=0.9,en-US;q=0.8", "0912 345 678", "+84912345678"),
        ("en-US,en;q=0.9", "0912 345 678", "+84912345678"),
        ("en-US,en;q=0.9", "(415) 555-2671", "+14155552671"),
        ("de", "0151 23456789", "+4915123456789"),
        ("", "+44 7911 123456", "+447911123456"),
    ],
)
def test_a_number_is_read_by_the_visitors_region_and_then_by_ours(accept: str, raw: str, number: str) -> None:
    assert phone_of(raw, regions_of(accept, "VN")) == number


@pytest.mark.parametrize("raw", ["12345678", "anonymous", "", "call me"])
def test_what_nobody_can_dial_is_refused(raw: str) -> None:
    with pytest.raises(Invalid):
        phone_of(raw, regions_of("vi-VN, *;q=0.1, xx-YY", "VN"))


def test_stored_choices_that_are_damaged_are_left_out() -> None:
    good = {"id": 1, "queue_id": 2, "topic_id": None, "names": {"en": "Orders", "vi": ""}}
    assert choices_from([good, {"id": 2}, {**good, "names": {"en": ""}}, "x"]) == (
        Choice(1, 2, None, {"en": "Orders"}),
    )
    assert choices_from(None) == ()
    assert choices_from([good])[0].name("vi") == "Orders"


async def test_choices_of_a_queue_that_is_gone_are_not_offered_and_each_has_its_own_hours(db: Database) -> None:
    def story(tx: Connection) -> list[tuple[int, bool]]:
        never = {"zone": "UTC", "week": {"sun": [["03:00", "03:01"]]}}
        row = {"name": "Never", "definition": never}
        calendar_id = tx.execute(insert(Calendar).returning(Calendar.id), row).scalar_one()
        always, closed, gone = make_queue(tx), make_queue(tx, calendar_id=calendar_id), make_queue(tx, active=False)
        wanted = [Choice(n, queue, None, {"en": "x"}) for n, queue in enumerate((always, closed, gone), 1)]
        return [(one.id, one.hours.open) for one in asking.offered(tx, wanted, now=NOW)]

    assert await db.write(story) == [(1, True), (2, False)]


async def test_a_chosen_matter_waits_in_its_own_queue_under_its_topic_and_the_number_is_known(db: Database) -> None:
    def story(tx: Connection) -> None:
        account_id, queue_id = make_account(tx, Channel.CHAT), make_queue(tx, "Invoices")
        topic_id = topics.create(tx, "Refund", now=NOW)
        asked = replace(hello(), phone="+84912345678")
        choice = Choice(1, queue_id, topic_id, {"en": "Invoices"})
        visit = visits.open_visit(tx, account_id, asked, locale="en", address="192.0.2.1", now=NOW, choice=choice)
        again = visits.find(tx, visit.id, account_id)
        assert again == visit
        for number in range(2):
            visit = say(tx, visit, "Hello", f"client-{number:02}").visit

    await db.write(story)
    query = select(Queue.name, Ticket.topic_id).join(Ticket, Ticket.queue_id == Queue.id)
    found = await db.read(lambda tx: tx.execute(query).all())
    assert [(row.name, row.topic_id is not None) for row in found] == [("Invoices", True)]
    numbers = select(ContactPoint.value, ContactPoint.verified_at).where(ContactPoint.kind == "phone")
    assert [tuple(row) for row in await db.read(lambda tx: tx.execute(numbers).all())] == [("+84912345678", None)]


async def test_a_number_without_its_country_or_of_somebody_else_is_not_taken(db: Database) -> None:
    def story(tx: Connection) -> list[int]:
        account_id = make_account(tx, Channel.CHAT)
        numbers = {"192.0.2.1": "0912345678", "192.0.2.2": "+84912345678", "192.0.2.3": "+84912345678"}
        for address, phone in numbers.items():
            asked = replace(hello(), phone=phone)
            visits.open_visit(tx, account_id, asked, locale="en", address=address, now=NOW)
        return list(tx.execute(select(ContactPoint.id).where(ContactPoint.kind == "phone")).scalars())

    assert len(await db.write(story)) == 1


async def test_a_mail_written_in_closed_hours_goes_to_the_chosen_queue_with_its_number(db: Database) -> None:
    def story(tx: Connection) -> tuple[int, int, int | None]:
        account_id, queue_id, own = make_account(tx, Channel.CHAT), make_queue(tx), make_queue(tx)
        form = OfflineMessage("client-01", "", "Ann", "ann@example.com", "Please", "en", "", "", 0, "+84912345678", 1)
        choice = Choice(1, own, topics.create(tx, "Refund", now=NOW), {"en": "x"})
        given = {"locale": "en", "address": "192.0.2.1", "now": NOW, "choice": choice}
        mailing.take_offline(tx, account_id, queue_id, form, **given)
        row = tx.execute(select(Ticket.queue_id, Ticket.topic_id)).one()
        assert row.topic_id == choice.topic_id
        return own, row.queue_id, tx.execute(select(ContactPoint.id).where(ContactPoint.kind == "phone")).scalar()

    own, queue_id, phone = await db.write(story)
    assert (queue_id, phone is not None) == (own, True)
