"""Agents and customers of a busy floor, each with the sockets and requests that their browsers make."""

import asyncio
import re
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import orjson
from sqlalchemy import Connection, insert, select

from bench.http import Http
from bench.line import Line
from channels.chat.tokens import Tokens
from contact_center.accounts import sessions
from contact_center.accounts.models import User
from contact_center.accounts.permissions import Role
from contact_center.accounts.web import COOKIE
from contact_center.core.clock import utcnow
from contact_center.core.secrets import Vault
from routing import presence, profiles
from routing.states import Presence
from tickets import channel_accounts, intake, queues
from tickets.inbound import Address, InboundMessage
from tickets.models import ChannelAccount
from tickets.numbers import id_of
from tickets.states import Channel, ContactKind

WIDGET = "bench-chat"
LOGIN_DAYS = 1
# What tells one message from another, in whatever frame it comes back.
MARK = re.compile(rb"mark-(\d+)-")
OFFER = re.compile(rb'data-offer=\\"(\d+)\\".*?<blockquote>mark-(\d+)-', re.DOTALL)
VIA = re.compile(rb'name="via"[^>]*value="([^"]+)"')
PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent who has signed in: user id and login token."""

    user_id: int
    token: str


def furnish(tx: Connection, vault: Vault, *, agents: int) -> list[Seat]:
    """A queue with a chat widget, and agents who serve it and are available."""
    now = utcnow()
    queue_id = queues.create(tx, "Bench chat", now=now)
    channel_accounts.create(
        tx,
        vault,
        channel=Channel.CHAT,
        name="bench chat",
        address=WIDGET,
        queue_id=queue_id,
        now=now,
        settings={"origins": ["*"]},
        key=WIDGET,
    )
    return [_agent(tx, number, queue_id) for number in range(agents)]


def _agent(tx: Connection, number: int, queue_id: int) -> Seat:
    now = utcnow()
    # No password: hashing one for each would take longer than the rest.
    values = {"email": f"agent{number}@bench.test", "name": f"Agent {number}", "role": Role.AGENT.value}
    user_id = tx.execute(
        insert(User).returning(User.id),
        {**values, "password": "!", "preferences": {}, "active": True, "created_at": now},
    ).scalar_one()
    profiles.set_row(tx, user_id, queue_id, now=now)
    token = sessions.start(tx, user_id, device="bench", address="127.0.0.1", days=LOGIN_DAYS, now=now)
    presence.set_presence(tx, user_id, Presence.AVAILABLE, now=now + timedelta(milliseconds=number))
    return Seat(user_id, token)


def sign_in(tx: Connection) -> str:
    """A new login of the first agent of `furnish`; its token."""
    user_id = tx.execute(select(User.id).order_by(User.id).limit(1)).scalar_one()
    return sessions.start(tx, user_id, device="bench", address="127.0.0.1", days=LOGIN_DAYS, now=utcnow())


def conversation(tx: Connection) -> int:
    """One open chat in the widget of `furnish`; the ticket's id."""
    account_id = tx.execute(select(ChannelAccount.id).where(ChannelAccount.key == WIDGET)).scalar_one()
    said = InboundMessage(
        channel=Channel.CHAT,
        account_id=account_id,
        external_id="bench:first",
        sender=Address(ContactKind.VISITOR, "bench"),
        text="Where is my order?",
        thread_key="bench",
    )
    ticket_id = intake.receive(tx, said, now=utcnow()).ticket_id
    assert ticket_id is not None
    return ticket_id


class Watch:
    """Who waits for which mark, and where: `offers` (an agent is offered it) or `timeline` (they see it)."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int], asyncio.Future[Any]] = {}
        self.marks = 0

    def mark(self) -> int:
        """A new mark."""
        self.marks += 1
        return self.marks

    def expect(self, where: str, mark: int) -> asyncio.Future[Any]:
        """A future of (moment, what the seer adds)."""
        self._waiting[where, mark] = found = asyncio.get_running_loop().create_future()
        return found

    def seen(self, where: str, mark: int, value: Any) -> None:
        """The first sight counts."""
        found = self._waiting.pop((where, mark), None)
        if found is not None and not found.done():
            found.set_result((time.perf_counter(), value))

    @property
    def unseen(self) -> int:
        return len(self._waiting)


class Visitor:
    """A customer with the widget open."""

    def __init__(self) -> None:
        self.line: Line
        self.hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    @classmethod
    async def enter(cls, port: int, vault: Vault, number: int) -> Self:
        """Open the line and a new visit, from an address of one's own."""
        visitor = cls()
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        visitor.line = await Line.open(port, f"/widget/{WIDGET}/ws", visitor._on_text, X_Forwarded_For=address)
        # The frame page would print this ticket; pages are not what is measured here.
        ticket = Tokens.of(vault).ticket(WIDGET, now=utcnow())
        visitor.line.send(
            {"t": "hello", "token": None, "since": 0, "ticket": ticket, "name": f"Visitor {number}", "locale": "en"}
        )
        await asyncio.wait_for(visitor.hello, PATIENCE)
        return visitor

    def _on_text(self, text: bytes) -> None:
        if not self.hello.done():
            self.hello.set_result(orjson.loads(text))

    def say(self, mark: int) -> float:
        """Send a message with a mark; the moment when it left."""
        text = f"mark-{mark}- Where is my order? I bought it a week ago and nobody has told me anything since."
        self.line.send({"t": "send", "client_id": uuid.uuid4().hex, "text": text, "files": []})
        return time.perf_counter()

    def leave(self) -> None:
        self.line.close()


class Agent:
    """An agent at the console: the socket with the topics of the inbox, and the requests of their clicks."""

    def __init__(self, seat: Seat, watch: Watch) -> None:
        self.seat = seat
        self.watch = watch
        self.port = 0
        self.line: Line
        self.http: Http | None = None
        self.busy = asyncio.Lock()
        self.cookie = f"{COOKIE}={seat.token}"

    @classmethod
    async def sit(cls, port: int, seat: Seat, watch: Watch | None = None) -> Self:
        """Open the console as the inbox page does: own topics, the list and the numbers."""
        agent = cls(seat, watch or Watch())
        agent.port = port
        agent.line = await Line.open(port, "/ws", agent._on_text, Cookie=agent.cookie)
        topics = (f"user:{seat.user_id}", f"list:mine:waiting:{seat.user_id}", "counts")
        agent.line.send({"type": "join", "topics": dict.fromkeys(topics)})
        return agent

    def _on_text(self, text: bytes) -> None:
        if b'"to":"timeline"' in text:
            for mark in MARK.findall(text):
                self.watch.seen("timeline", int(mark), self)
        elif b'"to":"offers"' in text:
            for offer, mark in OFFER.findall(text):
                self.watch.seen("offers", int(mark), (self, int(offer)))

    async def accept(self, offer_id: int) -> int:
        """Take an offer on; the ticket's number."""
        answer = await self.post(f"/offers/{offer_id}/accept", {}, accept="application/json")
        return int(str(orjson.loads(answer)["url"]).rpartition("/")[2])

    def look_at(self, number: int, *, seq: int | None = None) -> None:
        """Look at a conversation."""
        self.line.send({"type": "join", "topics": {f"ticket:{id_of(number)}": seq}})

    def look_away(self, number: int) -> None:
        self.line.send({"type": "leave", "topics": [f"ticket:{id_of(number)}"]})

    async def open(self, number: int) -> str:
        """Load the conversation's page; the way to answer that its composer has chosen."""
        page = await self.get(f"/tickets/{number}")
        found = VIA.search(page)
        if found is None:
            raise SystemExit("bench: a conversation offers no way to answer")
        return found.group(1).decode()

    async def answer(self, number: int, via: str, text: str) -> None:
        form = {"text": text, "via": via, "client_id": uuid.uuid4().hex}
        await self.post(f"/tickets/{number}/messages", form, accept="application/json")

    async def resolve(self, number: int) -> None:
        """The matter is done, and so is the wrap-up."""
        self.look_away(number)
        await self.post(f"/tickets/{number}/status", {"status": "resolved"}, hx_request="true")
        await self.post(f"/tickets/{number}/finish", {"disposition": "solved"}, hx_request="true")

    async def get(self, path: str) -> bytes:
        async with self.busy:
            http = await self._connected()
            return _good(path, *await http.get(path, cookie=self.cookie, accept="text/html"))

    async def post(self, path: str, form: dict[str, str], **headers: str) -> bytes:
        async with self.busy:
            http = await self._connected()
            return _good(path, *await http.post(path, form, cookie=self.cookie, **headers))

    async def _connected(self) -> Http:
        """The browser's connection for requests, opened with the first of them."""
        if self.http is None:
            self.http = await Http.open(self.port)
        return self.http


def _good(path: str, status: int, body: bytes) -> bytes:
    if status >= 400:
        raise SystemExit(f"bench: {path} answered {status}: {body[:500].decode(errors='replace')}")
    return body


async def seen_in(found: asyncio.Future[Any], begun: float) -> tuple[float, Any]:
    """How long it took until somebody saw it, in ms, and what they add; PATIENCE and None if nobody ever did."""
    try:
        at, value = await asyncio.wait_for(found, PATIENCE)
    except TimeoutError:
        return PATIENCE * 1000, None
    return (at - begun) * 1000, value
