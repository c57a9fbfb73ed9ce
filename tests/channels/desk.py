"""The whole web process of a test, with a carrier at the other end of the line; no loop runs by itself."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Connection, func, select

from contact_center.app import build
from contact_center.core.db import Database
from contact_center.core.schema import Base
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from tests.channels.sms.carrier import ACCOUNT_SID, API, AUTH_TOKEN, Carrier
from tests.conftest import NOW
from tests.factories import make_queue, unique
from tickets import channel_accounts
from tickets.states import Channel

PUBLIC = "https://desk.test"


@dataclass
class Desk:
    """Our side (services, an HTTP client that reaches us) and the carrier's."""

    services: Services
    carrier: Carrier
    http: httpx2.AsyncClient

    @property
    def db(self) -> Database:
        return self.services.db

    async def account(self, channel: Channel = Channel.SMS, **values: Any) -> channel_accounts.Account:
        """A channel account with the carrier's credentials."""
        return await self.db.write(self._account, channel, values)

    def _account(self, tx: Connection, channel: Channel, values: dict[str, Any]) -> channel_accounts.Account:
        account_id = channel_accounts.create(
            tx,
            self.services.vault,
            **{
                "channel": channel,
                "name": unique(channel.value),
                "address": "+15005550006",
                "queue_id": make_queue(tx),
                "now": NOW,
                "secrets": {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN},
                "settings": {"region": "VN"},
                **values,
            },
        )
        return channel_accounts.by_id(tx, self.services.vault, account_id)

    async def rows(self, model: type[Base]) -> list[Any]:
        """All rows of a table, oldest first."""
        table = model.__table__
        return await self.db.read(lambda tx: list(tx.execute(select(table).order_by(table.c.id)).all()))

    async def count(self, model: type[Base]) -> int:
        return await self.db.read(lambda tx: tx.execute(select(func.count()).select_from(model)).scalar_one())


@contextlib.asynccontextmanager
async def open_desk(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A desk on an empty database that has all tables."""
    values = {"data_dir": folder, "public_url": PUBLIC, "twilio_api_url": API, "database_url": database_url}
    app = build(Settings(**{**values, **settings}), loops=["none"])
    carrier = Carrier()
    transport = httpx2.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx2.AsyncClient(transport=transport, base_url=PUBLIC) as http:
        carrier.desk = http
        yield Desk(app.state.services, carrier, http)


OpenDesk = Callable[..., contextlib.AbstractAsyncContextManager[Desk]]
