"""Mailboxes over real IMAP: Dovecot on loopback, cut lines, a new UIDVALIDITY."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from agent_ui.pages.admin_mail_test import last_test
from channels.email import loopback
from channels.email.imap import Mailboxes
from channels.email.intake_loop import MailIntake
from channels.email.mailbox import Mailbox
from channels.email.models import MailboxCursor
from contact_center.core.clock import utcnow
from tests.channels.desk import Desk
from tests.channels.email.letters import letter, mailbox
from tests.channels.email.servers import CutLine, Dovecot, dovecot_server, other_server
from tickets.models import ChannelAccount, JournalItem, Message

pytestmark = pytest.mark.dovecot


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with dovecot_server(port) as found:
        yield found


@pytest.fixture
async def mailboxes(sqlite_desk: Desk) -> AsyncIterator[Mailboxes]:
    found = Mailboxes(sqlite_desk.services)
    yield found
    await found.close()


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait for an async condition."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def journaled(desk: Desk, number: int) -> None:
    async def there() -> bool:
        return await desk.count(JournalItem) >= number

    await until(there)


async def take_everything(desk: Desk) -> None:
    intake = MailIntake(desk.services)
    while await intake.run_once():
        pass
    await intake.close()


async def test_what_lies_there_and_what_arrives_is_taken(
    sqlite_desk: Desk, dovecot: Dovecot, mailboxes: Mailboxes
) -> None:
    dovecot.deliver(letter("first"))
    await mailbox(sqlite_desk, settings=dovecot.settings(), secrets=dovecot.secrets)

    await mailboxes.run_once()
    await journaled(sqlite_desk, 1)
    dovecot.deliver(letter("second"))
    # Nobody polls in these 20 seconds: IDLE tells.
    await journaled(sqlite_desk, 2)
    await take_everything(sqlite_desk)

    assert [row.text for row in await sqlite_desk.rows(Message)] == ["first", "second"]
    cursor = (await sqlite_desk.rows(MailboxCursor))[0]
    assert cursor.last_uid == 2


async def test_a_test_mail_goes_round_through_a_real_mailbox(
    sqlite_desk: Desk, dovecot: Dovecot, mailboxes: Mailboxes
) -> None:
    async with other_server() as other:
        settings = {**dovecot.settings(), "smtp": {"host": "127.0.0.1", "port": other.port, "security": "none"}}
        account = await mailbox(sqlite_desk, settings=settings, secrets=dovecot.secrets)
        await loopback.send(sqlite_desk.services, account, by=None, locale="en")
    waiting = await sqlite_desk.db.read(last_test, account, "en", now=utcnow())
    assert waiting is not None
    assert waiting.waiting

    dovecot.deliver(other.mails[0][2])
    dovecot.deliver(letter("a customer's"))
    await mailboxes.run_once()
    await journaled(sqlite_desk, 2)
    await take_everything(sqlite_desk)

    done = await sqlite_desk.db.read(last_test, account, "en", now=utcnow())
    assert done is not None
    assert (done.tone, done.waiting) == ("ok", False)
    assert "It came back after" in done.sentence
    assert [row.text for row in await sqlite_desk.rows(Message)] == ["a customer's"]


async def test_an_outage_loses_nothing_and_a_new_uidvalidity_doubles_nothing(
    sqlite_desk: Desk, dovecot: Dovecot
) -> None:
    await mailbox(sqlite_desk, settings=dovecot.settings(), secrets=dovecot.secrets)
    dovecot.deliver(letter("before"))
    first = Mailboxes(sqlite_desk.services)
    await first.run_once()
    await journaled(sqlite_desk, 1)
    await first.close()

    dovecot.deliver(letter("during"))
    dovecot.new_uidvalidity()
    second = Mailboxes(sqlite_desk.services)
    await second.run_once()
    await journaled(sqlite_desk, 3)
    await second.close()
    await take_everything(sqlite_desk)

    assert sorted(row.text for row in await sqlite_desk.rows(Message)) == ["before", "during"]
    assert sorted(row.state for row in await sqlite_desk.rows(JournalItem)) == ["accepted", "accepted", "duplicate"]


async def test_a_mailbox_that_cannot_be_reached_says_so_and_stops_no_other(
    sqlite_desk: Desk, dovecot: Dovecot, mailboxes: Mailboxes
) -> None:
    wrong = {"imap": {"user": "shop", "password": "wrong"}}
    await mailbox(sqlite_desk, address="b@shop.test", settings=dovecot.settings(), secrets=wrong)
    await mailbox(sqlite_desk, settings=dovecot.settings(), secrets=dovecot.secrets)
    dovecot.deliver(letter("hello"))

    await mailboxes.run_once()
    await journaled(sqlite_desk, 1)

    async def reported() -> bool:
        return any(row.last_error for row in await sqlite_desk.rows(ChannelAccount))

    await until(reported)
    errors = {row.address: row.last_error for row in await sqlite_desk.rows(ChannelAccount)}
    assert errors["support@shop.test"] is None
    assert "uthenticat" in errors["b@shop.test"]


async def test_two_processes_share_the_mailboxes_without_reading_one_twice(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    await mailbox(sqlite_desk, settings=dovecot.settings(), secrets=dovecot.secrets)
    one, two = Mailboxes(sqlite_desk.services), Mailboxes(sqlite_desk.services)

    await one.run_once()
    await two.run_once()

    assert len(await sqlite_desk.rows(MailboxCursor)) == 1
    assert (len(one._watchers), len(two._watchers)) == (1, 0)
    await one.close()
    await two.run_once()
    assert len(two._watchers) == 1
    await two.close()


async def test_mails_deleted_meanwhile_and_large_ones_skip_nobody(dovecot: Dovecot) -> None:
    large = letter("large " + "x" * (9 * 1024 * 1024))
    for raw in (large, letter("gone"), large, letter("last")):
        dovecot.deliver(raw)
    box = Mailbox(dovecot.settings()["imap"], dovecot.secrets["imap"])
    uids = box.new_uids(0)
    box.close()
    next((dovecot.folder / "mail").glob("*/*M000002*")).unlink()
    box = Mailbox(dovecot.settings()["imap"], dovecot.secrets["imap"])

    seen, cursor = [], 0
    while uids:
        found, cursor = box.fetch(uids)
        seen += [mail.uid for mail in found]
        uids = [uid for uid in uids if uid > cursor]
    box.close()

    assert (seen, cursor) == ([1, 3, 4], 4)


async def cut_run(desk: Desk, dovecot: Dovecot, number: int, *, seed: int, seconds: float) -> CutLine:
    """Deliver `number` mails while the line to the mailbox breaks again and again."""
    async with CutLine(dovecot.port, seed=seed) as line:
        await mailbox(desk, settings=dovecot.settings(line.port), secrets=dovecot.secrets)
        watching = Mailboxes(desk.services, pauses=(0.01, 0.05))
        await watching.run_once()
        for index in range(number):
            dovecot.deliver(letter(f"mail {index} " + "x" * 200, message_id=f"<m{index}@example.test>"))
            if index % 50 == 0:
                await asyncio.sleep(0.01)

        async def there() -> bool:
            return await desk.count(JournalItem) >= number

        await until(there, seconds)
        await watching.close()
    await take_everything(desk)
    return line


async def test_cut_lines_take_every_mail_exactly_once(sqlite_desk: Desk, dovecot: Dovecot) -> None:

    line = await cut_run(sqlite_desk, dovecot, 200, seed=7, seconds=60)

    texts = sorted(int(row.text.split()[1]) for row in await sqlite_desk.rows(Message))
    assert texts == list(range(200))
    assert line.cuts >= 3


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
async def test_ten_thousand_mails_over_cut_lines(sqlite_desk: Desk, dovecot: Dovecot, seed: int) -> None:

    line = await cut_run(sqlite_desk, dovecot, 10_000, seed=seed, seconds=900)

    texts = sorted(int(row.text.split()[1]) for row in await sqlite_desk.rows(Message))
    assert texts == list(range(10_000))
    assert line.cuts >= 50
