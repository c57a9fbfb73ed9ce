"""`contact-center check`: what it says of the set-up and of a running installation, and that it changes nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from contact_center import check, running
from contact_center.accounts.permissions import Role
from contact_center.core.db import Database
from contact_center.core.events import EventRow, HandlerFailure, emit
from contact_center.core.settings import Settings
from routing import presence, profiles
from routing.states import Presence
from tests.conftest import NOW
from tests.factories import make_account, make_queue, make_ticket, make_user
from tickets import channel_accounts, inbox
from tickets.inbox import RawItem
from tickets.models import Queue
from tickets.states import Channel

LATER = NOW + timedelta(minutes=5)


async def said(db: Database, now: Any = LATER) -> str:
    return " ".join(finding.what() for finding in await db.read(running.look, now))


def furnished(tx: Connection) -> int:
    """An administrator, a queue and the agent who serves it."""
    make_user(tx, role=Role.ADMIN)
    queue_id = make_queue(tx, "Orders")
    profiles.set_row(tx, make_user(tx), queue_id, now=NOW)
    tx.execute(update(EventRow).values(dispatched_at=NOW))
    return queue_id


async def test_a_healthy_installation_gets_one_good_line(db: Database) -> None:
    await db.write(furnished)
    [finding] = await db.read(running.look, LATER)
    assert finding.level == "ok"


async def test_an_empty_installation_says_what_to_do_first(sqlite_db: Database) -> None:
    await sqlite_db.write(make_queue, "Orders")
    text = await said(sqlite_db, NOW)
    assert "There is no administrator." in text
    assert "Nobody serves these queues: Orders." in text
    await sqlite_db.write(lambda tx: tx.execute(update(Queue).values(active=False)))
    assert "Nobody serves" not in await said(sqlite_db, NOW)


async def test_what_waits_and_what_failed_is_counted(db: Database) -> None:
    def fail(tx: Connection) -> None:
        account_id = make_account(tx, Channel.EMAIL, queue_id=furnished(tx), name="Support")
        channel_accounts.report(tx, account_id, now=NOW, error="LOGIN failed")
        inbox.store(tx, RawItem(Channel.EMAIL, account_id, "x-1"), now=NOW)
        inbox.quarantine(tx, RawItem(Channel.EMAIL, account_id, "x-2"), "KeyError", now=NOW)
        emit(tx, "thing.happened", {}, now=NOW)
        event_id = tx.execute(select(EventRow.id).limit(1)).scalar_one()
        values = {"event_id": event_id, "handler": "x.y", "attempts": 10, "error": "E", "due_at": NOW, "dead_at": NOW}
        tx.execute(insert(HandlerFailure), values)

    await db.write(fail)
    text = await said(db)
    assert "Support does not work: LOGIN failed" in text
    assert "Events that have waited" in text
    assert "waited to be taken for more than 60 s: 1." in text
    assert "Inbound items in quarantine: 1." in text
    assert "given up after their last attempt: 1." in text
    assert "have waited" not in await said(db, NOW)


async def test_a_broken_promise_of_routing_is_named(sqlite_db: Database) -> None:
    def idle(tx: Connection) -> None:
        queue_id = furnished(tx)
        user_id = make_user(tx)
        profiles.set_row(tx, user_id, queue_id, now=NOW)
        presence.set_presence(tx, user_id, Presence.AVAILABLE, now=NOW)
        make_ticket(tx, account_id=make_account(tx, queue_id=queue_id))

    await sqlite_db.write(idle)
    assert "A promise" not in await said(sqlite_db, NOW)
    # Nobody relays: the customer waits, and no work item brings the matter to the agent.
    assert "A promise of routing is broken: lost_or_doubled (1)." in await said(sqlite_db)


def test_looking_at_a_database_that_is_not_there_makes_none(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "var", port=1)
    found = {finding.level: finding for finding in check.findings(settings)}
    assert "does not exist yet" in found["error"].what()
    assert found["error"].fix() == "Run: contact-center migrate"
    assert list(tmp_path.iterdir()) == []


def test_production_wants_a_key_and_https(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, production=True, public_url="http://support.test", port=1)
    wrong = [finding.what() for finding in check.findings(settings) if finding.level == "error"]
    assert any("secret key" in what for what in wrong)
    assert any("https" in what for what in wrong)
