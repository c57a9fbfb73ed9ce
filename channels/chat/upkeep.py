"""What goes on without anybody writing: leases of open lines, places in line, visitors who left, unseen answers."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from channels.again import take_waiting
from channels.chat import ending, frames, identity, lineup, mailing, visits
from channels.chat.lines import VisitSocket
from channels.chat.parse import Send
from channels.chat.tokens import Tokens
from channels.chat.uploads import stored_files
from contact_center.core.clock import utcnow
from contact_center.core.services import Services
from tickets import origins
from tickets.states import Channel

CHUNK = 1000


class Upkeep:
    """The steps of chat's loops: two for each web process, one for a worker."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def _sockets(self) -> list[VisitSocket]:
        return [socket for socket in self.services.hub.sockets if isinstance(socket, VisitSocket)]

    async def renew(self) -> bool:
        """Keep the leases of the visits that have a line here."""
        keys = sorted({socket.visit.key for socket in self._sockets()})
        for start in range(0, len(keys), CHUNK):
            await self.services.db.write(ending.renew, keys[start : start + CHUNK], now=utcnow())
        return False

    async def places(self) -> bool:
        """Tell those who wait where they are in line, when it has changed."""
        waiting = [one for one in self._sockets() if one.waiting and one.visit.ticket_id is not None]
        if waiting:
            found = await self.services.db.read(places_of, {one.visit.ticket_id for one in waiting}, utcnow())
            for socket in waiting:
                tell_place(socket, found.get(socket.visit.ticket_id))
        return False

    async def sweep(self) -> bool:
        """Visitors who left, answers nobody has seen, and quarantined messages that are to be tried again."""
        db = self.services.db
        await db.write(ending.notice_left, utcnow())
        await db.write(identity.forget_used, utcnow())
        await db.write(origins.forget, utcnow())
        mailed = await db.write(mailing.mail_unseen, utcnow())
        again = await take_waiting(self.services, Channel.CHAT, take_again)
        return again or mailed == mailing.BATCH


def places_of(tx: Connection, ticket_ids: Iterable[int | None], now: datetime) -> dict[int | None, frames.Place | None]:
    """The places in line of some tickets."""
    return {one: lineup.place_of(tx, one, now=now) for one in ticket_ids if one is not None}


def tell_place(socket: VisitSocket, place: frames.Place | None) -> None:
    """Send the place if the browser does not know it."""
    if place != socket.place:
        socket.place = place
        socket.send(frames.queue(place))


def take_again(tx: Connection, item: Row[Any], held: Services, now: datetime) -> None:
    """A message from quarantine, as `visits.raw_item` has kept it."""
    kept = orjson.loads(item.raw)
    visit = visits.find(tx, kept["visit_id"], item.channel_account_id)
    send = Send(kept["client_id"], kept["text"], tuple(kept["files"]))
    files = stored_files(Tokens.of(held.vault), visit.id, send.files) or []
    visits.take(tx, visit, replace(visits.inbound_of(visit, send, files), journal_id=item.id), now=now)
