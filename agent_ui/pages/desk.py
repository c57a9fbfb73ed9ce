"""An agent's desk: offers, presence, wrap-up, and taking, giving and passing on work."""

from datetime import datetime

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from agent_ui import own, shell
from agent_ui.pages.commands import choice_of, run, snoozed_until, text, ticket_id, zone_of
from agent_ui.pages.ticket import head
from agent_ui.views import Choice
from channels.phone import outcomes
from channels.phone.outcomes import Outcome
from contact_center.accounts.models import User
from contact_center.accounts.permissions import Permission, may
from contact_center.accounts.users import Person
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from routing import handling, offers, presence
from routing.pools import Medium
from routing.queries import own_state, work_of
from routing.states import Presence
from tickets.models import Queue
from tickets.numbers import number_of

# Dispositions of the wrap-up that say what came of a call.
CAME_OF = {
    "callback": Outcome.CALLBACK,
    "wrong_contact": Outcome.WRONG_NUMBER,
    "solved": Outcome.REACHED,
    "follow_up": Outcome.REACHED,
}


async def accept(request: Request) -> Response:
    """Take the offer on; the answer says where the conversation is."""
    person = await person_of(request)
    accepted = await services(request).db.write(offers.accept, request.path_params["offer_id"], person.id, now=utcnow())
    url = f"/tickets/{number_of(accepted.ticket_id)}"
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"url": url})
    return RedirectResponse(f"{url}?focus=reply", 303)


async def decline(request: Request) -> Response:
    """Leave the offer to somebody else."""
    person = await person_of(request)
    reason = await text(request, "reason")
    await services(request).db.write(offers.decline, request.path_params["offer_id"], person.id, reason, now=utcnow())
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"declined": True})
    return RedirectResponse("/inbox", 303)


async def set_presence(request: Request) -> Response:
    """Become available, away for a reason, or offline; while on a contact it is the next status."""
    person = await person_of(request)
    name, _, reason = (await text(request, "state")).partition(":")
    wanted: Presence = choice_of(Presence, name, "state")
    held = await services(request).db.read(own.read, person.id, now=utcnow())
    use_case = presence.set_next if own.on_contact(held) and wanted is not Presence.AVAILABLE else presence.set_presence
    await services(request).db.write(use_case, person.id, wanted, reason=reason or None, now=utcnow())
    return await _own_part(request, person, "presence")


async def switch_channel(request: Request) -> Response:
    """One channel on or off, e.g. `chat:off`; the others stay as they are."""
    person = await person_of(request)
    name, _, wish = (await text(request, "switch")).partition(":")
    medium: Medium = choice_of(Medium, name, "switch")
    await services(request).db.write(_switch, person.id, medium, wish == "on", now=utcnow())
    return await _own_part(request, person, "presence")


def _switch(tx: Connection, user_id: int, medium: Medium, on: bool, *, now: datetime) -> None:
    state = own_state(tx, user_id, now)
    media = set(state.media if state else Medium)
    presence.set_channels(tx, user_id, sorted(media | {medium} if on else media - {medium}), now=now)


async def finish(request: Request) -> Response:
    """The wrap-up is done."""
    person = await person_of(request)
    disposition = await text(request, "disposition")
    await run(request, handling.finish, person.id, disposition=disposition or None)
    if disposition in CAME_OF:
        at = snoozed_until("tomorrow", utcnow(), zone_of(request, person))
        await services(request).db.write(
            _came_of, ticket_id(request), CAME_OF[disposition], person.id, callback_at=at, now=utcnow()
        )
    return await _own_part(request, person, "wrapup")


def _came_of(
    tx: Connection, ticket_id: int, outcome: Outcome, user_id: int, *, callback_at: datetime, now: datetime
) -> None:
    """A wrap-up after a call says what came of the call as well."""
    item = work_of(tx, ticket_id)
    call_id = outcomes.last_call(tx, ticket_id)
    if call_id is not None and (item is None or item.medium == Medium.CALL.value):
        outcomes.tell(tx, call_id, outcome, user_id=user_id, callback_at=callback_at, now=now)


async def extend(request: Request) -> Response:
    """Thirty seconds more for the wrap-up."""
    person = await person_of(request)
    await run(request, handling.extend, person.id)
    return await _own_part(request, person, "wrapup")


async def end(request: Request) -> Response:
    """The contact is over; wrap-up begins where the queue has one."""
    await run(request, handling.end)
    return await head(request)


async def take(request: Request) -> Response:
    """Pick waiting work."""
    person = await person_of(request)
    await run(request, handling.take, person.id)
    return await head(request)


async def assign(request: Request) -> Response:
    """Give it to somebody: oneself is `take`; those who may, force it; others pass it on."""
    person = await person_of(request)
    wanted: int = choice_of(int, await text(request, "agent"), "agent")
    force = may(person.role, Permission.ASSIGN_OTHERS)
    await run(request, handling.give, wanted, by_user_id=person.id, force=force)
    return await head(request)


async def transfer(request: Request) -> Response:
    """Pass it on to a queue or a colleague, with a summary as a note."""
    person = await person_of(request)
    kind, _, number = (await text(request, "target")).partition(":")
    wanted: int = choice_of(int, number, "target")
    summary = await text(request, "summary")
    target = {"queue_id": wanted} if kind == "queue" else {"to_user_id": wanted}
    await run(request, handling.transfer, by_user_id=person.id, summary=summary, **target)
    return await head(request)


async def assignees(request: Request) -> Response:
    """Who could take it, loaded when the menu opens."""
    people = await services(request).db.read(_agents)
    return await shell.fragment(request, "parts/assign_menu.html", number=request.path_params["number"], agents=people)


async def targets(request: Request) -> Response:
    """Queues and agents to pass it on to, loaded when the dialog opens."""
    queues, people = await services(request).db.read(targets_of)
    return await shell.fragment(request, "parts/targets.html", queues=queues, agents=people)


def _agents(tx: Connection) -> list[Choice]:
    rows = tx.execute(
        select(User.id, User.name).where(User.active, User.role.in_(("agent", "supervisor"))).order_by(User.name)
    )
    return [Choice(str(row.id), row.name) for row in rows]


def targets_of(tx: Connection) -> tuple[list[Choice], list[Choice]]:
    """Queues (`queue:7`) and agents that work can be passed to."""
    rows = tx.execute(select(Queue.id, Queue.name).where(Queue.active).order_by(Queue.name))
    return [Choice(f"queue:{row.id}", row.name) for row in rows], _agents(tx)


async def _own_part(request: Request, person: Person, part: str) -> Response:
    held = services(request)
    state = await held.db.read(own.read, person.id, now=utcnow())
    fresh = own.parts(held.templates, await locale_of(request), person.id, state)
    return HTMLResponse(fresh[part])
