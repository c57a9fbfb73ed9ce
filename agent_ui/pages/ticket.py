"""An open conversation: the whole page, its panes for htmx, older entries, menus that load when they open."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy import Row as Record
from starlette.requests import Request
from starlette.responses import Response

from agent_ui import callbar, conversation, copies, entries, own, shell
from agent_ui.pages.inbox import values_beside
from agent_ui.scheduled import as_replies
from agent_ui.views import Choice, Drafts
from agent_ui.views import Ticket as TicketView
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.i18n import gettext
from contact_center.core.services import services
from knowledge_base import topic_lessons
from knowledge_base.bayes import Guess
from tickets import scheduled
from tickets.models import Topic
from tickets.numbers import id_of
from tickets.states import TRANSITIONS, Channel, Status

# What a person chooses in the status menu; closing is the timer's, snoozing has its own menu.
CHOOSABLE = (Status.OPEN, Status.PENDING, Status.ON_HOLD, Status.RESOLVED)


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything one conversation shows, as read in one transaction."""

    ticket: TicketView
    row: Any
    raw: entries.Raw
    points: Any
    others: Any
    accounts: tuple[conversation.Account, ...]
    drafts: Drafts
    scheduled: Any
    call: callbar.Raw | None
    free_until: Mapping[int, datetime]


async def ticket_page(request: Request) -> Response:
    """A conversation: as panes for htmx, else as a whole page with its list."""
    person = await person_of(request)
    number = request.path_params["number"]
    opened = await services(request).db.read(read, id_of(number), person.id, now=utcnow())
    state = await own.state(request)
    values = values_of(opened, await locale_of(request))
    if "hx-request" in request.headers:
        frame = shell.shell_of(person, await locale_of(request), here="inbox", **state)
        return await shell.fragment(request, "parts/ticket.html", shell=frame, **values)
    merged = {**await values_beside(request), **values, "open_number": number}
    return await shell.page(request, "inbox.html", here="inbox", own=state, **merged)


def read(tx: Connection, ticket_id: int, user_id: int, *, now: datetime) -> Opened:
    """Nine statements, whatever the ticket holds; one more where WhatsApp may answer."""
    ticket, row = conversation.head(tx, ticket_id, now=now)
    points = conversation.contact_points(tx, ticket.customer_id)
    held = conversation.accounts(tx)
    return Opened(
        ticket=ticket,
        row=row,
        raw=entries.before(tx, ticket_id),
        points=points,
        others=conversation.other_tickets(tx, ticket.customer_id, ticket_id),
        accounts=held,
        drafts=conversation.drafts(tx, ticket_id, user_id),
        scheduled=scheduled.open_of(tx, ticket_id),
        call=callbar.read(tx, ticket_id) if row.has_call else None,
        free_until=conversation.free_until(tx, row, points, held, now=now),
    )


def values_of(opened: Opened, locale: str) -> dict[str, Any]:
    """The values of the conversation's templates."""
    vias = conversation.vias(opened.row, opened.points, opened.accounts, opened.free_until)
    recipient = next((via.recipient for via in vias if via.channel == Channel.EMAIL.value), "")
    return {
        "ticket": opened.ticket,
        "entries": entries.as_entries(opened.raw, translate(locale)),
        "older_url": older_url(opened.ticket.number, opened.raw),
        "customer": conversation.customer_360(opened.row, opened.points, opened.others, locale),
        "vias": vias,
        "cc": copies.reply_all(opened.raw.records, opened.accounts, recipient),
        "drafts": opened.drafts,
        "scheduled": as_replies(opened.scheduled, locale),
        "statuses": choosable(opened.ticket.status),
        "bar": callbar.shown(opened.call, opened.ticket.ticket_id, locale),
    }


def translate(locale: str) -> entries.Gettext:
    """gettext in a locale."""

    def _(message: str, **params: Any) -> str:
        return gettext(locale, message, **params)

    return _


def older_url(number: int, raw: entries.Raw) -> str:
    """Where the entries before these are; "" when there are none."""
    return f"/tickets/{number}/timeline?before={raw.records[0].seq}" if raw.more and raw.records else ""


def choosable(status: str) -> list[str]:
    """The status itself and those that a person may set now."""
    allowed = TRANSITIONS[Status(status)]
    return [wanted.value for wanted in CHOOSABLE if wanted in allowed or wanted.value == status]


async def older(request: Request) -> Response:
    """Entries before a seq."""
    number = request.path_params["number"]
    asked = request.query_params.get("before", "")
    if not asked.isdecimal():
        raise NotFound("There is no such page.")
    raw = await services(request).db.read(entries.before, id_of(number), int(asked))
    shown = entries.as_entries(raw, translate(await locale_of(request)))
    return await shell.fragment(request, "parts/entries.html", entries=shown, older_url=older_url(number, raw))


def head_values(ticket: TicketView) -> Mapping[str, Any]:
    """The values of the head's template."""
    return {"ticket": ticket, "statuses": choosable(ticket.status)}


async def topic_menu(request: Request) -> Response:
    """The topics, loaded when their menu opens; first those that the customer's words suggest."""
    rows, guesses = await services(request).db.read(_topics, id_of(request.path_params["number"]))
    names = {row.id: row.name for row in rows}
    by_id = {row.id: row for row in rows}
    likely = [by_id[one.topic_id] for one in guesses if one.topic_id in by_id]
    suggested = [Choice(str(row.id), row.name, names.get(row.parent_id, "")) for row in likely]
    choices = [Choice(str(row.id), row.name, names.get(row.parent_id, "")) for row in rows if row.parent_id is not None]
    choices += [
        Choice(str(row.id), row.name)
        for row in rows
        if row.parent_id is None and row.id not in {other.parent_id for other in rows}
    ]
    values = {"number": request.path_params["number"], "topics": choices, "suggested": suggested}
    return await shell.fragment(request, "parts/topic_menu.html", **values)


def _topics(tx: Connection, ticket_id: int) -> tuple[Sequence[Record[Any]], list[Guess]]:
    rows = tx.execute(select(Topic.__table__).where(Topic.active).order_by(Topic.parent_id, Topic.name)).all()
    return rows, topic_lessons.suggest(tx, ticket_id)


async def head(request: Request, *, say: str = "") -> Response:
    """The head of the conversation in the address, as every command answers; `say` is shown as a toast."""
    opened = await services(request).db.read(conversation.head, id_of(request.path_params["number"]), now=utcnow())
    headers = {"HX-Trigger": json.dumps({"toast": {"text": say}})} if say else {}
    return await shell.fragment(request, "parts/ticket_head.html", headers=headers, **head_values(opened[0]))
