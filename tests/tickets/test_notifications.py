"""What happened to a person is told once, collected while unread, and gone when it was seen."""

from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection

from contact_center.core.db import Database
from contact_center.core.relay import relay_batch
from contact_center.wiring import HANDLERS
from tests.conftest import NOW
from tests.factories import inbound, make_account, make_ticket, make_user
from tickets import assignments, intake, lifecycle, notifications, replies
from tickets.notifications import What, mentioned
from tickets.replies import Author
from tickets.states import AssignmentReason, Channel


async def relay(db: Database) -> None:
    while await db.write(relay_batch, HANDLERS, NOW):
        pass


async def told(db: Database, user_id: int) -> list[tuple[str, int]]:
    await relay(db)
    rows = await db.read(notifications.recent, user_id)
    return [(row.what, row.messages) for row in rows if row.read_at is None]


async def owned(db: Database, channel: Channel = Channel.EMAIL, **assigned: Any) -> tuple[int, int, int]:
    """(account, ticket, its owner)"""

    def make(tx: Connection) -> tuple[int, int, int]:
        account_id, user_id = make_account(tx, channel), make_user(tx, name="Lan Pham")
        ticket_id = make_ticket(tx, account_id=account_id, channel=channel, thread_key="t1").ticket_id
        assert ticket_id is not None
        given = {"reason": AssignmentReason.TAKEN, "now": NOW, **assigned}
        assignments.assign(tx, ticket_id, user_id, **given)
        return account_id, ticket_id, user_id

    return await db.write(make)


async def customer_writes(db: Database, account_id: int, channel: Channel, **more: Any) -> None:
    given = {"channel": channel, "sender": "c@example.com", "thread_key": "t1", **more}
    await db.write(lambda tx: intake.receive(tx, inbound(account_id, **given), now=NOW))


async def test_work_that_somebody_gives_is_told_and_work_one_takes_is_not(db: Database) -> None:
    boss = await db.write(make_user)
    _, _, given = await owned(db, reason=AssignmentReason.ASSIGNED, by_user_id=boss)
    assert await told(db, given) == [(What.ASSIGNED, 1)]


async def test_taking_work_tells_oneself_nothing(sqlite_db: Database) -> None:
    _, _, taker = await owned(sqlite_db)
    assert await told(sqlite_db, taker) == []


async def test_who_loses_a_ticket_hears_of_it(sqlite_db: Database) -> None:
    _, ticket_id, loser = await owned(sqlite_db)
    other = await sqlite_db.write(make_user)
    await sqlite_db.write(assignments.assign, ticket_id, other, reason=AssignmentReason.TAKEN, now=NOW)
    assert await told(sqlite_db, loser) == [(What.REASSIGNED, 1)]
    await sqlite_db.write(assignments.unassign, ticket_id, end_reason="offline", now=NOW)
    assert await told(sqlite_db, other) == [(What.REASSIGNED, 1)]


async def test_giving_ones_own_work_back_is_no_news(sqlite_db: Database) -> None:
    _, ticket_id, owner = await owned(sqlite_db)
    await sqlite_db.write(assignments.unassign, ticket_id, end_reason="transferred", now=NOW, by_user_id=owner)
    assert await told(sqlite_db, owner) == []


async def test_a_customers_messages_are_one_line_until_they_are_read(db: Database) -> None:
    account_id, ticket_id, owner = await owned(db, Channel.SMS)
    for _ in range(3):
        await customer_writes(db, account_id, Channel.SMS)
        await relay(db)
    assert await told(db, owner) == [(What.REPLIED, 3)]
    await db.write(notifications.mark_read, owner, now=NOW, ticket_id=ticket_id)
    assert await told(db, owner) == []
    await customer_writes(db, account_id, Channel.SMS)
    assert await told(db, owner) == [(What.REPLIED, 1)]


async def test_what_was_on_the_screen_already_is_no_news(sqlite_db: Database) -> None:
    account_id, ticket_id, owner = await owned(sqlite_db, Channel.SMS)
    await customer_writes(sqlite_db, account_id, Channel.SMS)
    await sqlite_db.write(lifecycle.mark_read, ticket_id, owner, 100)
    assert await told(sqlite_db, owner) == []


async def test_a_live_chat_rings_nobody(sqlite_db: Database) -> None:
    account_id, _, owner = await owned(sqlite_db, Channel.CHAT)
    await customer_writes(sqlite_db, account_id, Channel.CHAT)
    assert await told(sqlite_db, owner) == []


async def test_a_note_that_names_a_colleague_tells_them(sqlite_db: Database) -> None:
    _, ticket_id, owner = await owned(sqlite_db)
    mai = await sqlite_db.write(lambda tx: make_user(tx, name="Mai Tran"))
    text = "Can @mai tran look? mail@mai.vn and @Lan Pham know."
    await sqlite_db.write(replies.note, ticket_id, text, author=Author(owner), now=NOW)
    assert await told(sqlite_db, mai) == [(What.MENTIONED, 1)]
    assert await told(sqlite_db, owner) == []


class Person(NamedTuple):
    id: int
    name: str


def test_a_first_name_calls_somebody_only_if_nobody_else_has_it() -> None:
    people = [Person(1, "Anna Berg"), Person(2, "Anna Lind"), Person(3, "Minh Tran")]
    assert mentioned("@anna please, @minh too", people) == [3]
    assert mentioned("@Anna Lind, please", people) == [2]
    assert mentioned("me@minh.vn is no mention, nor is @minhly", people) == []


def test_accents_may_be_left_out_of_a_mention_where_that_leaves_one_person() -> None:
    people = [Person(1, "Nguyễn Thảo"), Person(2, "Đỗ Mai"), Person(3, "Trần Mãi"), Person(4, "Trân Mai")]
    assert mentioned("@nguyen thao and @do mai, please", people) == [1, 2]
    assert mentioned("@Nguyễn Thảo", people) == [1]
    assert mentioned("@tran mai", people) == [], "two are called so without accents"
    assert mentioned("@trần mãi", people) == [3]


async def test_old_notifications_are_forgotten(sqlite_db: Database) -> None:
    boss = await sqlite_db.write(make_user)
    await owned(sqlite_db, reason=AssignmentReason.ASSIGNED, by_user_id=boss)
    await relay(sqlite_db)
    assert await sqlite_db.write(notifications.purge, NOW + timedelta(days=59)) == 0
    assert await sqlite_db.write(notifications.purge, NOW + timedelta(days=61)) == 1
