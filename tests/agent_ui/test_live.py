"""The live side: what a poke becomes, resume after a seq, whom a socket serves, and revoked logins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, select

from agent_ui import fragments
from agent_ui.live_ticket import TicketRenderer
from contact_center.accounts import sessions
from contact_center.accounts.permissions import Role
from contact_center.accounts.web import COOKIE
from contact_center.core.bus import Poke
from contact_center.core.clock import utcnow
from contact_center.core.sockets import REVOKED_CODE
from routing.models import AgentConnection
from tests.agent_ui.console import BASE, Console, Seat
from tests.agent_ui.test_ticket import add_notes, make_mail
from tests.conftest import NOW
from tests.factories import inbound, make_account
from tickets import intake, lifecycle, replies
from tickets.inbound import StoredFile
from tickets.models import Message
from tickets.replies import Author, Reply
from tickets.states import Channel
from tickets.timeline import add_files


class Line:
    """A browser's end of a WebSocket, spoken to in ASGI messages."""

    def __init__(self) -> None:
        self.inward: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outward: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, **message: Any) -> None:
        await self.inward.put({"type": "websocket.receive", "text": orjson.dumps(message).decode()})

    async def next(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind; others are passed over."""
        while True:
            message = await asyncio.wait_for(self.outward.get(), 5)
            if message["type"] == "websocket.close":
                return {"type": "close", "code": message["code"]}
            if message["type"] == "websocket.send":
                frame: dict[str, Any] = orjson.loads(message["text"])
                if frame["type"] == kind:
                    return frame


@asynccontextmanager
async def connected(console: Console, token: str, origin: str = BASE) -> AsyncIterator[Line]:
    line = Line()
    headers = [(b"host", b"console.test"), (b"origin", origin.encode()), (b"cookie", f"{COOKIE}={token}".encode())]
    scope = {"type": "websocket", "path": "/ws", "raw_path": b"/ws", "query_string": b"", "headers": headers}
    scope |= {"scheme": "ws", "server": ("console.test", 80), "client": ("127.0.0.1", 1), "subprotocols": []}
    scope |= {"state": {}, "root_path": "", "asgi": {"version": "3.0"}, "extensions": {}}
    await line.inward.put({"type": "websocket.connect"})
    task = asyncio.create_task(console.app(scope, line.inward.get, line.outward.put))
    yield line
    await line.inward.put({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(task, 5)


def html(frame: dict[str, Any], to: str) -> str:
    return "".join(part["html"] for part in frame["parts"] if part["to"] == to)


@pytest.fixture
async def seat(console: Console) -> Seat:
    return await console.sit(name="Anna Bergstrom")


async def test_a_new_message_reaches_who_looks(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    async with connected(console, seat.token) as line:
        await line.send(type="join", topics={f"ticket:{ticket_id}": 1})
        await line.next("joined")
        await console.write(replies.note, ticket_id, "Carrier called", author=Author(seat.user_id), now=utcnow())
        frame = await line.next("fragments")
        assert "Carrier called" in html(frame, "timeline")
        assert (frame["after"], frame["seq"]) == (1, 2)


async def test_what_was_missed_comes_after_the_last_seq(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    await console.write(add_notes, ticket_id, seat.user_id, 5)
    async with connected(console, seat.token) as line:
        await line.send(type="join", topics={f"ticket:{ticket_id}": 3})
        frame = await line.next("fragments")
        assert [f"note {n}" in html(frame, "timeline") for n in range(5)] == [False, False, True, True, True]
        assert (await line.next("joined"))["seq"] == 6


async def test_live_entries_are_the_first_pages_entries(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    await console.write(lifecycle.tag, ticket_id, ["vip"], user_id=seat.user_id, now=utcnow())
    await console.write(replies.reply, ticket_id, Reply("Hello"), author=Author(seat.user_id), now=utcnow())
    page = await seat.page(f"/tickets/{ticket_id + 99}")
    [made, _] = await fragments.replay(console.services, f"ticket:{ticket_id}", 0, "en:agent")
    for entry in html(orjson.loads(made), "timeline").split("<div class=")[1:]:
        assert entry.strip() in page.text


async def test_a_delivery_state_is_replaced_in_place(console: Console, seat: Seat) -> None:
    ticket_id = await console.write(make_mail)
    sent = await console.write(replies.reply, ticket_id, Reply("Hello"), author=Author(seat.user_id), now=utcnow())
    pokes = [Poke(f"ticket:{ticket_id}", {"event": "message.updated", "message_id": sent.message_id})]
    made = await fragments.ticket_frames(console.services, f"ticket:{ticket_id}", pokes, {"en:agent", "vi:agent"})
    assert "Queued" in html(orjson.loads(made["en:agent"][0]), f"d-{sent.message_id}")
    assert "Chờ gửi" in html(orjson.loads(made["vi:agent"][0]), f"d-{sent.message_id}")


async def test_a_picture_that_comes_after_its_message_is_shown_at_once(console: Console) -> None:
    ticket_id = await console.write(make_mail)

    def picture(tx: Connection) -> Message:
        row = tx.execute(select(Message.id, Message.seq).where(Message.ticket_id == ticket_id)).first()
        assert row is not None
        add_files(tx, row.id, [StoredFile("d" * 64, "parcel.png", "image/png", 9)])
        return row  # type: ignore[return-value]

    message = await console.write(picture)
    pokes = [Poke(f"ticket:{ticket_id}", {"event": "message.updated", "message_id": message.id})]
    made = await fragments.ticket_frames(console.services, f"ticket:{ticket_id}", pokes, {"en:agent"})
    assert "parcel.png" in html(orjson.loads(made["en:agent"][0]), f"e-{message.seq}")


async def test_each_locale_is_rendered_once(console: Console) -> None:
    ticket_id = await console.write(make_mail)
    pokes = [Poke(f"ticket:{ticket_id}", {"event": "message.created", "seq": 1})]
    variants = {"en:agent", "en:supervisor", "vi:agent"}
    made = await fragments.ticket_frames(console.services, f"ticket:{ticket_id}", pokes, variants)
    assert made["en:agent"] is made["en:supervisor"]
    assert made["en:agent"] is not made["vi:agent"]


async def test_after_a_lost_bus_browsers_ask_again(console: Console) -> None:
    pokes = [Poke("ticket:1", {"event": "resync"})]
    made = await fragments.ticket_frames(console.services, "ticket:1", pokes, {"en:agent"})
    assert orjson.loads(made["en:agent"][0]) == {"type": "rejoin", "topic": "ticket:1"}


async def test_a_list_is_drawn_afresh(console: Console, seat: Seat) -> None:
    await console.write(make_mail)
    async with connected(console, seat.token) as line:
        await line.send(type="join", topics={"list:open:newest": None})
        assert "Where is it?" in html(await line.next("fragments"), "rows-first")


async def test_a_socket_refuses_what_is_not_its_persons(console: Console, seat: Seat) -> None:
    async with connected(console, seat.token) as line:
        await line.send(type="join", topics={"user:999": None})
        assert (await line.next("refused"))["topic"] == "user:999"


async def test_a_conversation_that_is_not_there_is_refused(console: Console, seat: Seat) -> None:
    async with connected(console, seat.token) as line:
        await line.send(type="join", topics={"ticket:999": 3})
        assert (await line.next("refused"))["topic"] == "ticket:999"
        await line.send(type="ping")
        assert (await line.next("pong")) == {"type": "pong"}


async def test_nonsense_on_the_line_is_ignored(console: Console, seat: Seat) -> None:
    async with connected(console, seat.token) as line:
        await line.inward.put({"type": "websocket.receive", "text": "{"})
        await line.inward.put({"type": "websocket.receive", "text": "[1]"})
        await line.send(type="ping")
        assert (await line.next("pong")) == {"type": "pong"}


async def test_a_revoked_login_loses_its_socket(console: Console, seat: Seat) -> None:
    async with connected(console, seat.token) as line:
        await line.next("hello")
        found = await console.db.read(sessions.find, seat.token, now=utcnow())
        assert found is not None
        await console.write(sessions.revoke, found[0].session_id, user_id=seat.user_id, now=utcnow())
        assert await line.next("never") == {"type": "close", "code": REVOKED_CODE}


async def test_without_a_login_the_line_is_closed(console: Console) -> None:
    async with connected(console, "wrong") as line:
        assert await line.next("never") == {"type": "close", "code": REVOKED_CODE}


async def test_another_sites_page_gets_no_line(console: Console, seat: Seat) -> None:
    async with connected(console, seat.token, origin="https://evil.example") as line:
        assert (await line.next("never"))["code"] == 4403


async def test_an_open_line_counts_as_connected(console: Console, seat: Seat) -> None:
    def lines(tx: Connection) -> int:
        return len(tx.execute(select(AgentConnection.id)).all())

    async with connected(console, seat.token) as line:
        await line.next("hello")
        await line.send(type="ping")
        await line.next("pong")
        assert await console.db.read(lines) == 1
    assert await console.db.read(lines) == 0


async def test_who_only_looks_is_not_on_the_floor(console: Console) -> None:
    reviewer = await console.sit(Role.QA)

    def lines(tx: Connection) -> int:
        return len(tx.execute(select(AgentConnection.id)).all())

    async with connected(console, reviewer.token) as line:
        await line.next("hello")
        assert await console.db.read(lines) == 0


class Talk:
    """A customer's chat: every message gives its topic and the poke of its writer."""

    def __init__(self, console: Console, account_id: int) -> None:
        self.console = console
        self.account_id = account_id
        self.said = 0

    async def say(self) -> tuple[str, list[Poke]]:
        pokes: list[Poke] = []
        self.console.db.after_commit = pokes.extend
        message = inbound(self.account_id, channel=Channel.CHAT, sender="visit", text=f"line {self.said}")
        self.said += 1
        receipt = await self.console.write(intake.receive, message, now=NOW + timedelta(seconds=self.said))
        topic = f"ticket:{receipt.ticket_id}"
        return topic, [poke for poke in pokes if poke.topic == topic and poke.data["event"] == "message.created"]


@pytest.fixture
async def chat(console: Console) -> Talk:
    return Talk(console, await console.write(make_account, Channel.CHAT))


async def test_a_customers_next_message_is_shown_as_a_read_would_show_it(console: Console, chat: Talk) -> None:
    renderer = TicketRenderer(console.services)
    for _ in range(3):
        topic, pokes = await chat.say()
        written = await renderer(topic, pokes, {"en:agent"})
        read = await TicketRenderer(console.services)(topic, [Poke(topic, pokes[0].data)], {"en:agent"})
        shown, again = (orjson.loads(made["en:agent"][0]) for made in (written, read))
        assert (shown["after"], shown["seq"]) == (again["after"], again["seq"])
        assert html(shown, "timeline") == html(again, "timeline")


async def test_a_message_that_is_told_again_is_not_shown_again(console: Console, chat: Talk) -> None:
    renderer = TicketRenderer(console.services)
    topic, pokes = await chat.say()
    assert (await renderer(topic, pokes, {"en:agent"}))["en:agent"]
    assert (await renderer(topic, pokes, {"en:agent"}))["en:agent"] == []
