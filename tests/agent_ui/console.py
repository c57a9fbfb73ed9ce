"""The console of a test: the whole web process without loops, signed-in people, and the statements they cost."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from contact_center.accounts import sessions
from contact_center.accounts.permissions import Role
from contact_center.accounts.web import COOKIE
from contact_center.app import build
from contact_center.core.clock import utcnow
from contact_center.core.db import Database
from contact_center.core.services import Services
from contact_center.core.settings import Settings
from tests.factories import make_user

BASE = "http://console.test"
SAME_ORIGIN = {"origin": BASE, "sec-fetch-site": "same-origin"}
PAGE = {"accept": "text/html"}
HTMX = {"hx-request": "true", **SAME_ORIGIN}
SCRIPT = {"accept": "application/json", **SAME_ORIGIN}


@dataclass
class Seat:
    """One signed-in person and their browser."""

    user_id: int
    token: str
    http: httpx2.AsyncClient

    async def page(self, path: str) -> httpx2.Response:
        return await self.http.get(path, headers=PAGE)

    async def part(self, path: str) -> httpx2.Response:
        return await self.http.get(path, headers=HTMX)

    async def post(self, path: str, /, headers: dict[str, str] | None = None, **form: str) -> httpx2.Response:
        return await self.http.post(path, data=form, headers=headers or HTMX)


@dataclass
class Console:
    """The running console."""

    services: Services
    app: Any
    seats: list[httpx2.AsyncClient]

    @property
    def db(self) -> Database:
        return self.services.db

    async def write(self, use_case: Callable[..., Any], *args: Any, **values: Any) -> Any:
        return await self.db.write(use_case, *args, **values)

    async def sit(self, role: Role = Role.AGENT, name: str | None = None, locale: str | None = None) -> Seat:
        """Sign a new person in."""

        def start(tx: Connection) -> tuple[int, str]:
            user_id = make_user(tx, role=role, name=name)
            if locale:
                tx.exec_driver_sql(f"UPDATE users SET locale = '{locale}' WHERE id = {user_id}")
            token = sessions.start(tx, user_id, device="Firefox/140 Linux", address="127.0.0.1", days=1, now=utcnow())
            return user_id, token

        user_id, token = await self.db.write(start)
        http = self.browser()
        http.cookies.set(COOKIE, token)
        return Seat(user_id, token, http)

    def browser(self) -> httpx2.AsyncClient:
        """A browser nobody has signed in with."""
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=BASE)
        self.seats.append(http)
        return http


@contextlib.asynccontextmanager
async def open_console(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Console]:
    """A console on an empty database that has all tables."""
    values = {"data_dir": folder, "database_url": database_url, "public_url": BASE, **settings}
    app = build(Settings(**values), loops=["none"])
    async with app.router.lifespan_context(app):
        console = Console(app.state.services, app, [])
        yield console
        for seat in console.seats:
            await seat.aclose()


async def cost(seat: Seat, path: str, *, part: bool = False) -> int:
    """How many statements a page (or its part) takes: the least of three, as a web process has loops beside it."""
    counts = []
    for _ in range(3):
        with statements() as seen:
            await (seat.part if part else seat.page)(path)
        counts.append(len(seen))
    return min(counts)


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL that runs inside the block, without BEGIN and pragmas."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
