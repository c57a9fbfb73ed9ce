"""What a browser is told live is what a reload would show; and what happens around routing."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from channels.chat import ending, lines, lineup, state, visits
from channels.chat.bucket import Bucket
from channels.chat.lines import ReadsRenderer, VisitRenderer, VisitSocket
from channels.chat.parse import Hello, Send
from channels.chat.tokens import Tokens
from channels.chat.visit import Visit
from contact_center.core.bus import Poke
from contact_center.core.db import Database
from contact_center.core.hub import Hub
from routing import handling
from tests.factories import make_user
from tests.routing.desk import Desk
from tickets import lifecycle
from tickets.inbound import StoredFile
from tickets.replies import Author, Reply, note, reply
from tickets.states import Channel, Status

TOKENS = Tokens("tests")
PICTURE = StoredFile("d" * 64, "lid.png", "image/png", 12)


class Silent:
    """A browser that nobody looks at."""

    async def send_bytes(self, data: bytes) -> None: ...

    async def send_text(self, data: str) -> None: ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Few:
    """The services that renderers use."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.hub = Hub({})


class Watch:
    """A visit, a socket on it, and every frame it would get; with and without the writer's values."""

    def __init__(self, db: Database, visit: Visit) -> None:
        self.few = Few(db)
        self.visit = visit
        self.socket = VisitSocket(Silent(), visit, "shop")
        self.few.hub.join(self.socket, lines.topic_of(visit))
        self.render = VisitRenderer(self.few, TOKENS)  # type: ignore[arg-type]
        self.pokes: list[Poke] = []
        db.after_commit = self.pokes.extend

    async def frames(self, *, local: bool = True) -> list[dict[str, Any]]:
        topic = lines.topic_of(self.visit)
        mine = [poke for poke in self.pokes if poke.topic == topic]
        pokes = mine if local else [Poke(poke.topic, poke.data) for poke in mine]
        found = await self.render(topic, pokes, {"en"})
        return [json.loads(frame) for frame in found["en"]]


async def watching(db: Database) -> tuple[Desk, Watch]:
    desk = await Desk.open(db)
    hello = Hello(None, 0, "", "Ann", "", "en", "")
    visit = await db.write(
        visits.open_visit, desk.accounts[Channel.CHAT], hello, locale="en", address="192.0.2.1", now=desk.now
    )
    return desk, Watch(db, visit)


def say(tx: Connection, watch: Watch, text: str, desk: Desk, files: tuple[StoredFile, ...] = ()) -> None:
    inbound = visits.inbound_of(watch.visit, Send(f"client-{text[:8]:_<8}".replace(" ", "_"), text, ()), files)
    watch.visit = visits.take(tx, watch.visit, inbound, now=desk.now).visit


@pytest.mark.parametrize("local", [True, False])
async def test_live_frames_are_what_a_replay_shows(db: Database, local: bool) -> None:
    desk, watch = await watching(db)
    user_id = await db.write(make_user, name="Lan")
    await db.write(say, watch, "Hello", desk, (PICTURE,))
    ticket_id = watch.visit.ticket_id or 0
    await db.write(note, ticket_id, "he is angry", author=Author(user_id), now=desk.now)
    await db.write(reply, ticket_id, Reply("On its way"), author=Author(user_id), now=desk.now)
    await db.write(lifecycle.set_status, ticket_id, Status.PENDING, user_id=user_id, now=desk.now)
    live = [frame for frame in await watch.frames(local=local) if frame["t"] == "message"]
    shown = await db.read(state.after, watch.visit, 0, TOKENS, "shop")
    assert live == [json.loads(lines.frames.message(one)) for one in shown]
    assert [frame["public_seq"] for frame in live] == [1, 2]
    assert live[0]["attachments"][0]["image"] is True
    assert watch.socket.visit.ticket_id == ticket_id


async def test_what_a_late_relay_says_again_is_not_sent_twice(sqlite_db: Database) -> None:
    desk, watch = await watching(sqlite_db)
    await sqlite_db.write(say, watch, "Hello", desk)
    assert [frame["t"] for frame in await watch.frames()] == ["message"]
    watch.pokes[:] = [Poke(poke.topic, {**poke.data, "again": True}) for poke in watch.pokes]
    assert await watch.frames() == []


async def test_a_note_leaves_no_trace_on_the_visit(sqlite_db: Database) -> None:
    desk, watch = await watching(sqlite_db)
    await sqlite_db.write(say, watch, "Hello", desk)
    watch.pokes.clear()
    user_id = await sqlite_db.write(make_user)
    await sqlite_db.write(note, watch.visit.ticket_id or 0, "secret", author=Author(user_id), now=desk.now)
    await sqlite_db.write(lifecycle.tag, watch.visit.ticket_id or 0, ["vip"], user_id=user_id, now=desk.now)
    assert await watch.frames() == []


async def test_reading_is_told_as_the_customers_own_numbers(sqlite_db: Database) -> None:
    desk, watch = await watching(sqlite_db)
    await sqlite_db.write(say, watch, "Hello", desk)
    user_id = await sqlite_db.write(make_user)
    ticket_id = watch.visit.ticket_id or 0
    await sqlite_db.write(note, ticket_id, "secret", author=Author(user_id), now=desk.now)
    await sqlite_db.write(lifecycle.mark_read, ticket_id, user_id, 2)
    topic = f"reads:{ticket_id}"
    pokes = [poke for poke in watch.pokes if poke.topic == topic]
    render = ReadsRenderer(watch.few)  # type: ignore[arg-type]
    assert (await render(topic, pokes, {"en"}))["en"] == [b'{"t":"read","public_seq":1}']


async def test_typing_ends_resumptions_and_lost_pokes_have_their_frames(sqlite_db: Database) -> None:
    _, watch = await watching(sqlite_db)
    topic = lines.topic_of(watch.visit)
    for event in ({"event": "typing", "on": True, "name": "Lan"}, {"event": "visit.resumed"}, {"event": "resync"}):
        watch.pokes.append(Poke(topic, event))
    assert await watch.frames() == [{"t": "typing", "on": True, "name": "Lan"}, {"t": "resync"}, {"t": "resync"}]


async def test_the_place_in_line_goes_when_an_agent_accepts(db: Database) -> None:
    desk, watch = await watching(db)
    await db.write(say, watch, "Hello", desk)
    await desk.relay()
    ticket_id = watch.visit.ticket_id or 0
    place = await db.read(lineup.place_of, ticket_id, now=desk.now)
    assert place is not None
    assert place.position == 1
    user_id = await db.write(make_user, name="Lan")
    watch.pokes.clear()
    await desk.do(handling.assign, ticket_id, user_id, by_user_id=None)
    assert await db.read(lineup.place_of, ticket_id, now=desk.now) is None
    presence = [frame for frame in await watch.frames() if frame["t"] == "presence"]
    assert presence[-1]["agent"] == {"name": "Lan"}


async def test_an_anonymous_visitor_who_leaves_unanswered_has_abandoned(db: Database) -> None:
    desk, watch = await watching(db)
    await db.write(say, watch, "Hello", desk)
    await desk.relay()
    await db.write(ending.line_lost, watch.visit.id, now=desk.now)
    assert await db.write(ending.notice_left, desk.now + timedelta(seconds=61)) == 1
    await desk.relay()
    assert (await desk.ticket(watch.visit.ticket_id or 0)).status == "closed"
    seen = await db.read(state.state_of, watch.visit, None)
    assert (seen.ended, seen.survey_score) == (True, None)


async def test_a_visitor_with_an_address_is_answered_later(db: Database) -> None:
    desk, watch = await watching(db)
    watch.visit = await db.write(visits.set_profile, watch.visit, "Ann", "ann@example.com", now=desk.now)
    await db.write(say, watch, "Hello", desk)
    await desk.relay()
    await db.write(ending.line_lost, watch.visit.id, now=desk.now)
    await db.write(ending.notice_left, desk.now + timedelta(seconds=61))
    await desk.relay()
    ticket_id = watch.visit.ticket_id or 0
    assert (await desk.ticket(ticket_id)).status == "new"
    assert (await desk.item(ticket_id)).pool == "deferred"
    assert await db.read(lineup.place_of, ticket_id, now=desk.now) is None


async def test_the_end_of_the_contact_ends_the_conversation(db: Database) -> None:
    desk, watch = await watching(db)
    await db.write(say, watch, "Hello", desk)
    await desk.relay()
    ticket_id = watch.visit.ticket_id or 0
    user_id = await desk.agent()
    await desk.do(handling.assign, ticket_id, user_id, by_user_id=None)
    assert await db.write(ending.end_by_customer, watch.visit, now=desk.now)
    await desk.relay()
    assert (await desk.item(ticket_id)).state in ("wrapping", "completed")
    assert (await desk.ticket(ticket_id)).status == "open"
    assert (await db.read(state.state_of, watch.visit, None)).ended


def test_a_line_may_write_in_bursts_but_not_for_ever() -> None:
    bucket = Bucket(3, 1)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.take(1.0)
    assert not bucket.take(1.5)


@pytest.mark.parametrize("local", [True, False])
async def test_an_agents_file_reaches_the_customer(db: Database, local: bool) -> None:
    desk, watch = await watching(db)
    await db.write(say, watch, "Hello", desk)
    agent = await db.write(make_user, name="Lan Nguyen")
    bill = StoredFile("a" * 64, "bill.pdf", "application/pdf", 9)
    answer = Reply("", attachments=(bill,))
    await db.write(reply, watch.visit.ticket_id or 0, answer, author=Author(agent), now=desk.now)
    frame = [one for one in await watch.frames(local=local) if one["t"] == "message"][-1]
    [attached] = frame["attachments"]
    assert (attached["name"], attached["image"]) == ("bill.pdf", False)
    assert attached["url"].startswith("/widget/shop/files/")
