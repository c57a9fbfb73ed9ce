"""A served demo without its simulation: the real server and its middleware, loops only when a test starts them."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from channels.chat import identity
from contact_center.accounts import users
from contact_center.accounts.permissions import Role
from contact_center.app import Extension, build
from contact_center.core.clock import utcnow
from contact_center.core.db import one_shot
from contact_center.core.outbound import trust
from contact_center.core.secrets import Vault, load_secret
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from contact_center.demo import doors, shop
from contact_center.demo.bar import Bar, WithBar
from contact_center.demo.breaking import Breaker, CutLine
from contact_center.demo.cast import MAIL_ADDRESS, SHOP
from contact_center.demo.doors import DOORS
from contact_center.demo.loopback import free_port
from contact_center.demo.mailbox import MailServer
from contact_center.demo.server import FOLDER
from tests.factories import make_queue
from tests.serving import server_of
from tickets import channel_accounts
from tickets.states import Channel

BROWSER = "Mozilla/5.0 (tests)"
ROLES = {"agent": Role.AGENT, "supervisor": Role.SUPERVISOR, "qa": Role.QA, "admin": Role.ADMIN}


@dataclass
class Served:
    """The running server, what it is made of, and a browser's client."""

    app: Starlette
    services: Services
    breaker: Breaker
    mail: MailServer
    http: httpx2.AsyncClient
    port: int
    sent: list[str]

    def at(self, host: str, path: str) -> dict[str, Any]:
        """Arguments of a request under a door's host name, as its page makes it."""
        name = f"{host}.localhost:{self.port}" if host else f"127.0.0.1:{self.port}"
        return {"url": f"http://127.0.0.1:{self.port}{path}", "headers": {"host": name, "origin": f"http://{name}"}}

    async def rows(self, model: Any) -> Sequence[Any]:
        table = model.__table__
        return await self.services.db.read(lambda tx: tx.execute(table.select().order_by(table.c.id)).all())

    async def state(self, host: str = "", **told: Any) -> dict[str, Any]:
        """What the bar shows a page under a host name that tells this of itself."""
        answer = await self.http.post(**self.at(host, "/demo/state"), json=told)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def open_shop(tx: Connection, vault: Vault) -> None:
    """Everybody behind a door, in both languages; a queue and the accounts of the channels."""
    queue_id = make_queue(tx)
    mail = {"domain": "lotus-lane.example", "sender_name": SHOP, "receiver": True}
    for channel, name, address, settings in (
        (Channel.EMAIL, "Shop mail", MAIL_ADDRESS, mail),
        (Channel.CHAT, "Shop chat", "shop", {"title": SHOP, "origins": ["*"], "accent": "#2f5d4a"}),
    ):
        channel_accounts.create(
            tx,
            vault,
            channel=channel,
            name=name,
            address=address,
            queue_id=queue_id,
            now=utcnow(),
            settings=settings,
            secrets=identity.rotated({}, now=utcnow(), keep_old=False) if channel is Channel.CHAT else None,
            key="shop" if channel is Channel.CHAT else None,
        )
    for door in DOORS:
        for name in {door.person, door.person_vi} - {""}:
            email = f"{name.replace(' ', '.').lower()}@shop.example"
            users.create(tx, email=email, name=name, role=ROLES[door.host], password="x" * 12, now=utcnow())


@asynccontextmanager
async def served(database_url: str, folder: Path, *, loops: Sequence[str] = ("none",)) -> AsyncIterator[Served]:
    """The demo's doors, bar, mailbox and shop page over a real socket."""
    with one_shot(database_url) as tx:
        open_shop(tx, Vault(load_secret(Settings(data_dir=folder))))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    breaker, mail, sent = Breaker(), MailServer(random.Random(1)), list[str]()

    async def write() -> list[str]:
        return sent

    bar = Bar(breaker, started_at=utcnow(), write=write)
    routes: list[BaseRoute] = [*doors.ROUTES, *shop.routes(), *bar.routes, *mail.routes()]
    extension = Extension(
        routes=routes,
        middleware=[Middleware(WithBar), Middleware(CutLine, breaker=breaker)],
        template_folders=[FOLDER / "templates"],
        loops=lambda services: [mail.loop(services)],
    )
    settings = Settings(database_url=database_url, data_dir=folder, port=port, smtp_in_port=free_port())
    app = build(settings, loops=list(loops), extension=extension)
    server = server_of(app, port)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    services: Services = app.state.services
    headers = {"user-agent": BROWSER, "accept": "text/html", "accept-encoding": "identity"}
    async with httpx2.AsyncClient(verify=trust(), headers=headers) as http:
        yield Served(app, services, breaker, mail, http, port, sent)
    server.should_exit = True
    await running
    listening.close()
