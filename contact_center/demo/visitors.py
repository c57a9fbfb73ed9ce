"""Simulated chat visitors: they speak the widget's own protocol over a real WebSocket, reconnects included."""

import asyncio
import random
import secrets
import zlib
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
import structlog
from sqlalchemy import Connection, select, update
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from channels.chat.models import ChatVisit
from contact_center.core.loops import sleep
from contact_center.core.outbound import trust
from contact_center.core.services import Services
from contact_center.demo.checklist import SIMULATED
from contact_center.demo.photo import crushed_parcel
from contact_center.demo.scripts import Script
from contact_center.demo.shoppers import Shopper
from contact_center.demo.talk import Talk
from tickets.models import Customer

log = structlog.get_logger()

WIDGET = "shop"
MOST_AT_ONCE = 8
LONGEST_SECONDS = 600
PATIENCE_SECONDS = 240
THINKING = (2.0, 6.0)
LINGERING = (4.0, 10.0)
RECONNECT = (0.5, 2.0)
# Out of five, as people rate who were helped, and people who were angry.
RATINGS = {False: (5, 5, 5, 4, 4, 3), True: (1, 2, 2, 3, 4)}


@dataclass(slots=True)
class Visit:
    """One visitor's side of a conversation."""

    shopper: Shopper
    script: Script
    talk: Talk
    token: str | None = None
    seen: int = 0
    said: int = 0
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    over: bool = False


class Visitors:
    """Begins conversations and carries them on, a few at a time."""

    def __init__(self, services: Services, rng: random.Random) -> None:
        self.services = services
        self.rng = rng
        self.base = f"127.0.0.1:{services.settings.port}"
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, shopper: Shopper, script: Script, talk: Talk) -> None:
        """Somebody opens the chat, unless enough people chat already."""
        if len(self._tasks) < MOST_AT_ONCE:
            task = asyncio.create_task(self._chat(Visit(shopper, script, talk)), name="demo-visitor")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _chat(self, visit: Visit) -> None:
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                while not visit.over:
                    await self._line(visit)
                    if not visit.over:
                        await sleep(self.rng.uniform(*RECONNECT))
        except TimeoutError:
            log.info("demo.visitor_left", said=visit.said)

    async def _line(self, visit: Visit) -> None:
        """One connection, until it is lost or the conversation is over."""
        try:
            hello = await self._hello(visit)
            async with connect(
                f"ws://{self.base}/widget/{WIDGET}/ws", origin=self._origin, **self._from(visit)
            ) as line:
                await line.send(orjson.dumps(hello).decode())
                await self._talk(visit, line)
        except ConnectionClosed as closed:
            refused = closed.rcvd is not None and 4400 <= closed.rcvd.code < 4500
            visit.over = visit.over or refused
        except (OSError, WebSocketException, httpx2.HTTPError) as error:
            log.info("demo.visitor_cut", error=str(error))

    @property
    def _origin(self) -> Any:
        return f"http://{self.base}"

    def _from(self, visit: Visit) -> dict[str, Any]:
        """An address of their own on loopback, where the system has the whole of 127/8: limits count by address."""
        number = zlib.crc32(visit.shopper.email.encode())
        return {"local_addr": (f"127.1.{number >> 8 & 255}.{number % 254 + 1}", 0)}

    async def _hello(self, visit: Visit) -> dict[str, Any]:
        if visit.token:
            return {"t": "hello", "token": visit.token, "since": visit.seen}
        async with httpx2.AsyncClient(verify=trust()) as client:
            answer = await client.get(f"http://{self.base}/widget/{WIDGET}/status")
            answer.raise_for_status()
        who = {"name": visit.shopper.name, "email": visit.shopper.email, "locale": visit.shopper.locale}
        ticket = answer.json()["ticket"]
        return {"t": "hello", "token": None, "since": 0, "ticket": ticket, "page": "/demo/shop", **who}

    async def _talk(self, visit: Visit, line: ClientConnection) -> None:
        while not visit.over:
            patience = PATIENCE_SECONDS if visit.said else 10
            try:
                frame = orjson.loads(await asyncio.wait_for(line.recv(), patience))
            except TimeoutError:
                visit.over = True
                return
            await self._react(visit, line, frame)

    async def _react(self, visit: Visit, line: ClientConnection, frame: dict[str, Any]) -> None:
        match frame["t"]:
            case "hello":
                await self._greeted(visit, line, frame)
            case "ack":
                visit.waiting.pop(frame["client_id"], None)
            case "message":
                await self._heard(visit, line, [frame])
            case "ended":
                await self._rate(visit, line, asked=frame["survey"])

    async def _greeted(self, visit: Visit, line: ClientConnection, frame: dict[str, Any]) -> None:
        if frame.get("token"):
            visit.token = frame["token"]
            await self.services.db.write(_mark_simulated, frame["visit"])
        for waiting in list(visit.waiting.values()):
            await _send(line, waiting)
        if visit.said == 0:
            await self._say(visit, line)
        await self._heard(visit, line, frame["messages"])
        if frame["ended"]:
            survey = frame["survey"]
            await self._rate(visit, line, asked=survey is not None and not survey["score"])

    async def _heard(self, visit: Visit, line: ClientConnection, messages: list[dict[str, Any]]) -> None:
        new = [one for one in messages if one["public_seq"] > visit.seen]
        if not new:
            return
        visit.seen = new[-1]["public_seq"]
        if not any(one["author"]["kind"] == "agent" for one in new):
            return
        await _send(line, {"t": "read", "public_seq": visit.seen})
        await sleep(self.rng.uniform(*THINKING))
        await self._say(visit, line)

    async def _say(self, visit: Visit, line: ClientConnection) -> None:
        """The next line of the script, typed as people type; silence when all is said."""
        text = visit.talk.line(visit.said)
        if text is None:
            return
        if visit.said:
            await _send(line, {"t": "typing", "on": True})
            await sleep(min(len(text) / 25, 5.0))
        files = await self._photo(visit) if visit.script.photo and visit.said == 0 else []
        client_id = secrets.token_urlsafe(18)
        visit.waiting[client_id] = {"t": "send", "client_id": client_id, "text": text, "files": files}
        visit.said += 1
        await _send(line, visit.waiting[client_id])

    async def _photo(self, visit: Visit) -> list[str]:
        headers = {"Authorization": f"Bearer {visit.token}", "Content-Type": "image/png", "X-File-Name": "photo.png"}
        data = await asyncio.to_thread(crushed_parcel, zlib.crc32(visit.shopper.order.encode()))
        async with httpx2.AsyncClient(verify=trust()) as client:
            url = f"http://{self.base}/widget/{WIDGET}/files"
            answer = await client.post(url, content=data, headers={**headers, "Origin": self._origin})
        return [answer.json()["id"]] if answer.status_code == 201 else []

    async def _rate(self, visit: Visit, line: ClientConnection, *, asked: bool) -> None:
        if asked and self.rng.random() < 0.6:
            await sleep(self.rng.uniform(*LINGERING))
            score = self.rng.choice(RATINGS[visit.script.angry])
            await _send(line, {"t": "csat", "score": score, "comment": ""})
        visit.over = True


async def _send(line: ClientConnection, frame: dict[str, Any]) -> None:
    await line.send(orjson.dumps(frame).decode())


def _mark_simulated(tx: Connection, visit_id: int) -> None:
    owner = select(ChatVisit.customer_id).where(ChatVisit.id == visit_id).scalar_subquery()
    tx.execute(update(Customer).where(Customer.id == owner).values(attributes={SIMULATED: True}))
