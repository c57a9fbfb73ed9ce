"""The system page: version, database, loops of this process, and what the set-up check finds."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.pages.admin import admin_page, administer
from contact_center.accounts.web import locale_of
from contact_center.core.bus import MemoryBus
from contact_center.core.events import EventRow, HandlerFailure
from contact_center.core.services import Services, services
from contact_center.version import VERSION
from tickets.models import Message, Ticket

# Tables of more rows are estimated where the database can: counting reads every one of them.
COUNTED = 100_000


def routes() -> list[Route]:
    """/admin, /admin/system."""
    return [administer("/system", index)]


@dataclass(frozen=True, slots=True)
class Health:
    """What the database tells of itself."""

    kind: str
    version: str
    size: int
    tickets: int
    messages: int
    waiting_events: int
    dead_handlers: int


def read_health(tx: Connection) -> Health:
    """Kind, version, size; counts of large tables are the database's own estimates."""
    if tx.dialect.name == "postgresql":
        version = tx.execute(text("SHOW server_version")).scalar_one()
        size = tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    else:
        version = tx.execute(text("SELECT sqlite_version()")).scalar_one()
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        size = pages * tx.execute(text("PRAGMA page_size")).scalar_one()
    waiting = select(func.count()).select_from(EventRow).where(EventRow.dispatched_at.is_(None))
    dead = select(func.count()).select_from(HandlerFailure).where(HandlerFailure.dead_at.is_not(None))
    return Health(
        kind="PostgreSQL" if tx.dialect.name == "postgresql" else "SQLite",
        version=str(version).split()[0],
        size=size,
        tickets=_rows(tx, Ticket),
        messages=_rows(tx, Message),
        waiting_events=tx.execute(waiting).scalar_one(),
        dead_handlers=tx.execute(dead).scalar_one(),
    )


def _rows(tx: Connection, model: type[Ticket] | type[Message]) -> int:
    """How many rows a table has; ids do not tell, as ranges of them are reserved and never used up."""
    if tx.dialect.name == "postgresql":
        estimate = text("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(:table)")
        about: int = tx.execute(estimate, {"table": model.__tablename__}).scalar_one()
        if about > COUNTED:
            return about
    return tx.execute(select(func.count()).select_from(model)).scalar_one()


async def index(request: Request) -> Response:
    """How this installation is, and what should be mended."""
    held = services(request)
    health = await held.db.read(read_health)
    findings = await asyncio.to_thread(_findings, held)
    return await admin_page(
        request,
        "system.html",
        "system",
        version=VERSION,
        health=health,
        settings=held.settings,
        one_process=isinstance(held.bus, MemoryBus),
        sockets=len(held.hub.sockets),
        loops=request.app.state.process.supervisor.loops,
        findings=findings,
        locale=await locale_of(request),
    )


def _findings(held: Services) -> list[Any]:
    """What `contact-center check` says; it looks at the network and the disk, so not in the event loop."""
    found: list[Any] = held.tables["findings"](held.settings)
    return found
