"""A floor for browser tests: the real web process (uvicorn, SQLite, all loops) as a child, with customers to play.

`serve` is the child's side. `/test/…` play the customers through the real use cases.
"""

import base64
import contextlib
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channels.email.sanitize import sanitised
from channels.sms import templates
from channels.sms.templates import Template
from contact_center.accounts import users
from contact_center.accounts.permissions import Role
from contact_center.app import Extension, build
from contact_center.core.clock import utcnow
from contact_center.core.db import sqlite_engine
from contact_center.core.outbound import trust
from contact_center.core.relay import Relay
from contact_center.core.services import services
from contact_center.core.settings import Settings
from contact_center.tables import METADATA
from contact_center.wiring import HANDLERS
from routing import handling, presence, profiles
from routing.models import AgentState, WorkItem
from routing.states import Presence
from tests.browser import children, phone
from tests.factories import inbound, make_account, make_queue, unique
from tickets import intake, lifecycle
from tickets.inbound import StoredFile
from tickets.models import ChannelAccount, Message, Ticket
from tickets.states import Channel

PASSWORD = "correct horse battery"
PEOPLE = {
    "anna": ("Anna Bergstrom", Role.AGENT),
    "minh": ("Minh Tran", Role.AGENT),
    "sara": ("Sara Lind", Role.SUPERVISOR),
}
START_SECONDS = 120
PLACES = {"1": "Mai", "2": "77"}
TEMPLATES = [
    Template("HX1", "order_delayed", "en", "utility", "approved", "", "Hi {{1}}, order {{2}} is late.", PLACES),
    Template("HX2", "xin_loi", "vi", "utility", "approved", "", "Chào {{1}}, bên mình xin lỗi ạ.", {"1": "Mai"}),
    Template("HX3", "sale", "en", "marketing", "rejected", "Too much shouting", "SALE SALE SALE", {}),
]
# The smallest picture: one red dot.
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def prepare(settings: Settings) -> None:
    """Tables, people, a queue that they serve, and accounts, if they are not there."""
    engine = sqlite_engine(settings.database)
    METADATA.create_all(engine)
    with engine.begin() as tx:
        if tx.execute(select(ChannelAccount.id)).first() is None:
            now = utcnow()
            queue_id = make_queue(tx, "Orders")
            for channel in (Channel.CHAT, Channel.EMAIL, Channel.SMS, Channel.WHATSAPP):
                account_id = make_account(tx, channel, queue_id=queue_id)
            templates.keep(tx, account_id, TEMPLATES, now=now)
            for name, (full, role) in PEOPLE.items():
                address = f"{name}@shop.test"
                user_id = users.create(tx, email=address, name=full, role=role, password=PASSWORD, now=now)
                if role is Role.AGENT:
                    profiles.set_row(tx, user_id, queue_id, now=now)
    engine.dispose()


async def say(request: Request) -> Response:
    """A customer writes: ?channel=&from=&text=&ago=, that many hours ago."""
    asked = request.query_params
    channel = Channel(asked.get("channel", "chat"))
    sender = asked.get("from") or unique("visit-")

    def write(tx: Connection) -> Any:
        account_id = tx.execute(select(ChannelAccount.id).where(ChannelAccount.channel == channel.value)).scalar_one()
        thread = None if channel is Channel.EMAIL else sender
        given = {"channel": channel, "sender": sender, "thread_key": thread, "text": asked.get("text", "Hello")}
        now = utcnow() - timedelta(hours=int(asked.get("ago", "0")))
        return intake.receive(tx, inbound(account_id, **given, subject=asked.get("subject", "")), now=now)

    receipt = await services(request).db.write(write)
    return JSONResponse({"from": sender, "ticket_id": receipt.ticket_id})


async def mail(request: Request) -> Response:
    """A customer's mail with a picture of its own and one from elsewhere."""
    held = services(request)
    own = StoredFile(held.files.put(DOT), "dot.png", "image/png", len(DOT), inline=True, content_id="dot")
    html = sanitised('<p>Look</p><img src="cid:dot" alt="own"><img src="http://127.0.0.1/pixel.png" alt="elsewhere">')

    def write(tx: Connection) -> Any:
        account_id = tx.execute(select(ChannelAccount.id).where(ChannelAccount.channel == "email")).scalar_one()
        given = {"channel": Channel.EMAIL, "sender": "pia@example.com", "subject": "Photo", "text": "Look"}
        return intake.receive(tx, inbound(account_id, **given, html=html, attachments=(own,)), now=utcnow())

    receipt = await held.db.write(write)
    return JSONResponse({"ticket_id": receipt.ticket_id})


async def seen_by_customer(request: Request) -> Response:
    """The texts that the customer of a ticket may see."""
    ticket_id = int(request.query_params["ticket_id"])

    def read(tx: Connection) -> list[str]:
        public = select(Message.text).where(Message.ticket_id == ticket_id, Message.public_seq.is_not(None))
        return list(tx.execute(public.order_by(Message.public_seq)).scalars())

    return JSONResponse(await services(request).db.read(read))


async def clear(request: Request) -> Response:
    """Everything is done and nobody is on the floor: the next test begins with a quiet one."""

    def finish(tx: Connection) -> None:
        now = utcnow()
        for agent_id in list(tx.execute(select(AgentState.user_id)).scalars()):
            presence.set_presence(tx, agent_id, Presence.OFFLINE, now=now)
        for ticket_id in list(tx.execute(select(Ticket.id).where(Ticket.status.in_(("new", "open")))).scalars()):
            lifecycle.resolve(tx, ticket_id, user_id=None, now=now)

    def wrap_up(tx: Connection) -> None:
        for item in tx.execute(select(WorkItem.ticket_id, WorkItem.agent_id).where(WorkItem.state == "wrapping")).all():
            handling.finish(tx, item.ticket_id, item.agent_id, now=utcnow())

    db = services(request).db
    await db.write(finish)
    await Relay(db, HANDLERS).run_once()
    await db.write(wrap_up)
    return JSONResponse({})


def serve(folder: str, port: int) -> None:
    settings = Settings(data_dir=Path(folder), port=port, database_url=f"sqlite:///{folder}/floor.db")
    prepare(settings)
    routes = [
        Route("/test/say", say),
        Route("/test/mail", mail),
        Route("/test/seen", seen_by_customer),
        Route("/test/clear", clear),
        *phone.ROUTES,
    ]
    app = build(settings, extension=Extension(routes=routes))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", ws="websockets-sansio")


class Floor:
    """The child process and the customers' side of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: ForkServerProcess | None = None

    def start(self) -> None:
        """Start the process, and wait until it answers."""
        log = self.folder / "floor.log"
        self.process = children.start(serve, str(self.folder), self.port, log=log)
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            with contextlib.suppress(httpx2.HTTPError):
                if httpx2.get(f"{self.url}/readyz", verify=trust(), timeout=2).status_code == 200:
                    return
            self.process.join(0.05)
            assert self.process.exitcode is None, log.read_text()
        raise AssertionError("the floor did not start")

    def stop(self) -> None:
        if self.process is not None:
            children.stop(self.process)

    def _play(self, what: str, seconds: float = 10, **asked: Any) -> Any:
        """The answer of `/test/…`."""
        address = f"{self.url}/test/{what}"
        return httpx2.get(address, params=asked, verify=trust(), timeout=seconds).raise_for_status().json()

    def say(self, text: str, *, who: str = "", **more: str) -> dict[str, Any]:
        """A customer writes; the answer names them and the ticket."""
        answer: dict[str, Any] = self._play("say", **{"text": text, "from": who, **more})
        return answer

    def mail(self) -> int:
        """The ticket of a mail with pictures."""
        return int(self._play("mail")["ticket_id"])

    def seen(self, ticket_id: int) -> list[str]:
        """What the customer may see."""
        answer: list[str] = self._play("seen", ticket_id=ticket_id)
        return answer

    def call(self, ticket_id: int, who: str) -> int:
        """Somebody here and the customer of a ticket talk on the phone."""
        return int(self._play("call", ticket_id=ticket_id, who=who)["call_id"])

    def ring(self, number: str, name: str, other: str) -> int:
        """A number that nobody has calls; a customer of this name has the other one. The ticket of the call."""
        return int(self._play("call/ring", number=number, name=name, other=other)["ticket_id"])

    def end_call(self, call_id: int) -> None:
        """They hang up."""
        self._play("call/end", call_id=call_id)

    def clear(self) -> None:
        """Nothing waits and nobody is on the floor."""
        self._play("clear", 20)


@contextlib.contextmanager
def open_floor(folder: Path) -> Iterator[Floor]:
    floor = Floor(folder)
    try:
        floor.start()
        yield floor
    finally:
        floor.stop()
