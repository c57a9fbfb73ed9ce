"""What a supervisor opens from the board, and does there: an agent with their work, and why something still waits."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from agent_ui.forms import read_form
from agent_ui.pages.admin import DONE, go
from agent_ui.pages.board_live import away_name
from agent_ui.shell import fragment, page
from contact_center.accounts.audit import record
from contact_center.accounts.models import User
from contact_center.accounts.permissions import Permission
from contact_center.accounts.web import locale_of, signed_in
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from contact_center.reports.definitions import OPEN_ITEM
from contact_center.reports.floor import Scope
from contact_center.reports.live import agents_query, customer_name, day_start
from routing import away_reasons, explain, handling, presence, queries
from routing.explain import Explanation
from routing.models import AgentState, ProfileRow, WorkItem
from routing.pools import PoolName
from routing.states import Presence, WorkItemState
from tickets.models import ContactPoint, Customer, Queue, Ticket
from tickets.numbers import number_of

OBSTACLES = {
    "presence": mark("not available"),
    "absence": mark("absent"),
    "channel": mark("this channel is switched off"),
    "profile": mark("does not serve this queue"),
    "delay": mark("helps out only after a longer wait"),
    "skill": mark("lacks a skill"),
    "step": mark("not in this step"),
    "tried": mark("let it go already"),
    "pool": mark("no room"),
    "hours": mark("the queue is closed"),
    "back_off": mark("everybody was asked, a short rest before the next round"),
}
WORK_STATES = {
    WorkItemState.RESERVED.value: mark("Being offered"),
    WorkItemState.ASSIGNED.value: mark("In hand"),
    WorkItemState.PAUSED.value: mark("Paused"),
    WorkItemState.WRAPPING.value: mark("Wrap-up"),
    WorkItemState.QUEUED.value: mark("Waiting"),
}


def routes() -> list[Route]:
    """Fragments for the board's dialog (whole pages without scripts), and the commands in them."""
    see, act = Permission.VIEW_BOARD, Permission.ASSIGN_OTHERS
    return [
        Route("/board/agents/{user_id:int}", signed_in(agent, see), methods=["GET"]),
        Route("/board/agents/{user_id:int}/presence", signed_in(set_presence, act), methods=["POST"]),
        Route("/board/waiting/{work_item_id:int}", signed_in(waiting, see), methods=["GET"]),
        Route("/board/tickets/{ticket_id:int}/requeue", signed_in(requeue, act), methods=["POST"]),
        Route("/board/tickets/{ticket_id:int}/assign", signed_in(assign, act), methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Held:
    """One piece of work in an agent's hands."""

    work_item_id: int
    ticket_id: int
    number: int
    customer: str
    subject: str
    channel: str
    queue: str
    state: str
    is_live: bool
    since: datetime


@dataclass(frozen=True, slots=True)
class AgentDetail:
    """An agent as the dialog shows them."""

    state: Row[Any]
    name: str
    work: tuple[Held, ...]
    today: Sequence[Row[Any]]
    reasons: tuple[str, ...]
    colleagues: tuple[tuple[int, str], ...]


def read_agent(tx: Connection, user_id: int, *, zone: str, now: datetime) -> AgentDetail:
    """An agent, their open work, the day's presences, and who else could have the work."""
    row = tx.execute(agents_query(Scope()).where(AgentState.user_id == user_id)).first()
    if row is None:
        raise NotFound("There is no such agent.")
    return AgentDetail(
        state=row,
        name=row.name,
        work=_work(tx, user_id),
        today=queries.presence_timeline(tx, user_id, day_start(now, zone)),
        reasons=tuple(away.name for away in away_reasons.choosable(tx)),
        colleagues=tuple(one for one in _on_floor(tx) if one[0] != user_id),
    )


def _work(tx: Connection, user_id: int) -> tuple[Held, ...]:
    rows = tx.execute(
        select(
            WorkItem.id.label("work_item_id"),
            WorkItem.ticket_id,
            WorkItem.state,
            WorkItem.pool,
            WorkItem.assigned_at,
            WorkItem.waiting_since,
            Ticket.subject,
            Ticket.preview,
            Ticket.channel,
            Customer.name.label("customer"),
            ContactPoint.kind,
            ContactPoint.value,
            Queue.name.label("queue"),
        )
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .join(Queue, Queue.id == WorkItem.queue_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .where(WorkItem.agent_id == user_id, OPEN_ITEM)
        .order_by(WorkItem.pool.desc(), WorkItem.id)
        .limit(50)
    )
    return tuple(
        Held(
            row.work_item_id,
            row.ticket_id,
            number_of(row.ticket_id),
            customer_name(row.customer, row.kind, row.value),
            row.subject or row.preview,
            row.channel,
            row.queue,
            row.state,
            row.pool == PoolName.LIVE.value and row.state != WorkItemState.PAUSED.value,
            row.assigned_at or row.waiting_since,
        )
        for row in rows
    )


def _on_floor(tx: Connection, queue_id: int | None = None) -> list[tuple[int, str]]:
    """Everybody who could be given work: those who serve the queue first."""
    query = select(User.id, User.name).join(AgentState, AgentState.user_id == User.id)
    query = query.where(AgentState.active, User.active, AgentState.presence != Presence.OFFLINE.value)
    if queue_id is not None:
        query = query.where(User.id.in_(select(ProfileRow.user_id).where(ProfileRow.queue_id == queue_id)))
    return [(row.id, row.name) for row in tx.execute(query.order_by(User.name, User.id))]


@dataclass(frozen=True, slots=True)
class WaitingDetail:
    """Work that waits, and why."""

    item: Row[*tuple[Any, ...]]
    number: int
    customer: str
    explanation: Explanation | None
    history: Sequence[Explanation]
    agents: tuple[tuple[int, str], ...]


def read_waiting(tx: Connection, work_item_id: int, *, now: datetime) -> WaitingDetail:
    """A work item with the record that routing makes of it at this moment."""
    item = tx.execute(
        select(
            WorkItem.id,
            WorkItem.ticket_id,
            WorkItem.state,
            WorkItem.queue_id,
            WorkItem.waiting_since,
            WorkItem.enqueued_at,
            WorkItem.offers,
            WorkItem.transfers,
            WorkItem.priority,
            Ticket.subject,
            Ticket.preview,
            Ticket.channel,
            Customer.name.label("customer"),
            ContactPoint.kind,
            ContactPoint.value,
            Queue.name.label("queue"),
            User.name.label("agent"),
        )
        .join(Ticket, Ticket.id == WorkItem.ticket_id)
        .join(Customer, Customer.id == Ticket.customer_id)
        .join(Queue, Queue.id == WorkItem.queue_id)
        .outerjoin(ContactPoint, ContactPoint.id == Ticket.contact_point_id)
        .outerjoin(User, User.id == WorkItem.agent_id)
        .where(WorkItem.id == work_item_id)
    ).first()
    if item is None:
        raise NotFound("There is no such work.")
    return WaitingDetail(
        item=item,
        number=number_of(item.ticket_id),
        customer=customer_name(item.customer, item.kind, item.value),
        explanation=explain.of_work(tx, work_item_id, now),
        history=explain.history(tx, work_item_id, limit=5),
        agents=tuple(_on_floor(tx, item.queue_id)),
    )


async def agent(request: Request) -> Response:
    """One agent: presence through the day, work in hand, and what a supervisor may do."""
    held = services(request)
    user_id = request.path_params["user_id"]
    detail = await held.db.read(read_agent, user_id, zone=held.settings.timezone, now=utcnow())
    return await _show(request, "board/agent.html", detail=detail, states=WORK_STATES)


async def waiting(request: Request) -> Response:
    """Why a piece of work still waits."""
    detail = await services(request).db.read(read_waiting, request.path_params["work_item_id"], now=utcnow())
    return await _show(request, "board/why.html", detail=detail, obstacles=OBSTACLES)


async def _show(request: Request, template: str, **values: Any) -> Response:
    """The fragment for the dialog, or the same on a page of its own."""
    values["away"] = partial(away_name, await locale_of(request))
    values["may_act"] = request.state.person.role in ("supervisor", "admin")
    if "hx-request" in request.headers:
        return await fragment(request, template, **values)
    return await page(request, "board/detail.html", here="board", template=template, **values)


async def set_presence(request: Request) -> Response:
    """Set another person's status; it is in their log who did."""
    form = await read_form(request)
    state, _, reason = form.values.get("state", "").partition(":")
    try:
        wanted = Presence(state)
    except ValueError:
        raise Invalid("Choose a status.", field="state") from None
    await services(request).db.write(
        set_other_presence,
        request.path_params["user_id"],
        wanted,
        reason=reason or None,
        by=request.state.person.id,
        now=utcnow(),
    )
    return await _did(request, "presence")


def set_other_presence(
    tx: Connection, user_id: int, wanted: Presence, *, reason: str | None, by: int, now: datetime
) -> None:
    """Set the presence of an agent as a supervisor, and audit it."""
    presence.set_presence(tx, user_id, wanted, now=now, reason=reason, by_user_id=by)
    details = {"presence": wanted.value, "reason": reason}
    record(tx, "presence.set", f"user:{user_id}", now=now, user_id=by, details=details)


async def requeue(request: Request) -> Response:
    """Put work back into its queue, with its age."""
    await services(request).db.write(
        handling.requeue, request.path_params["ticket_id"], by_user_id=request.state.person.id, now=utcnow()
    )
    return await _did(request, "requeue")


async def assign(request: Request) -> Response:
    """Give work to an agent, whatever their load; it then shows as over capacity."""
    form = await read_form(request)
    user_id = form.reference("user_id", required=True)
    if user_id is None:
        raise Invalid("Choose an agent.", field="user_id")
    await services(request).db.write(
        handling.assign,
        request.path_params["ticket_id"],
        user_id,
        by_user_id=request.state.person.id,
        now=utcnow(),
    )
    return await _did(request, "assign")


async def _did(request: Request, what: str) -> Response:
    """Back to the board; with scripts the dialog closes itself and a toast says what was done."""
    if "hx-request" not in request.headers:
        return go("/board", what)
    text = gettext(await locale_of(request), DONE[what])
    return HTMLResponse("", headers={"HX-Trigger": json.dumps({"toast": {"text": text}})})
