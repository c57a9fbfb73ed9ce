"""Open lines in the hub: what a poke on a visit means for the browsers that look at it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from channels.chat import frames, lineup, state
from channels.chat.frames import EndedBy
from channels.chat.rendering import public_message
from channels.chat.tokens import Tokens
from channels.chat.visit import Visit
from contact_center.accounts.models import User
from contact_center.core.bus import Poke
from contact_center.core.clock import utcnow
from contact_center.core.hub import Hub, Renderer
from contact_center.core.services import Services
from contact_center.core.sockets import Frame, Sink, Socket

# An agent who changes their name is known by the new one after this.
NAME_KEPT = timedelta(seconds=60)


class VisitSocket(Socket):
    """A browser's line; `visit` is what is known of its visit now."""

    __slots__ = ("place", "told", "visit", "waiting", "widget_key")

    def __init__(self, sink: Sink, visit: Visit, widget_key: str) -> None:
        super().__init__(sink, variant=visit.locale)
        self.visit = visit
        self.widget_key = widget_key
        # Nobody has answered yet: the place in line is worth telling.
        self.waiting = False
        self.place: frames.Place | None = None
        # The last public_seq that was sent here as a message, in the ticket that the visit has now.
        self.told = 0


def topic_of(visit: Visit) -> str:
    return f"visit:{visit.key}"


def attach(hub: Hub, socket: VisitSocket, ticket_id: int) -> None:
    """The visit has a ticket: listen to who reads it."""
    socket.visit = replace(socket.visit, ticket_id=ticket_id)
    hub.join(socket, f"reads:{ticket_id}")


def snapshot(tx: Connection, visit: Visit) -> frames.VisitState:
    """The visit as it is now, with its place in line."""
    place = lineup.place_of(tx, visit.ticket_id, now=utcnow()) if visit.ticket_id else None
    return state.state_of(tx, visit, place)


class VisitRenderer:
    """Renders `visit:` topics from the values that the writer held, and reads only what it does not have."""

    def __init__(self, services: Services, tokens: Tokens) -> None:
        self.services = services
        self.tokens = tokens
        self._names: dict[int, tuple[str, Any]] = {}

    async def __call__(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Mapping[str, Sequence[Frame]]:
        hub = self.services.hub
        sockets = [socket for socket in hub.listeners(topic) if isinstance(socket, VisitSocket)]
        if not sockets:
            return {}
        if self._moved(sockets, pokes):
            again = [frames.resync()]
            return dict.fromkeys(variants, again)
        told: list[Frame] = []
        for poke in pokes:
            told.extend(await self._frames(sockets, poke))
        return dict.fromkeys(variants, told)

    def _moved(self, sockets: Sequence[VisitSocket], pokes: Sequence[Poke]) -> bool:
        """Take note of the visit's first ticket; True if the conversation goes on in another one."""
        found = {poke.data["ticket_id"] for poke in pokes if poke.data.get("event") == "message.created"}
        for ticket_id in found:
            for socket in sockets:
                if socket.visit.ticket_id is None:
                    attach(self.services.hub, socket, ticket_id)
        return any(socket.visit.ticket_id != ticket_id for ticket_id in found for socket in sockets)

    async def _frames(self, sockets: Sequence[VisitSocket], poke: Poke) -> list[Frame]:
        data, visit = poke.data, sockets[0].visit
        match data.get("event"):
            case "message.created":
                if data.get("public_seq") is None:
                    return []
                found = await self._message(sockets[0], poke)
                for socket in sockets:
                    socket.told = max(socket.told, data["public_seq"])
                return found
            case "typing":
                return [frames.typing(bool(data.get("on")), str(data.get("name", "")))]
            case "visit.seen":
                return [frames.seen(data["public_seq"])]
            case "visit.ended":
                now_ = await self.services.db.read(state.state_of, visit, None)
                return [frames.ended(EndedBy(data["by"]), survey=now_.survey_score == 0)]
            case "visit.changed":
                return await self._state(sockets)
            case "resync" | "visit.resumed" | "ticket.reopened":
                return [frames.resync()]
            case _:
                return []

    async def _message(self, socket: VisitSocket, poke: Poke) -> list[Frame]:
        if poke.data.get("again") and poke.data["public_seq"] <= socket.told:
            # A relay that came late says it once more: every line has it, or was opened after it.
            return []
        visit, values = socket.visit, poke.local
        if values is None or "attachments" not in values:
            ids = [poke.data["message_id"]]
            found = await self.services.db.read(state.some, visit, ids, self.tokens, socket.widget_key)
            return [frames.message(one) for one in found]
        author = await self._name(values["user_id"]) if values["user_id"] is not None else ""
        shown = public_message(
            values,
            values["attachments"],
            author=author,
            visit=visit,
            widget_key=socket.widget_key,
            tokens=self.tokens,
        )
        return [frames.message(shown)]

    async def _state(self, sockets: Sequence[VisitSocket]) -> list[Frame]:
        now_ = await self.services.db.read(snapshot, sockets[0].visit)
        for socket in sockets:
            socket.waiting = now_.agent is None and not now_.ended
        return [frames.presence(now_.agent), frames.queue(now_.queue)]

    async def _name(self, user_id: int) -> str:
        known = self._names.get(user_id)
        if known is None or utcnow() - known[1] > NAME_KEPT:
            name = await self.services.db.read(_user_name, user_id)
            known = self._names[user_id] = (name, utcnow())
        return known[0]


class ReadsRenderer:
    """Renders `reads:` topics: the agent has read the customer's messages."""

    def __init__(self, services: Services) -> None:
        self.services = services

    async def __call__(self, topic: str, pokes: Sequence[Poke], variants: set[str]) -> Mapping[str, Sequence[Frame]]:
        seqs = [poke.data["seq"] for poke in pokes if "seq" in poke.data]
        if not seqs:
            return {}
        ticket_id = int(topic.partition(":")[2])
        until = await self.services.db.read(state.public_up_to, ticket_id, max(seqs))
        told = [frames.read(until)]
        return dict.fromkeys(variants, told)


def _user_name(tx: Connection, user_id: int) -> str:
    return tx.execute(select(User.name).where(User.id == user_id)).scalar_one_or_none() or ""


def renderers(services: Services) -> dict[str, Renderer]:
    """The topics that customers' browsers listen to."""
    return {"visit": VisitRenderer(services, Tokens.of(services.vault)), "reads": ReadsRenderer(services)}
