"""The widget's line: one WebSocket per tab. Nothing is acknowledged before it is committed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import structlog
from sqlalchemy import Connection
from starlette.websockets import WebSocket, WebSocketDisconnect

from channels.chat import ending, frames, mailing, parse, rating, state, visits, widgets
from channels.chat.asking import chosen
from channels.chat.bucket import Bucket
from channels.chat.frames import Close, EndedBy, PublicMessage, VisitState
from channels.chat.lines import VisitSocket, attach, snapshot, topic_of
from channels.chat.page import choose_locale, origin_allowed
from channels.chat.tokens import Tokens
from channels.chat.uploads import kept, stored_files
from channels.chat.visit import Visit
from channels.chat.widgets import Open
from channels.guard import guarded
from contact_center.core.bus import Poke
from contact_center.core.clock import monotonic, utcnow
from contact_center.core.errors import Conflict, DomainError, NotFound, TooMany
from contact_center.core.metrics import INBOUND
from contact_center.core.services import Services, services
from contact_center.core.web import client_address
from tickets.origins import origin_of
from tickets.states import Channel, JournalState

log = structlog.get_logger()

HELLO_SECONDS = 10
BURST = 60
PER_SECOND = 10


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The line is closed with this code."""

    code: Close


async def chat_socket(websocket: WebSocket) -> None:
    """`/widget/{key}/ws`: hello, snapshot, then frames both ways until either side goes."""
    await websocket.accept()
    try:
        line, hello, token = await _begin(websocket)
    except Refused as refused:
        await _close(websocket, refused.code)
        return
    except (WebSocketDisconnect, TimeoutError):
        return
    try:
        await line.greet(hello, token)
        # The line may be open for hours, and thousands beside it.
        del hello, token
        await line.listen()
    except WebSocketDisconnect:
        pass
    finally:
        await line.gone()


async def _close(websocket: WebSocket, code: Close) -> None:
    """Close a line that may be closed already."""
    with suppress(RuntimeError, WebSocketDisconnect):
        await websocket.close(code)


async def _begin(websocket: WebSocket) -> tuple["Line", parse.Hello, str | None]:
    """The line of a browser that may have one, its hello, and the token of a visit that is new."""
    held = services(websocket)
    tokens = Tokens.of(held.vault)
    found = await _widget(websocket, held)
    hello = await _hello(websocket)
    origin = origin_of(held.vault, client_address(websocket, held.settings.trusted_proxies))
    visit, token = await _visit(websocket, held, tokens, found, hello, origin=origin)
    return Line(websocket, held, tokens, VisitSocket(websocket, visit, found.widget.key), origin), hello, token


async def _widget(websocket: WebSocket, held: Services) -> Open:
    try:
        found = await held.db.read(widgets.load, held.vault, websocket.path_params["key"], now=utcnow())
    except NotFound:
        raise Refused(Close.NOT_ALLOWED) from None
    scheme = "https" if websocket.scope["scheme"] == "wss" else "http"
    own = {f"{scheme}://{websocket.headers.get('host', '')}", held.settings.base_url}
    origin = websocket.headers.get("origin")
    if origin not in own and not origin_allowed(origin, held.settings.base_url, found.widget):
        raise Refused(Close.NOT_ALLOWED)
    return found


async def _hello(websocket: WebSocket) -> parse.Hello:
    try:
        frame = parse.parse_frame(await asyncio.wait_for(websocket.receive_text(), HELLO_SECONDS))
    except (parse.BadFrame, TimeoutError, KeyError):
        raise Refused(Close.NO_HELLO) from None
    if not isinstance(frame, parse.Hello):
        raise Refused(Close.NO_HELLO)
    return frame


async def _visit(
    websocket: WebSocket, held: Services, tokens: Tokens, found: Open, hello: parse.Hello, *, origin: str
) -> tuple[Visit, str | None]:
    """The visit of the hello's token, or a new one and its token; of a customer, if the hello proves who it is."""
    key, account_id, now = found.widget.key, found.account.id, utcnow()
    identity = tokens.identity_of(hello.identity, key, found.keys.generation, now=now) if hello.identity else None
    if hello.token is not None:
        visit_id = tokens.visit_of(hello.token, key)
        if visit_id is None:
            raise Refused(Close.BAD_TOKEN)
        try:
            who = {"identity": identity, "origin": origin}
            return await held.db.write(visits.resume, visit_id, account_id, now=now, **who), None
        except (NotFound, Conflict):
            raise Refused(Close.BAD_TOKEN) from None
    if not tokens.ticket_fits(hello.ticket, key, now=now):
        raise Refused(Close.BAD_TOKEN)
    address = client_address(websocket, held.settings.trusted_proxies)
    locale = choose_locale(hello.locale)
    try:
        told: dict[str, Any] = {
            "identity": identity,
            "choice": chosen(found.widget.choices, hello.choice),
            "origin": origin,
        }
        visit = await held.db.write(
            visits.open_visit, account_id, hello, locale=locale, address=address, now=now, **told
        )
    except TooMany:
        raise Refused(Close.TOO_MANY) from None
    return visit, tokens.visit_token(key, visit.id)


@dataclass(slots=True)
class Line:
    """One open socket: its visit, its place in the hub and what its frames do."""

    websocket: WebSocket
    held: Services
    tokens: Tokens
    socket: VisitSocket
    origin: str
    bucket: Bucket = field(default_factory=lambda: Bucket(BURST, PER_SECOND))

    @property
    def visit(self) -> Visit:
        return self.socket.visit

    async def greet(self, hello: parse.Hello, token: str | None) -> None:
        """Join first and read then: what comes in between waits behind the hello, and nothing is missed."""
        hub = self.held.hub
        self.socket.hold()
        hub.join(self.socket, topic_of(self.visit))
        if self.visit.ticket_id is not None:
            attach(hub, self.socket, self.visit.ticket_id)
        now_, messages = await self.held.db.read(self._snapshot, hello)
        self.socket.waiting = now_.agent is None and not now_.ended
        self.socket.place = now_.queue
        await self.websocket.send_text(frames.hello(now_, messages, token=token).decode())
        self.socket.release()

    async def listen(self) -> None:
        """Do what the browser's frames say, until either side goes."""
        try:
            while True:
                await self._handle(await self.websocket.receive_text())
        except (KeyError, RuntimeError):
            # A binary message, or we have cut the line ourselves.
            await _close(self.websocket, Close.NO_HELLO)

    def _snapshot(self, tx: Connection, hello: parse.Hello) -> tuple[VisitState, list[PublicMessage]]:
        now_ = snapshot(tx, self.visit)
        # The conversation went on in another ticket meanwhile: its numbers begin anew.
        since = hello.since if hello.thread in (0, now_.thread) else 0
        return now_, state.after(tx, self.visit, since, self.tokens, self.socket.widget_key)

    async def gone(self) -> None:
        """The socket is closed; if it was the visit's last one here, its lease ends."""
        self.socket.gone()
        hub = self.held.hub
        hub.drop(self.socket)
        if not hub.watched(topic_of(self.visit)):
            await self.held.db.write(ending.line_lost, self.visit.id, now=utcnow())

    async def _handle(self, raw: str) -> None:
        try:
            frame = parse.parse_frame(raw)
        except parse.BadFrame as bad:
            self.socket.send(frames.error(bad.code, bad.client_id))
            return
        handler = self.HANDLERS.get(type(frame))
        if handler is None:  # a second hello
            self.socket.send(frames.error("bad_frame"))
            return
        try:
            await handler(self, frame)
        except DomainError as error:
            log.info("chat.refused", frame=type(frame).__name__, code=error.code)
            self.socket.send(frames.error("not_done", about=type(frame).__name__.lower()))

    async def _send(self, frame: parse.Send) -> None:
        if not self.bucket.take(monotonic()):
            self.socket.send(frames.error("too_fast", frame.client_id))
            return
        files = stored_files(self.tokens, self.visit.id, frame.files)
        if files is None or not await kept(self.held.files, files):
            self.socket.send(frames.error("bad_file", frame.client_id))
            return
        now = utcnow()
        visit = self.visit
        inbound = visits.inbound_of(visit, frame, files, self.origin)
        taken = await guarded(self.held.db, visits.raw_item(visit, frame), visits.take, visit, inbound, now=now)
        if taken is not None:
            # What a block stopped is acknowledged like everything else, and lies in the journal.
            state = JournalState.SUPPRESSED if taken.public_seq is None else JournalState.ACCEPTED
            INBOUND.labels(Channel.CHAT.value, state.value).inc()
            if visit.ticket_id is None and taken.visit.ticket_id is not None:
                attach(self.held.hub, self.socket, taken.visit.ticket_id)
        public_seq = taken.public_seq if taken else None
        self.socket.send(frames.ack(frame.client_id, public_seq or 0, now))
        if taken is not None and visit.ticket_id not in (None, taken.visit.ticket_id):
            self.socket.send(frames.resync())

    async def _typing(self, frame: parse.Typing) -> None:
        if self.visit.ticket_id is not None and self.bucket.take(monotonic()):
            data = {"event": "typing", "by": "customer", "name": self.visit.name, "on": frame.on}
            self.held.bus.publish([Poke(f"ticket:{self.visit.ticket_id}", data)])

    async def _ack(self, frame: parse.Ack) -> None:
        await self.held.db.write(visits.mark, self.visit, delivered=frame.public_seq, now=utcnow())

    async def _read(self, frame: parse.Read) -> None:
        await self.held.db.write(visits.mark, self.visit, seen=frame.public_seq, now=utcnow())

    async def _history(self, frame: parse.History) -> None:
        older = await self.held.db.read(state.before, self.visit, frame.before, self.tokens, self.socket.widget_key)
        self.socket.send(frames.history(older))

    async def _profile(self, frame: parse.Profile) -> None:
        self.socket.visit = await self.held.db.write(
            visits.set_profile, self.visit, frame.name, frame.email, now=utcnow()
        )
        self.socket.send(frames.profile(self.visit.name, self.visit.email))

    async def _end(self, frame: parse.End) -> None:
        over = await self.held.db.write(ending.end_by_customer, self.visit, now=utcnow())
        if not over:
            self.socket.send(frames.ended(EndedBy.CUSTOMER, survey=False))

    async def _csat(self, frame: parse.Csat) -> None:
        score = await self.held.db.write(rating.rate, self.visit, frame.score, frame.comment, now=utcnow())
        self.socket.send(frames.csat(score))

    async def _transcript(self, frame: parse.Transcript) -> None:
        await self.held.db.write(mailing.mail_transcript, self.visit, frame.email, now=utcnow())
        self.socket.send(frames.transcript(frame.email))

    async def _ping(self, frame: parse.Ping) -> None:
        self.socket.send(frames.pong())

    HANDLERS: ClassVar[Mapping[type[Any], Callable[["Line", Any], Awaitable[None]]]] = {
        parse.Send: _send,
        parse.Typing: _typing,
        parse.Ack: _ack,
        parse.Read: _read,
        parse.History: _history,
        parse.Profile: _profile,
        parse.End: _end,
        parse.Csat: _csat,
        parse.Transcript: _transcript,
        parse.Ping: _ping,
    }
