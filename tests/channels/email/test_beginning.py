"""How a mailbox begins, on a real Dovecot: what lay there before is passed over or becomes silent history."""

import email.utils
import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from channels.email.imap import Mailboxes
from channels.email.mailbox import arrival
from channels.email.models import MailboxCursor
from channels.models import DeliveryAttempt
from contact_center.core.clock import utcnow
from contact_center.core.events import EventRow
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from routing.models import QueueEntry, WorkItem
from tests.channels.desk import Desk
from tests.channels.email.letters import letter, mailbox
from tests.channels.email.servers import Dovecot, dovecot_server
from tests.channels.email.test_imap import journaled, take_everything, until
from tickets.models import JournalItem, Message, Ticket
from tickets.quality.models import Survey
from tickets.search import TicketText
from tickets.sla_models import SlaClock


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with dovecot_server(port) as found:
        yield found


def deliver(dovecot: Dovecot, text: str, *, days_ago: float = 0, **headers: str) -> None:
    """Put a mail into the Maildir as if it had come some days ago: the file's time is its INTERNALDATE."""
    at = time.time() - days_ago * 86_400
    before = set((dovecot.folder / "mail" / "new").iterdir())
    dovecot.deliver(letter(text, date=email.utils.formatdate(at), **headers))
    for path in set((dovecot.folder / "mail" / "new").iterdir()) - before:
        os.utime(path, (at, at))


async def watch(desk: Desk, *, journal: int) -> None:
    """One process that reads the mailbox until so much is journaled, and everything that reacts to it."""
    mailboxes = Mailboxes(desk.services)
    await mailboxes.run_once()
    await journaled(desk, journal)
    await mailboxes.close()
    await take_everything(desk)
    relay = Relay(desk.db, HANDLERS)
    while await relay.run_once():
        pass


async def connected(desk: Desk, dovecot: Dovecot, start: str, **more: Any) -> None:
    settings = dovecot.settings()
    settings["imap"] |= {"start": start, **more}
    await mailbox(desk, settings=settings, secrets=dovecot.secrets)


async def begun(desk: Desk) -> bool:
    """Whether somebody has looked into the folder."""
    return any(row.begun_at for row in await desk.rows(MailboxCursor))


def texts(rows: list[Any]) -> list[str]:
    return [row.text for row in rows if row.kind == "inbound"]


@pytest.mark.dovecot
async def test_the_past_is_closed_tickets_of_their_own_day_and_nothing_reacts(
    sqlite_desk: Desk, dovecot: Dovecot
) -> None:
    deliver(dovecot, "asked", days_ago=400, message_id="<a@example.test>")
    deliver(dovecot, "asked again", days_ago=399, message_id="<b@example.test>", in_reply_to="<a@example.test>")
    deliver(dovecot, "out of office", days_ago=3, auto_submitted="auto-replied", subject="Out of office")
    await connected(sqlite_desk, dovecot, "history")

    await watch(sqlite_desk, journal=3)

    ticket = (await sqlite_desk.rows(Ticket))[0]
    assert texts(await sqlite_desk.rows(Message)) == ["asked", "asked again"]
    assert (ticket.status, ticket.seq, ticket.waiting_since, ticket.sla_due_at) == ("closed", 2, None, None)
    assert utcnow() - ticket.created_at > timedelta(days=399)
    for quiet in (DeliveryAttempt, WorkItem, QueueEntry, SlaClock, Survey):
        assert await sqlite_desk.count(quiet) == 0, quiet.__tablename__
    names = {row.name for row in await sqlite_desk.rows(EventRow)}
    assert not names & {"ticket.created", "message.created"}
    # Found by search all the same.
    assert await sqlite_desk.count(TicketText) == 1
    states = [(row.state, row.history) for row in await sqlite_desk.rows(JournalItem)]
    assert states == [("accepted", True), ("accepted", True), ("suppressed", True)]


@pytest.mark.dovecot
async def test_what_comes_afterwards_is_work_and_follows_the_past(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    deliver(dovecot, "asked", days_ago=30, message_id="<a@example.test>")
    await connected(sqlite_desk, dovecot, "history")
    await watch(sqlite_desk, journal=1)

    deliver(dovecot, "still broken", message_id="<b@example.test>", in_reply_to="<a@example.test>")
    await watch(sqlite_desk, journal=2)

    past, live = await sqlite_desk.rows(Ticket)
    assert (past.status, live.status) == ("closed", "new")
    assert live.follows_up_id == past.id
    assert live.waiting_since is not None


@pytest.mark.dovecot
async def test_only_the_last_days_are_taken(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    deliver(dovecot, "long ago", days_ago=40)
    deliver(dovecot, "nearly", days_ago=7.1)
    deliver(dovecot, "this week", days_ago=2)
    await connected(sqlite_desk, dovecot, "days", days=7)

    await watch(sqlite_desk, journal=1)
    deliver(dovecot, "now")
    await watch(sqlite_desk, journal=2)

    assert texts(await sqlite_desk.rows(Message)) == ["this week", "now"]
    assert [row.status for row in await sqlite_desk.rows(Ticket)] == ["closed", "new"]


@pytest.mark.dovecot
@pytest.mark.parametrize("start", ["new", "history"])
async def test_uids_that_are_dealt_anew_make_no_work_of_the_past(
    sqlite_desk: Desk, dovecot: Dovecot, start: str
) -> None:
    deliver(dovecot, "before us", days_ago=5)
    await connected(sqlite_desk, dovecot, start)
    mailboxes = Mailboxes(sqlite_desk.services)
    await mailboxes.run_once()

    await until(partial(begun, sqlite_desk))
    deliver(dovecot, "ours")
    taken = 1 if start == "new" else 2
    await journaled(sqlite_desk, taken)
    await mailboxes.close()
    await take_everything(sqlite_desk)

    dovecot.new_uidvalidity()
    await watch(sqlite_desk, journal=2 * taken)

    statuses = [row.status for row in await sqlite_desk.rows(Ticket)]
    assert statuses == (["new"] if start == "new" else ["closed", "new"])


@pytest.mark.dovecot
async def test_an_old_mail_that_somebody_moves_into_the_folder_is_work(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    deliver(dovecot, "before us", days_ago=5)
    await connected(sqlite_desk, dovecot, "days", days=1)
    mailboxes = Mailboxes(sqlite_desk.services)
    await mailboxes.run_once()
    await until(partial(begun, sqlite_desk))
    deliver(dovecot, "now")
    await journaled(sqlite_desk, 1)
    deliver(dovecot, "moved here", days_ago=50)
    await journaled(sqlite_desk, 2)
    await mailboxes.close()
    await take_everything(sqlite_desk)

    assert texts(await sqlite_desk.rows(Message)) == ["now", "moved here"]
    assert {row.status for row in await sqlite_desk.rows(Ticket)} == {"new"}


def test_the_time_of_arrival_is_read_in_any_zone() -> None:
    line = b'1 (UID 5 RFC822.SIZE 100 INTERNALDATE "02-Nov-2026 16:00:00 +0700")'
    assert arrival(line) == datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
    assert arrival(b"1 (UID 5 RFC822.SIZE 100)") is None
