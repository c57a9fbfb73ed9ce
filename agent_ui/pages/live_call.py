"""The commands of a live call: each is one use case, answered with the fresh call bar."""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from agent_ui import callbar, shell
from agent_ui.pages.commands import choice_of, snoozed_until, text, ticket_id, zone_of
from agent_ui.pages.desk import targets_of
from channels.phone import handing_over, outcomes, placing
from channels.phone.commands import Verb
from channels.phone.handing_over import Target
from channels.phone.outcomes import Outcome
from contact_center.accounts.web import locale_of, person_of
from contact_center.core.clock import utcnow
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.services import services
from tickets.replies import Author

ON_LEG = {"hold": Verb.HOLD, "unhold": Verb.UNHOLD, "mute": Verb.MUTE, "unmute": Verb.UNMUTE, "drop": Verb.DROP}
ON_RECORDING = {"record": Verb.RECORD, "pause": Verb.PAUSE_RECORDING, "resume": Verb.RESUME_RECORDING}
PLAIN = {
    "complete": handing_over.complete,
    "take-back": handing_over.take_back,
    "hang-up": handing_over.hang_up,
}


async def bar(request: Request) -> Response:
    """The bar as it is now; empty while nobody is on the phone."""
    found = await services(request).db.read(callbar.read, ticket_id(request))
    shown = callbar.shown(found, ticket_id(request), await locale_of(request))
    return await shell.fragment(request, "parts/callbar.html", bar=shown)


async def place(request: Request) -> Response:
    """Call the customer: the person's own phone rings first."""
    person = await person_of(request)
    held = services(request)
    point: int = choice_of(int, await text(request, "contact_point"), "contact_point")
    author = Author(person.id, await text(request, "client_id") or secrets.token_hex(8))
    await held.db.write(
        placing.place, held.vault, ticket_id(request), author=author, contact_point_id=point, now=utcnow()
    )
    return await bar(request)


async def act(request: Request) -> Response:
    """Hold, mute, take out, record, complete, take back, hang up."""
    person = await person_of(request)
    what = request.path_params["what"]
    if what in ON_LEG:
        leg: int = choice_of(int, await text(request, "leg"), "leg")
        await _run(request, handing_over.set_leg, leg, ON_LEG[what], user_id=person.id)
    elif what in ON_RECORDING:
        await _run(request, handing_over.record, ON_RECORDING[what], user_id=person.id)
    elif what in PLAIN:
        await _run(request, PLAIN[what], user_id=person.id)
    else:
        raise NotFound("There is nothing here.")
    return await bar(request)


async def add(request: Request) -> Response:
    """A third person."""
    await _ring(request, handing_over.add, await _target(request))
    return await bar(request)


async def transfer(request: Request) -> Response:
    """Warm: ask first; cold: at once, to a queue, a colleague's phone or a number."""
    person = await person_of(request)
    whom = await text(request, "target")
    if whom.startswith("queue:"):
        queue_id: int = choice_of(int, whom.removeprefix("queue:"), "target")
        summary = await text(request, "summary")
        await _run(request, handing_over.pass_on, queue_id=queue_id, summary=summary, user_id=person.id)
    else:
        warm = await text(request, "how") != "cold"
        await _ring(request, handing_over.consult if warm else handing_over.pass_to_phone, await _target(request))
    return await bar(request)


async def outcome(request: Request) -> Response:
    """What came of a finished call; `callback:tomorrow` plans the next one as well."""
    person = await person_of(request)
    word, _, when = (await text(request, "outcome")).partition(":")
    wanted: Outcome = choice_of(Outcome, word, "outcome")
    at = snoozed_until(when, utcnow(), zone_of(request, person)) if wanted is Outcome.CALLBACK else None
    call_id = request.path_params["call_id"]
    await services(request).db.write(outcomes.tell, call_id, wanted, user_id=person.id, callback_at=at, now=utcnow())
    return Response(status_code=204)


async def targets(request: Request) -> Response:
    """Whom a call can be passed to (`?queues`) or who can be added, loaded when the dialog opens."""
    queues, people = await services(request).db.read(targets_of)
    me = str((await person_of(request)).id)
    return await shell.fragment(
        request,
        "parts/call_targets.html",
        client_id=secrets.token_hex(8),
        queues=queues if "queues" in request.query_params else [],
        agents=[one for one in people if one.value != me],
    )


async def _target(request: Request) -> Target:
    whom = await text(request, "target")
    if whom.startswith("user:"):
        return Target(user_id=choice_of(int, whom.removeprefix("user:"), "target"))
    number = await text(request, "number")
    if not number:
        raise Invalid("Write the number to call.", field="number")
    return Target(number=number)


async def _ring(request: Request, use_case: Any, target: Target) -> None:
    person = await person_of(request)
    client_id = await text(request, "client_id") or secrets.token_hex(8)
    region = services(request).settings.region
    await _run(request, use_case, target, user_id=person.id, client_id=client_id, region=region)


async def _run(request: Request, use_case: Any, *args: Any, **values: Any) -> None:
    await services(request).db.write(use_case, ticket_id(request), *args, now=utcnow(), **values)
