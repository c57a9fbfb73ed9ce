"""The real web process with a shop's widget and an agent, as a child process that tests start, stop and kill.

`serve` is the child's side. Beside the product's own pages there is the shop's page at `/`
of localhost (a foreign site for 127.0.0.1), and `/api/test/…` to play the agent through the real use cases.
"""

import asyncio
import os
import signal
import socket
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from channels.chat.models import ChatVisit
from contact_center.accounts.models import User
from contact_center.app import Extension, build
from contact_center.core import logs
from contact_center.core.clock import utcnow
from contact_center.core.db import sqlite_engine
from contact_center.core.outbound import trust
from contact_center.core.services import services
from contact_center.core.settings import Settings
from contact_center.tables import METADATA
from tests.browser import children
from tests.factories import make_account, make_queue, make_user
from tickets import assignments, channel_accounts, lifecycle
from tickets.models import Message
from tickets.quality.models import Survey
from tickets.replies import Author, Reply, note, reply
from tickets.states import AssignmentReason, Channel

SHOP = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><h1>A shop</h1>
<script async src="http://127.0.0.1:{port}/widget/loader.js" data-widget="shop"></script></body></html>"""


def prepare(settings: Settings) -> None:
    """Tables, a widget, a mailbox and an agent, if they are not there."""
    engine = sqlite_engine(settings.database)
    METADATA.create_all(engine)
    with engine.begin() as tx:
        if tx.execute(select(User.id)).first() is None:
            queue_id = make_queue(tx, "Shop")
            origins = {"origins": [f"http://localhost:{settings.port}"]}
            given = {"key": "shop", "name": "Harbor Supply", "queue_id": queue_id, "settings": origins}
            make_account(tx, Channel.CHAT, **given)
            make_account(tx, Channel.EMAIL, queue_id=queue_id)
            make_user(tx, name="Lan Nguyen")
    engine.dispose()


async def shop(request: Request) -> Response:
    port = request.url.port
    own = f"http://127.0.0.1:{port}"
    policy = f"default-src 'none'; script-src {own}; frame-src {own}"
    return HTMLResponse(SHOP.format(port=port), headers={"Content-Security-Policy": policy})


async def act(request: Request) -> Response:
    """One deed of the agent in the newest conversation: say, note, join, read, resolve."""
    order = await request.json()
    done = await services(request).db.write(_act, order)
    return JSONResponse({"done": done})


def _act(tx: Connection, order: dict[str, Any]) -> bool:
    ticket_id = tx.execute(
        select(ChatVisit.ticket_id).where(ChatVisit.ticket_id.is_not(None)).order_by(ChatVisit.id.desc())
    ).scalar()
    user_id = tx.execute(select(User.id)).scalar_one()
    if ticket_id is None:
        return False
    now, author = utcnow(), Author(user_id, order.get("client_id"))
    match order["do"]:
        case "say":
            reply(tx, ticket_id, Reply(order["text"]), author=author, now=now)
        case "note":
            note(tx, ticket_id, order["text"], author=author, now=now)
        case "join":
            assignments.assign(tx, ticket_id, user_id, reason=AssignmentReason.TAKEN, now=now)
        case "read":
            lifecycle.mark_read(tx, ticket_id, user_id, order["seq"])
        case "resolve":
            lifecycle.resolve(tx, ticket_id, user_id=user_id, now=now)
    return True


async def look(request: Request) -> Response:
    """What the database holds: every message with its numbers, and every visit."""
    return JSONResponse(await services(request).db.read(_look))


def _look(tx: Connection) -> dict[str, Any]:
    columns = ("seq", "public_seq", "kind", "channel", "text", "delivery")
    rows = tx.execute(select(*(getattr(Message, name) for name in columns)).order_by(Message.ticket_id, Message.seq))
    visits = tx.execute(select(ChatVisit.__table__).order_by(ChatVisit.id)).mappings()
    asked = tx.execute(select(Survey.rating, Survey.state)).mappings()
    return {
        "surveys": [dict(row) for row in asked],
        "messages": [dict(zip(columns, row, strict=True)) for row in rows],
        "visits": [{name: str(value) for name, value in row.items()} for row in visits],
    }


async def change(request: Request) -> Response:
    """Change the widget's settings."""
    held = services(request)

    def settings(tx: Connection, values: dict[str, Any]) -> None:
        account = channel_accounts.by_key(tx, held.vault, "shop")
        channel_accounts.change(tx, held.vault, account.id, now=utcnow(), values={"settings": values})

    await held.db.write(settings, await request.json())
    return JSONResponse({})


def serve(folder: Path, port: int) -> None:
    settings = Settings(data_dir=folder, port=port)
    logs.configure("warning", "text")
    prepare(settings)
    routes = [
        Route("/shop", shop),
        Route("/api/test/act", act, methods=["POST"]),
        Route("/api/test/look", look),
        Route("/api/test/change", change, methods=["POST"]),
    ]
    config = uvicorn.Config(
        build(settings, extension=Extension(routes=routes)),
        port=port,
        log_config=None,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run()


class Desk:
    """The child process; the folder keeps its database over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.base = f"http://localhost:{self.port}/shop"
        self.own = f"http://127.0.0.1:{self.port}"
        self.child: ForkServerProcess

    async def start(self) -> None:
        """Start it and wait until it answers."""
        log = self.folder / "desk.log"
        self.child = await asyncio.to_thread(children.start, serve, self.folder, self.port, log=log)
        async with httpx2.AsyncClient(verify=trust()) as client:
            for _ in range(3000):
                assert self.child.exitcode is None, log.read_text()
                try:
                    if (await client.get(f"{self.own}/readyz")).status_code == 200:
                        return
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
        raise AssertionError("the server did not start")

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, gracefully or not."""
        if self.child.exitcode is None and self.child.pid is not None:
            os.kill(self.child.pid, number)
        await asyncio.to_thread(self.child.join)

    async def act(self, do: str, **order: object) -> None:
        """Play the agent; tries again (with the same client id) while the server is away."""
        async with httpx2.AsyncClient(verify=trust()) as client:
            for _ in range(1500):
                try:
                    answer = await client.post(f"{self.own}/api/test/act", json={"do": do, **order}, timeout=5)
                    if answer.status_code == 200 and answer.json()["done"]:
                        return
                except httpx2.TransportError:
                    pass
                await asyncio.sleep(0.1)
        raise AssertionError(f"the agent could not {do}")

    async def look(self) -> dict[str, list[dict[str, Any]]]:
        """What the database holds."""
        async with httpx2.AsyncClient(verify=trust()) as client:
            return (await client.get(f"{self.own}/api/test/look")).json()  # type: ignore[no-any-return]

    async def change(self, **settings: object) -> None:
        async with httpx2.AsyncClient(verify=trust()) as client:
            await client.post(f"{self.own}/api/test/change", json=settings)
