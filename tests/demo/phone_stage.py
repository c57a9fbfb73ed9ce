"""A server with the demo's carrier, switchboard and phone page, for tests that play customer and shop."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Connection

from channels.delivery import DeliveryLoop
from channels.sms.media import MediaLoop
from contact_center import wiring
from contact_center.app import Extension, build
from contact_center.core.clock import utcnow
from contact_center.core.outbound import trust
from contact_center.core.relay import Relay
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from contact_center.demo.carrier import MOUNT, Carrier
from contact_center.demo.cast import (
    PHONE_NUMBER,
    SMS_NUMBER,
    TWILIO_ACCOUNT,
    TWILIO_TOKEN,
    WHATSAPP_NUMBER,
)
from contact_center.demo.exchange import Exchange
from contact_center.demo.line_plan import stored
from contact_center.demo.phone import PhonePage
from tests.factories import make_queue
from tests.serving import server_of
from tickets import channel_accounts
from tickets.states import Channel


@dataclass
class Stage:
    """A running server with the demo's carrier, and a browser's client."""

    services: Services
    carrier: Carrier
    exchange: Exchange
    http: httpx2.AsyncClient

    async def rows(self, model: Any) -> list[Any]:
        table = model.__table__
        return await self.services.db.read(lambda tx: list(tx.execute(table.select().order_by(table.c.id)).all()))

    async def send(self) -> None:
        """What our worker does: deliver what is queued, fetch pictures, run handlers."""
        await Relay(self.services.db, wiring.HANDLERS).run_once()
        await DeliveryLoop(self.services, wiring.senders(self.services)).run_once()
        await MediaLoop(self.services).run_once()


NUMBERS = ((Channel.SMS, SMS_NUMBER), (Channel.PHONE, PHONE_NUMBER), (Channel.WHATSAPP, WHATSAPP_NUMBER))


def accounts(tx: Connection, services: Services) -> None:
    queue_id = make_queue(tx)
    secrets = {"account_sid": TWILIO_ACCOUNT, "auth_token": TWILIO_TOKEN}
    for channel, address in NUMBERS:
        channel_accounts.create(
            tx,
            services.vault,
            channel=channel,
            name=channel.value,
            address=address,
            queue_id=queue_id,
            now=utcnow(),
            settings={"region": "VN", "plan": stored(dict.fromkeys(("Orders", "Technical", "Business"), queue_id))},
            secrets=secrets,
        )


@asynccontextmanager
async def open_stage(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """The demo's server without its loops: a test runs what it wants."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    settings = Settings(database_url=sqlite_url, data_dir=tmp_path, port=port, twilio_api_url=base + MOUNT)
    carrier = Carrier()
    exchange = Exchange(carrier, random.Random(1))
    folders = [Path("contact_center/demo/templates").resolve()]
    routes = [*carrier.routes(), *exchange.routes(), *PhonePage(carrier, exchange).routes()]
    app = build(settings, loops=["none"], extension=Extension(routes=routes, template_folders=folders))
    server = server_of(app, port)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    services: Services = app.state.services
    carrier.connect(services)
    await services.db.write(accounts, services)
    async with httpx2.AsyncClient(verify=trust(), base_url=base, headers={"origin": base}) as http:
        yield Stage(services, carrier, exchange, http)
    await asyncio.gather(*carrier._errands)
    server.should_exit = True
    await running


async def until(done: Callable[[], bool]) -> None:
    """Wait a moment for what runs beside the test."""
    for _ in range(3000):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def shown(stage: Stage) -> list[tuple[bool, str]]:
    state = (await stage.http.get("/demo/phone/state")).json()
    return [(text["mine"], text["body"]) for text in state["texts"]]
