"""Our web process with a Twilio Voice at the other end of the line."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from channels.phone.switchboard import Switchboard
from contact_center.core.events import EventRow, HandlerFailure
from contact_center.core.relay import Relay
from contact_center.wiring import HANDLERS
from tests.channels.desk import Desk, open_desk
from tests.channels.phone.voice.standin import Twilio, open_twilio


@dataclass
class Line:
    """Our side and Twilio's."""

    desk: Desk
    twilio: Twilio

    async def go(self, **order: int) -> None:
        """Everybody does what is due, until nothing is: our handlers, the switchboard, Twilio's callbacks."""
        relay = Relay(self.desk.db, HANDLERS)
        switchboard = Switchboard(self.desk.services, self.twilio.open_http)
        while True:
            while await self.desk.db.read(_waiting):
                await relay.run_once()
            assert await self.desk.rows(HandlerFailure) == []
            worked = await switchboard.run_once()
            waiting = bool(self.twilio.outbox)
            await self.twilio.settle(**order)
            if not (worked or waiting):
                return


def _waiting(tx: Connection) -> bool:
    return tx.execute(select(EventRow.id).where(EventRow.dispatched_at.is_(None)).limit(1)).first() is not None


async def _open(database_url: str, folder: Path) -> AsyncIterator[Line]:
    async with open_twilio() as twilio, open_desk(database_url, folder, twilio_api_url=twilio.api) as desk:
        twilio.hooks = desk.http
        yield Line(desk, twilio)


@pytest.fixture
async def phone_line(database_url: str, tmp_path: Path) -> AsyncIterator[Line]:
    """The two of them, on SQLite and PostgreSQL in turn."""
    async for found in _open(database_url, tmp_path):
        yield found


@pytest.fixture
async def sqlite_line(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Line]:
    """The two of them on SQLite, where the kind of database does not matter."""
    async for found in _open(sqlite_url, tmp_path):
        yield found
