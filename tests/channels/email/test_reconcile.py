"""A real Dovecot compared with what was taken from it: in the box, taken, missing and why; taking it once."""

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, delete, update
from typer.testing import CliRunner, Result

from channels.email import reconcile
from channels.email.models import MailboxCursor
from channels.email.reconcile import State
from channels.email.reconciler import Reconciler
from contact_center.cli import app
from contact_center.core.clock import utcnow
from contact_center.tables import METADATA
from tests.channels.desk import Desk
from tests.channels.email.letters import deliver as hand_in
from tests.channels.email.letters import letter
from tests.channels.email.servers import CutLine, Dovecot, dovecot_server
from tests.channels.email.test_beginning import connected, deliver, watch
from tests.channels.email.test_imap import take_everything
from tests.conftest import NOW
from tickets import channel_accounts
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount, JournalItem, Message, Ticket

pytestmark = pytest.mark.dovecot


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with dovecot_server(port) as found:
        yield found


async def account_of(desk: Desk) -> Account:
    row = (await desk.rows(ChannelAccount))[0]
    return await desk.db.read(channel_accounts.by_id, desk.services.vault, row.id)


async def compare(desk: Desk, *, takes: bool = False) -> dict[str, Any]:
    """One comparison as the worker makes it."""
    account = await account_of(desk)
    assert await desk.db.write(reconcile.ask, account.id, takes=takes, by=None, now=utcnow())
    loop = Reconciler(desk.services)
    while await loop.run_once():
        pass
    row = await desk.db.read(reconcile.report_of, account.id)
    assert row is not None
    return reconcile.as_dict(row, account.name)


def why(report: dict[str, Any]) -> dict[str, list[str]]:
    """reason -> the subjects of its mails."""
    found: dict[str, list[str]] = {}
    for mail in report["mails"]:
        found.setdefault(mail["why"], []).append(mail["subject"])
    return found


async def test_each_mail_of_the_box_is_taken_or_missing_with_its_reason(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    deliver(dovecot, "old", days_ago=9, subject="Before us")
    await connected(sqlite_desk, dovecot, "new")
    await watch_once(sqlite_desk)
    deliver(dovecot, "hello", subject="Taken")
    deliver(dovecot, "I am away", subject="Out of office", auto_submitted="auto-replied")
    deliver(dovecot, "no sender", subject="Broken", **{"from": None})  # type: ignore[arg-type]
    await watch(sqlite_desk, journal=3)
    deliver(dovecot, "just now", subject="Not read yet")

    report = await compare(sqlite_desk)

    assert (report["in_the_box"], report["taken"], report["missing"]) == (5, 1, 4)
    assert why(report) == {
        "before": ["Before us"],
        "suppressed": ["Out of office"],
        "quarantined": ["Broken"],
        "unread": ["Not read yet"],
    }
    before = next(mail for mail in report["mails"] if mail["why"] == "before")
    assert before["from"] == "anna@example.test"
    assert before["date"]
    assert all(mail["journal_id"] for mail in report["mails"] if mail["why"] in ("suppressed", "quarantined"))


async def test_what_is_missing_is_taken_once_and_the_past_as_silent_history(
    sqlite_desk: Desk, dovecot: Dovecot
) -> None:
    deliver(dovecot, "old", days_ago=9)
    await connected(sqlite_desk, dovecot, "new")
    await watch_once(sqlite_desk)
    deliver(dovecot, "passed over")
    # As if the server had once listed nothing there.
    await sqlite_desk.db.write(passed_over, 2)
    assert set(why(await compare(sqlite_desk))) == {"before", "lost"}
    assert await sqlite_desk.count(JournalItem) == 0

    first = await compare(sqlite_desk, takes=True)
    await take_everything(sqlite_desk)
    second = await compare(sqlite_desk, takes=True)
    await take_everything(sqlite_desk)

    assert (first["handed_in"], first["missing"], second["handed_in"]) == (2, 0, 0)
    assert (second["taken"], second["missing"]) == (2, 0)
    states = {row.text: status for row, status in await messages(sqlite_desk)}
    assert states == {"old": "closed", "passed over": "new"}


async def test_a_mail_that_came_by_another_way_is_not_missing(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    raw = letter("once", message_id="<same@example.test>")
    dovecot.deliver(raw)
    # The same Message-ID from somebody else is another mail.
    dovecot.deliver(letter("forged", message_id="<same@example.test>", **{"from": "mallory@evil.test"}))
    await connected(sqlite_desk, dovecot, "history")
    await hand_in(sqlite_desk, await account_of(sqlite_desk), raw)

    report = await compare(sqlite_desk)

    assert (report["taken"], report["missing"]) == (1, 1)
    assert [mail["from"] for mail in report["mails"]] == ["mallory@evil.test"]


async def test_a_mail_whose_message_was_deleted_is_never_taken_again(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    deliver(dovecot, "forget me")
    await connected(sqlite_desk, dovecot, "history")
    await watch(sqlite_desk, journal=1)
    await sqlite_desk.db.write(erase)

    assert list(why(await compare(sqlite_desk, takes=True))) == ["deleted"]
    # UIDs dealt anew: every mail is looked at as if it were new.
    dovecot.new_uidvalidity()
    await watch(sqlite_desk, journal=2)
    report = await compare(sqlite_desk, takes=True)
    await take_everything(sqlite_desk)

    assert list(why(report)) == ["deleted"]
    assert report["handed_in"] == 0
    assert [await sqlite_desk.count(model) for model in (Ticket, Message)] == [0, 0]
    assert [row.state for row in await sqlite_desk.rows(JournalItem)] == ["accepted", "duplicate"]


async def test_one_comparison_runs_at_a_time_and_a_dead_one_begins_anew(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    await connected(sqlite_desk, dovecot, "new")
    account = await account_of(sqlite_desk)
    asked = [await sqlite_desk.db.write(reconcile.ask, account.id, takes=True, by=None, now=NOW) for _ in range(2)]
    assert asked == [True, False]
    claimed = await sqlite_desk.db.write(reconcile.claim, now=NOW)
    assert claimed is not None
    assert await sqlite_desk.db.write(reconcile.claim, now=NOW) is None
    assert not await sqlite_desk.db.write(reconcile.ask, account.id, takes=False, by=None, now=NOW)

    later = NOW + 2 * reconcile.LEASE
    again = await sqlite_desk.db.write(reconcile.claim, now=later)

    assert again is not None
    assert again.takes


async def test_a_mailbox_that_cannot_be_read_says_why(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    await connected(sqlite_desk, dovecot, "new", port=1)

    report = await compare(sqlite_desk)

    assert report["state"] == State.FAILED.value
    assert "refused" in report["error"]


async def test_a_line_that_breaks_is_taken_up_where_it_was(sqlite_desk: Desk, dovecot: Dovecot) -> None:
    for index in range(60):
        dovecot.deliver(letter(f"mail {index} " + "x" * 400))
    async with CutLine(dovecot.port, seed=3, least=20_000, most=60_000) as line:
        await connected(sqlite_desk, dovecot, "history", port=line.port)
        report = await compare(sqlite_desk, takes=True)
        while report["state"] == State.FAILED.value:
            report = await compare(sqlite_desk, takes=True)
        assert line.cuts
    await take_everything(sqlite_desk)

    assert (report["in_the_box"], report["taken"], report["missing"]) == (60, 60, 0)
    assert await sqlite_desk.count(Message) == 60


async def watch_once(desk: Desk) -> None:
    """The first look at a folder of which nothing is taken."""
    account = await account_of(desk)
    await compare(desk)
    rows = await desk.rows(MailboxCursor)
    assert [row.channel_account_id for row in rows] == [account.id]
    assert rows[0].begun_at


def passed_over(tx: Connection, last_uid: int) -> None:
    read = MailboxCursor.begun_uidvalidity
    tx.execute(update(MailboxCursor).values(last_uid=last_uid, uidvalidity=read))


def erase(tx: Connection) -> None:
    """Delete every ticket with all that hangs on it; the journal and its fingerprints stay."""
    gone = {"tickets"}
    for table in METADATA.sorted_tables:
        if any(key.column.table.name in gone for key in table.foreign_keys):
            gone.add(table.name)
    assert not gone & {"journal", "mail_prints"}
    tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    for table in reversed(METADATA.sorted_tables):
        if table.name in gone:
            tx.execute(delete(table))


async def messages(desk: Desk) -> list[Any]:
    status = {row.id: row.status for row in await desk.rows(Ticket)}
    return [(row, status[row.ticket_id]) for row in await desk.rows(Message) if row.kind == "inbound"]


async def test_the_command_compares_and_takes(
    sqlite_desk: Desk, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sqlite_desk.services.settings
    deliver(dovecot, "hello", subject="Hello")
    await connected(sqlite_desk, dovecot, "history")
    name = (await account_of(sqlite_desk)).name
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("CONTACT_CENTER_DATA_DIR", str(settings.data_dir))

    async def run(*arguments: str) -> Result:
        given = ["email", "reconcile", *arguments]
        return await asyncio.to_thread(CliRunner().invoke, app, given)

    seen = await run("--account", name)
    taken = await run("--account", "support@shop.test", "--take", "--json")
    nobody = await run("--account", "nobody")

    assert seen.exit_code == 0, seen.output
    assert "before" in seen.stdout
    report = json.loads(taken.stdout)
    assert (report["handed_in"], report["taken"], report["missing"]) == (1, 1, 0)
    assert await sqlite_desk.count(JournalItem) == 1
    assert nobody.exit_code == 2
