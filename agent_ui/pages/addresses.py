"""Who is meant while somebody types: known addresses, and colleagues after an "@"."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_ui import copies
from agent_ui.filters import initials
from contact_center.accounts.models import User
from contact_center.accounts.web import person_of
from contact_center.core.services import services

SHORTEST = 2


async def suggest(request: Request) -> Response:
    """Addresses that begin like `?q=`, with their names."""
    begun = request.query_params.get("q", "")[:100]
    rows = await services(request).db.read(copies.known, begun) if len(begun.strip()) >= SHORTEST else ()
    return JSONResponse([{"address": row.value, "name": row.name} for row in rows])


async def colleagues(request: Request) -> Response:
    """Everybody active but the person themselves, by name."""
    person = await person_of(request)
    query = select(User.name).where(User.active, User.id != person.id).order_by(User.name)
    names = await services(request).db.read(_all_of, query)
    return JSONResponse([{"name": name, "initials": initials(name)} for name in names])


def _all_of(tx: Connection, query: Select[Any]) -> Sequence[str]:
    return tx.execute(query).scalars().all()
