"""How a conversation hangs together with others: one matter or two, what was merged, and why a target was missed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agent_ui import shell
from agent_ui.forms import Form
from agent_ui.views import Line
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import DomainError, Invalid
from contact_center.core.i18n import gettext, mark
from contact_center.core.services import services
from contact_center.core.text import first_line
from tickets import lifecycle, links, merging, moving, sla_history
from tickets.links import Candidate, Related, Relation, Sign
from tickets.merging import TicketMerge
from tickets.models import Message
from tickets.numbers import id_of, number_of
from tickets.replies import MAX_TEXT, Author
from tickets.sla import Metric, SlaState
from tickets.sla_explain import Explanation, Phase
from tickets.states import MessageKind, Status

MOST_MESSAGES = 30
WORDS = 60
NO_FORM = Form({}, "en")
SIGNS = {
    Sign.SAME_TOPIC: mark("same topic"),
    Sign.SAME_WORDS: mark("same words"),
    Sign.SAME_DAY: mark("same day"),
    Sign.SAME_QUEUE: mark("same queue"),
}
STANDINGS = {
    SlaState.MET: mark("All targets were met"),
    SlaState.PARTIALLY_MET: mark("Some targets were missed"),
    SlaState.BREACHED: mark("All targets were missed"),
}
RELATIONS = {
    Relation.LINKED: mark("linked"),
    Relation.FOLLOWS_UP: mark("followed up here"),
    Relation.FOLLOWED_UP_BY: mark("follows this up"),
    Relation.PARENT: mark("the problem behind it"),
    Relation.CHILD: mark("an incident of it"),
}
METRICS = {
    Metric.FIRST_RESPONSE: mark("First response"),
    Metric.NEXT_RESPONSE: mark("Next response"),
    Metric.RESOLUTION: mark("Resolution"),
}


@dataclass(frozen=True)
class Matters:
    """What the block shows."""

    closed: bool
    merge_id: int | None
    merged_into: int | None
    merges: tuple[Any, ...]
    related: tuple[Related, ...]
    candidates: tuple[Candidate, ...]
    messages: tuple[Any, ...]
    missed: tuple[Explanation, ...]
    standing: SlaState


async def panel(request: Request) -> Response:
    """The block of the customer panel."""
    return await _panel(request)


async def merge(request: Request) -> Response:
    """ "The same matter": the other conversation becomes a part of this one."""
    return await _change(request, lambda tx, here, other, **by: merging.merge(tx, here, other, **by))


async def link(request: Request) -> Response:
    """Link another conversation."""
    return await _change(request, links.link)


async def unlink(request: Request) -> Response:
    """Take a link away."""
    return await _change(request, links.unlink)


async def unmerge(request: Request) -> Response:
    """Undo a merge, from either side."""
    person = await person_of(request)
    form = Form(await request.form(), await locale_of(request))
    merge_id = form.reference("merge_id", required=True)
    try:
        await services(request).db.write(merging.undo, merge_id, user_id=person.id, now=utcnow())
    except DomainError as error:
        form.refuse(error)
    return await _panel(request, form)


async def move(request: Request) -> Response:
    """Put the chosen messages into another conversation, or into a new one when no number is given."""
    person = await person_of(request)
    posted = await request.form()
    form = Form(posted, await locale_of(request))
    into = form.text("into").lstrip("#")
    here = id_of(request.path_params["number"])
    common = {"user_id": person.id, "now": utcnow()}
    try:
        chosen = _chosen(posted)
        if not into:
            subject = form.text("subject")
            new_id = await services(request).db.write(moving.split, here, chosen, subject=subject, **common)
            return _go(request, number_of(new_id))
        await services(request).db.write(_move_all, chosen, _ticket_id(into, "into"), **common)
    except DomainError as error:
        form.refuse(error, "messages")
    return await _panel(request, form)


async def follow_up(request: Request) -> Response:
    """Go on with a closed matter in a new conversation."""
    person = await person_of(request)
    form = Form(await request.form(), await locale_of(request))
    text = form.text("text", required=True, longest=MAX_TEXT)
    author = Author(person.id, form.text("client_id") or None)
    if form.ok:
        try:
            here = id_of(request.path_params["number"])
            new_id = await services(request).db.write(links.follow_up, here, text, author=author, now=utcnow())
            return _go(request, number_of(new_id))
        except DomainError as error:
            form.refuse(error, "text")
    return await _panel(request, form)


async def _change(request: Request, use_case: Callable[..., Any]) -> Response:
    """Run a use case on this and the other conversation."""
    person = await person_of(request)
    form = Form(await request.form(), await locale_of(request))
    try:
        here, other = id_of(request.path_params["number"]), _ticket_id(form.text("with"), "with")
        await services(request).db.write(use_case, here, other, user_id=person.id, now=utcnow())
    except DomainError as error:
        form.refuse(error, "with")
    return await _panel(request, form)


async def _panel(request: Request, form: Form = NO_FORM) -> Response:
    locale = await locale_of(request)
    number = request.path_params["number"]
    found: Matters = await services(request).db.read(_matters, id_of(number), now=utcnow())
    return await shell.fragment(
        request,
        "parts/matters.html",
        number=number,
        matters=found,
        form=form,
        signs={
            one.ticket_id: ", ".join(gettext(locale, SIGNS[sign]) for sign in one.signs) for one in found.candidates
        },
        relations={one.ticket_id: gettext(locale, RELATIONS[one.relation]) for one in found.related},
        standing=gettext(locale, STANDINGS[found.standing]) if found.standing in STANDINGS else "",
        missed=[line for one in found.missed for line in told(one, locale)],
        words=WORDS,
    )


def _matters(tx: Connection, ticket_id: int, *, now: datetime) -> Matters:
    ticket = lifecycle.access(tx, ticket_id)
    related = links.related(tx, ticket_id)
    known = {one.ticket_id for one in related}
    own_merge = tx.execute(
        select(TicketMerge.id).where(TicketMerge.merged_id == ticket_id, TicketMerge.undone_at.is_(None))
    ).scalar_one_or_none()
    messages = tx.execute(
        select(Message.id, Message.text, Message.kind, Message.created_at)
        .where(Message.ticket_id == ticket_id, Message.kind != MessageKind.EVENT.value)
        .order_by(Message.seq.desc())
        .limit(MOST_MESSAGES)
    ).all()
    return Matters(
        closed=ticket.status == Status.CLOSED.value,
        merge_id=own_merge,
        merged_into=number_of(ticket.merged_into_id) if ticket.merged_into_id else None,
        merges=tuple(
            (row.id, number_of(row.merged_id), row.subject, row.messages) for row in merging.merges_into(tx, ticket_id)
        ),
        related=tuple(related),
        candidates=tuple(one for one in links.same_matter(tx, ticket_id) if one.ticket_id not in known),
        messages=tuple((row.id, first_line(row.text, WORDS) or "…", row.kind, row.created_at) for row in messages),
        missed=tuple(one for one in sla_history.explanations(tx, ticket_id, now=now) if one.over > 0),
        standing=sla_history.standing(tx, ticket_id, now=now),
    )


def told(one: Explanation, locale: str) -> list[Line]:
    """What used a missed target up, heaviest first."""
    title = gettext(
        locale,
        "%(metric)s: %(used)s of %(target)s",
        metric=gettext(locale, METRICS[one.metric]),
        used=_hours(one.used),
        target=_hours(one.target or 0),
    )
    lines = [Line("clock-alert", title, badge="+" + _hours(one.over), tone="bad")]
    for phase, queue, agent, seconds in one.heaviest_first():
        if seconds >= 1:
            who = (
                gettext(locale, "waited in %(queue)s", queue=queue) if phase is Phase.WAITING else f"{agent} · {queue}"
            )
            lines.append(Line("users" if phase is Phase.WAITING else "user-round", who, sub=_hours(seconds)))
    if one.paused_seconds >= 60:
        # The pauses of the ledger: the target stood still while the customer had to answer.
        lines.append(Line("circle-pause", gettext(locale, "paused, does not count"), sub=_hours(one.paused_seconds)))
    return lines


def _hours(seconds: float) -> str:
    """Business time in hours and minutes: a target of three days is 72 h, whatever a day's opening."""
    hours, minutes = divmod(round(seconds / 60), 60)
    parts = [f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0 or hours == 0)
    return " ".join(parts)


def _move_all(tx: Connection, message_ids: list[int], to_ticket_id: int, *, user_id: int, now: datetime) -> None:
    if not message_ids:
        raise Invalid("Choose messages of this ticket.", field="messages")
    for message_id in message_ids:
        moving.move(tx, message_id, to_ticket_id, user_id=user_id, now=now)


def _chosen(posted: FormData) -> list[int]:
    return sorted(int(value) for value in posted.getlist("messages") if isinstance(value, str) and value.isdecimal())


def _ticket_id(text: str, field: str) -> int:
    digits = text.lstrip("#")
    if not digits.isdecimal() or len(digits) > 12:
        raise Invalid("This is not the number of a conversation.", field=field)
    return id_of(int(digits))


def _go(request: Request, number: int) -> Response:
    url = f"/tickets/{number}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": url})
    return RedirectResponse(url, 303)
