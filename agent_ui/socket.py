"""The console's WebSocket: frames out; join, leave, typing and ping in. Commands are POSTs, never messages here."""

import contextlib
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from agent_ui import fragments, own
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import find_person, locale_of
from contact_center.core.bus import Poke
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.hub import frame
from contact_center.core.services import Services, services
from contact_center.core.sockets import REVOKED_CODE, Socket
from tickets.lifecycle import access

log = structlog.get_logger()

MOST_TOPICS = 20
LONGEST_MESSAGE = 4_096
# topic kind -> what one must be allowed to do to look at it. Own topics are checked by their id.
TOPICS: Mapping[str, Permission] = {
    "ticket": Permission.VIEW_TICKETS,
    "list": Permission.VIEW_TICKETS,
    "counts": Permission.VIEW_TICKETS,
    "board": Permission.VIEW_BOARD,
    "journal": Permission.ADMINISTER,
    "channel_accounts": Permission.ADMINISTER,
}


async def console(websocket: WebSocket) -> None:
    """Serve one browser until it goes, its login ends or it cannot keep up."""
    held = services(websocket)
    person = await find_person(websocket)
    await websocket.accept()
    if person is None:
        await websocket.close(REVOKED_CODE)
        return
    variant = f"{await locale_of(websocket)}:{person.role.value}"
    socket = Socket(websocket, variant=variant, user_id=person.id, session_id=person.session_id)
    held.hub.join(socket, f"access:{person.id}")
    socket.send(frame("hello", now=utcnow().isoformat()))
    async with own.connected(held, person, socket):
        try:
            await _receive(held, websocket, socket, person)
        finally:
            held.hub.drop(socket)
            socket.gone()


async def _receive(held: Services, websocket: WebSocket, socket: Socket, person: Person) -> None:
    while (text := await _next(websocket)) is not None:
        message = _parsed(text)
        match message.get("type"):
            case "ping":
                socket.send(frame("pong"))
            case "join" if isinstance(message.get("topics"), dict):
                for topic, seq in message["topics"].items():
                    await _join(held, socket, person, str(topic), seq)
            case "leave" if isinstance(message.get("topics"), list):
                for topic in message["topics"]:
                    held.hub.leave(socket, str(topic))
            case "typing":
                await _typing(held, person, message)


async def _next(websocket: WebSocket) -> str | None:
    """The next text; None when the line is closed (by them, or by us: RuntimeError) or brings something binary."""
    try:
        return await websocket.receive_text()
    except (WebSocketDisconnect, RuntimeError, KeyError):
        return None


def _parsed(text: str) -> dict[str, Any]:
    """A message as a mapping; anything else is none."""
    if len(text) > LONGEST_MESSAGE:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


async def _join(held: Services, socket: Socket, person: Person, topic: str, seq: Any) -> None:
    """Look at a topic: the socket joins first and reads then, so that nothing falls between."""
    if len(socket.topics) >= MOST_TOPICS or not may_join(person, topic):
        socket.send(frame("refused", topic=topic))
        return
    held.hub.join(socket, topic)
    kind = topic.partition(":")[0]
    if kind == "ticket":
        try:
            made = await fragments.replay(held, topic, seq if isinstance(seq, int) else 0, socket.variant)
        except NotFound:
            held.hub.leave(socket, topic)
            made = [frame("refused", topic=topic)]
        for data in made:
            socket.send(data)
        return
    render = held.hub.renderers.get(kind)
    if render is not None:
        shown = held.hub.shown(topic)
        fresh = await render(topic, [], {socket.variant})
        # What the hub has sent meanwhile may be newer, and whatever changes from now on it sends as well.
        if held.hub.shown(topic) == shown:
            for data in fresh.get(socket.variant, ()):
                socket.send(data)
    socket.send(frame("joined", topic=topic))


def may_join(person: Person, topic: str) -> bool:
    """Whether this person may look at a topic: by permission, and at own topics only if they are theirs."""
    kind, _, rest = topic.partition(":")
    if kind == "user":
        return rest == str(person.id)
    if kind == "views":
        return rest == str(person.id) and may(person.role, Permission.VIEW_TICKETS)
    if kind not in TOPICS or not may(person.role, TOPICS[kind]):
        return False
    if kind == "ticket":
        return rest.isdecimal() and len(rest) < 19
    if kind == "list":
        with contextlib.suppress(NotFound):
            listing, user_id = fragments.list_of(topic)
            return user_id == person.id if listing.own else topic.count(":") == 2
        return False
    return True


async def _typing(held: Services, person: Person, message: dict[str, Any]) -> None:
    """Tell the customer of a chat that an answer is being written."""
    ticket = message.get("ticket")
    if not isinstance(ticket, int) or not may(person.role, Permission.HANDLE):
        return
    with contextlib.suppress(NotFound):
        row = await held.db.read(access, ticket)
        if row.channel == "chat" and row.thread_key:
            data = {"event": "typing", "on": bool(message.get("on", True)), "name": person.name}
            held.bus.publish([Poke(f"visit:{row.thread_key}", data)])
