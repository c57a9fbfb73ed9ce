"""Call logs in the database, on both kinds: once, linked to who is known, silent."""

from typing import Any

from sqlalchemy import Connection, select

from channels.phone.callog import LoggedCall, read_log
from channels.phone.history import store_batch
from channels.phone.lines import Line
from channels.phone.models import Call
from contact_center.core.db import Database
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from routing.models import WorkItem
from tests.channels.phone.test_callog import NOW, TWILIO
from tests.factories import VAULT, make_account, make_user
from tickets import channel_accounts
from tickets.models import JournalItem, Message, Ticket
from tickets.states import Channel

HEAD = "start,from,to,direction,status,duration,agent,name,call id\n"


def logged(text: str) -> list[LoggedCall]:
    return list(read_log(text.encode(), zone=NOW.tzinfo, now=NOW, day=None, own_numbers=frozenset()).calls)  # type: ignore[arg-type]


async def line(db: Database) -> Line:
    def build(tx: Connection) -> Line:
        account_id = make_account(tx, Channel.PHONE)
        return Line(channel_accounts.by_id(tx, VAULT, account_id), "VN", "en", "log")

    return await db.write(build)


async def rows(db: Database, model: Any) -> list[Any]:
    table = model.__table__
    return await db.read(lambda tx: list(tx.execute(select(table).order_by(table.c.id)).all()))


async def test_a_batch_is_stored_once_whatever_it_repeats(db: Database) -> None:
    calls = logged(TWILIO + TWILIO.split("\n", 1)[1])
    of = await line(db)
    first = await db.write(store_batch, of, calls, open_missed=False, now=NOW)
    again = await db.write(store_batch, of, calls, open_missed=False, now=NOW)
    assert (first.taken, first.duplicates) == (3, 3)
    assert (again.taken, again.duplicates) == (0, 6)
    assert len(await rows(db, JournalItem)) == len(await rows(db, Call)) == 3


async def test_history_makes_no_work_and_no_events_that_wake_anybody(db: Database) -> None:
    of = await line(db)
    await db.write(store_batch, of, logged(TWILIO), open_missed=False, now=NOW)
    await Relay(db, HANDLERS).run_once()
    assert await rows(db, WorkItem) == []
    assert [(ticket.status, ticket.waiting_since) for ticket in await rows(db, Ticket)] == [("closed", None)] * 2
    assert [message.delivery for message in await rows(db, Message) if message.kind == "outbound"] == []


async def test_names_agents_and_what_the_exchange_told_already_are_respected(db: Database) -> None:
    of = await line(db)
    user_id = await db.write(lambda tx: make_user(tx, name="Lan Anh"))
    text = HEAD + "2026-11-20 10:00:00,0903123456,100,in,answered,60,lan anh,Bình,c-1\n"
    await db.write(store_batch, of, logged(text), open_missed=False, now=NOW)
    [call] = await rows(db, Call)
    assert (call.user_id, call.number, call.ticket_id is not None) == (user_id, "+84903123456", True)

    def live(tx: Connection) -> None:
        tx.execute(Call.__table__.update().values(external_id="c-1", source="cti"))

    await db.write(live)
    again = await db.write(store_batch, of, logged(text), open_missed=False, now=NOW)
    assert (again.taken, again.duplicates) == (0, 1)
