"""What goes on without anybody writing, and messages that come back from quarantine."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from channels.chat import lines, visits
from channels.chat.lines import VisitSocket
from channels.chat.models import ChatVisit
from channels.chat.parse import Hello, Send
from channels.chat.tokens import Tokens, Upload
from channels.chat.upkeep import Upkeep
from channels.chat.visit import Visit
from contact_center.core.db import Database
from contact_center.core.hub import Hub
from contact_center.core.secrets import Vault
from tests.conftest import NOW
from tests.routing.desk import Desk
from tickets import inbox
from tickets.models import Attachment, JournalItem, Message
from tickets.states import Channel


class Silent:
    """A browser that nobody looks at."""

    async def send_bytes(self, data: bytes) -> None: ...

    async def send_text(self, data: str) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


@dataclass
class Few:
    """The services that upkeep uses."""

    db: Database
    vault: Vault
    hub: Hub


def open_visit(tx: Connection, account_id: int) -> Visit:
    hello = Hello(None, 0, "", "Ann", "", "en", "")
    return visits.open_visit(tx, account_id, hello, locale="en", address="192.0.2.1", now=NOW)


def say(tx: Connection, visit: Visit) -> Visit:
    return visits.take(tx, visit, visits.inbound_of(visit, Send("client-01", "Hello", ()), []), now=NOW).visit


class Telling:
    """A browser that keeps what it gets."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    async def send_text(self, data: str) -> None:
        self.told.append(json.loads(data))

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


async def test_a_quarantined_message_is_taken_again_once_with_its_files(db: Database, vault: Vault) -> None:
    desk = await Desk.open(db)
    visit = await db.write(open_visit, desk.accounts[Channel.CHAT])
    file = Tokens.of(vault).upload_id(visit.id, Upload("d" * 64, "lid.png", "image/png", 3, 1, 1))
    item = visits.raw_item(visit, Send("client-01", "Hello", (file,)))
    item_id = await db.write(inbox.quarantine, item, "a defect of ours", now=NOW)
    assert item_id is not None
    await db.write(inbox.retry, item_id, now=NOW)
    upkeep = Upkeep(Few(db, vault, Hub({})))  # type: ignore[arg-type]
    await upkeep.sweep()
    await upkeep.sweep()
    rows = await db.read(lambda tx: tx.execute(select(Message.text, Attachment.filename).join(Attachment)).all())
    assert [tuple(row) for row in rows] == [("Hello", "lid.png")]
    state = await db.read(lambda tx: tx.execute(select(JournalItem.state)).scalar_one())
    assert state == "accepted"
    # The browser sends it again all the same if its ack was lost: still one message.
    taken = await db.write(visits.take, visit, visits.inbound_of(visit, Send("client-01", "Hello", ()), []), now=NOW)
    assert taken.public_seq == 1


async def test_leases_are_renewed_for_the_lines_that_are_open_here(sqlite_db: Database, vault: Vault) -> None:
    desk = await Desk.open(sqlite_db)
    visit = await sqlite_db.write(open_visit, desk.accounts[Channel.CHAT])
    hub = Hub({})
    upkeep = Upkeep(Few(sqlite_db, vault, hub))  # type: ignore[arg-type]

    def until(tx: Connection) -> Any:
        return tx.execute(select(ChatVisit.online_until)).scalar_one()

    before = await sqlite_db.read(until)
    await upkeep.renew()
    assert await sqlite_db.read(until) == before
    hub.join(VisitSocket(Silent(), visit, "shop"), lines.topic_of(visit))
    await sqlite_db.write(lambda tx: tx.execute(update(ChatVisit).values(left_at=NOW)) and None)
    await upkeep.renew()
    assert await sqlite_db.read(until) > before
    assert await sqlite_db.read(lambda tx: tx.execute(select(ChatVisit.left_at)).scalar_one()) is None


async def test_those_who_wait_hear_their_place_when_it_changes(sqlite_db: Database, vault: Vault) -> None:
    desk = await Desk.open(sqlite_db)
    visit = await sqlite_db.write(open_visit, desk.accounts[Channel.CHAT])
    ahead = await desk.writes(Channel.CHAT)
    visit = await sqlite_db.write(say, visit)
    await desk.relay()
    hub = Hub({})
    browser = Telling()
    socket = VisitSocket(browser, visit, "shop")
    socket.waiting = True
    hub.join(socket, lines.topic_of(visit))
    upkeep = Upkeep(Few(sqlite_db, vault, hub))  # type: ignore[arg-type]
    await upkeep.places()
    await upkeep.places()
    first, browser.told = browser.told, []
    assert [(frame["t"], frame["position"]) for frame in first] in ([("queue", 1)], [("queue", 2)])
    assert ahead.ticket_id is not None
    socket.waiting = False
    await upkeep.places()
    assert browser.told == []
