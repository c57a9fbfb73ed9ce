"""Known addresses while somebody types one."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from agent_ui import copies
from contact_center.core.services import services

SHORTEST = 2


async def suggest(request: Request) -> Response:
    """Addresses that begin like `?q=`, with their names."""
    begun = request.query_params.get("q", "")[:100]
    rows = await services(request).db.read(copies.known, begun) if len(begun.strip()) >= SHORTEST else ()
    return JSONResponse([{"address": row.value, "name": row.name} for row in rows])
