"""An agent and a customer who use the product as their browsers do: pages, forms and WebSockets, over the network."""

import asyncio
import re
import uuid
from types import TracebackType
from typing import Any, Self

import httpx2
import orjson
import websockets

from contact_center.core.outbound import trust

TICKET_IN_PAGE = re.compile(r'"ticket":\s*"([^"]+)"')
TOPICS_IN_PAGE = re.compile(r'data-topics="([^"]+)"')
VIA_IN_PAGE = re.compile(r'name="via"[^>]*value="([^"]+)"')
PATIENCE = 45


class Agent:
    """Signed in on one web process, with the console's socket open."""

    def __init__(self, url: str, email: str, password: str) -> None:
        self.url = url
        self.email = email
        self.password = password
        self.client = httpx2.AsyncClient(verify=trust(), base_url=url, headers={"origin": url}, timeout=PATIENCE)
        self.frames: list[dict[str, Any]] = []
        self.socket: websockets.ClientConnection

    async def __aenter__(self) -> Self:
        answer = await self.client.post("/login", data={"email": self.email, "password": self.password})
        assert answer.status_code == 303, answer.text
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        self.socket = await websockets.connect(
            self.url.replace("http", "ws") + "/ws",
            origin=websockets.Origin(self.url),
            additional_headers={"cookie": cookies},
        )
        self._reader = asyncio.create_task(self._read())
        topics = TOPICS_IN_PAGE.search(await self.page("/inbox"))
        assert topics
        joined = {"type": "join", "topics": dict.fromkeys(topics.group(1).split())}
        await self.socket.send(orjson.dumps(joined).decode())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.socket.close()
        await self.client.aclose()

    async def _read(self) -> None:
        async for text in self.socket:
            self.frames.append(orjson.loads(text))

    async def post(self, path: str, **form: str) -> httpx2.Response:
        """A command, as the console's forms post it."""
        answer = await self.client.post(path, data=form, headers={"hx-request": "true"})
        assert answer.status_code < 400, answer.text
        return answer

    async def answers(self, number: int, text: str, *, then: str = "") -> None:
        """Answer in the conversation by the way that its composer has chosen."""
        via = VIA_IN_PAGE.search(await self.page(f"/tickets/{number}"))
        assert via
        form = {"text": text, "via": via.group(1), "client_id": uuid.uuid4().hex, "then": then}
        await self.post(f"/tickets/{number}/messages", **form)

    async def sees(self, pattern: str) -> re.Match[str]:
        """Wait for a pushed fragment that matches."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for frame in self.frames:
                    found = re.search(pattern, orjson.dumps(frame).decode())
                    if found:
                        return found
                await asyncio.sleep(0.01)

    async def page(self, path: str) -> str:
        answer = await self.client.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text


class Customer:
    """A visitor of a site with our chat widget, on one web process."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.frames: list[dict[str, Any]] = []
        self.token: str | None = None
        self.since = 0

    async def __aenter__(self) -> Self:
        async with httpx2.AsyncClient(verify=trust(), base_url=self.url) as client:
            page = await client.get(f"/widget/{self.key}/frame")
        found = TICKET_IN_PAGE.search(page.text)
        assert found, page.text
        self.ticket = found.group(1)
        await self.connect()
        return self

    async def connect(self) -> None:
        """Open the line, or open it again where it was."""
        self.socket = await websockets.connect(
            f"{self.url.replace('http', 'ws')}/widget/{self.key}/ws", origin=websockets.Origin(self.url)
        )
        hello = {"t": "hello", "token": self.token, "since": self.since, "ticket": self.ticket, "name": "Grace"}
        await self.socket.send(orjson.dumps(hello).decode())
        self._reader = asyncio.create_task(self._read())
        answer = await self.gets("hello")
        self.token = answer.get("token") or self.token

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.socket.close()

    async def _read(self) -> None:
        async for text in self.socket:
            self.frames.append(orjson.loads(text))

    async def says(self, text: str) -> dict[str, Any]:
        """Send a message and wait for its ack."""
        client_id = uuid.uuid4().hex
        await self.socket.send(orjson.dumps({"t": "send", "client_id": client_id, "text": text, "files": []}).decode())
        return await self.gets("ack", client_id=client_id)

    async def gets(self, kind: str, **values: Any) -> dict[str, Any]:
        """Wait for a frame of a kind that has these values."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for frame in self.frames:
                    if frame["t"] == kind and all(frame.get(name) == value for name, value in values.items()):
                        return frame
                await asyncio.sleep(0.01)
