"""Administration of who serves a queue: the routing profiles of all agents, seen from one queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_ui.forms import Form, blank, read_form
from agent_ui.pages.admin import admin_page, administer, go
from agent_ui.pages.admin_profiles import HANDLERS, LONGEST_DELAY
from contact_center.accounts.audit import record
from contact_center.accounts.models import User
from contact_center.accounts.web import locale_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.services import services
from routing import profiles
from routing.models import ProfileRow
from tickets.models import Queue


def routes() -> list[Route]:
    """/admin/queues/…/agents."""
    return [administer("/queues/{queue_id:int}/agents", edit, "GET", "POST")]


@dataclass(frozen=True, slots=True)
class Opened:
    """A queue and everybody who may handle work; `priority` and `delay` are None for those who do not serve it."""

    queue: Row[*tuple[Any, ...]]
    agents: Sequence[Row[*tuple[Any, ...]]]


def open_agents(tx: Connection, queue_id: int) -> Opened:
    """A queue by id with its agents; two statements."""
    queue = tx.execute(select(Queue.id, Queue.name).where(Queue.id == queue_id)).first()
    if queue is None:
        raise NotFound("There is no such queue.")
    agents = (
        select(User.id, User.name, ProfileRow.priority, ProfileRow.delay)
        .outerjoin(ProfileRow, (ProfileRow.user_id == User.id) & (ProfileRow.queue_id == queue_id))
        .where(User.active, User.role.in_(HANDLERS))
        .order_by(User.name, User.id)
    )
    return Opened(queue, tx.execute(agents).all())


async def edit(request: Request) -> Response:
    """Who serves a queue, in which order of theirs, and after which wait."""
    held = services(request)
    queue_id = request.path_params["queue_id"]
    opened = await held.db.read(open_agents, queue_id)
    if request.method == "GET":
        return await _show(request, opened, blank(await locale_of(request), stored(opened)))
    form = await read_form(request)
    wanted = {
        agent.id: (
            form.number(f"priority_{agent.id}", 1, 9, default=1),
            form.number(f"delay_{agent.id}", 0, LONGEST_DELAY, default=0),
        )
        if form.flag(f"serves_{agent.id}")
        else None
        for agent in opened.agents
    }
    if form.ok:
        saving = held.db.write(save, queue_id, wanted, by=request.state.person.id, now=utcnow())
        await form.attempt(saving)
    if form.ok:
        return go(f"/admin/queues/{queue_id}/agents", "saved")
    return await _show(request, opened, form)


def stored(opened: Opened) -> dict[str, str]:
    """Who serves the queue, as the values of the form."""
    values: dict[str, str] = {}
    for agent in opened.agents:
        if agent.priority is not None:
            values[f"serves_{agent.id}"] = "1"
            values[f"priority_{agent.id}"] = str(agent.priority)
            values[f"delay_{agent.id}"] = str(agent.delay)
    return values


def save(
    tx: Connection, queue_id: int, wanted: Mapping[int, tuple[int, int] | None], *, by: int, now: datetime
) -> None:
    """Make the named agents serve the queue exactly so, and audit what changed."""
    changed: dict[str, Any] = {}
    for agent in open_agents(tx, queue_id).agents:
        if agent.id not in wanted:
            continue
        row = wanted[agent.id]
        present = None if agent.priority is None else (agent.priority, agent.delay)
        if row == present:
            continue
        changed[str(agent.id)] = list(row) if row else None
        if row is None:
            profiles.drop_row(tx, agent.id, queue_id, now=now)
        else:
            profiles.set_row(tx, agent.id, queue_id, priority=row[0], delay=row[1], now=now)
    details = {"agents": changed}
    record(tx, "queue.agents_changed", f"queue:{queue_id}", now=now, user_id=by, details=details)


async def _show(request: Request, opened: Opened, form: Form) -> Response:
    status = 200 if form.ok else 422
    return await admin_page(request, "queue_agents.html", "queues", status=status, opened=opened, form=form)
