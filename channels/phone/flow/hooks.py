"""Twilio's edge for callers in a plan: what they chose comes in, what they hear next goes out."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels.phone import lines
from channels.phone.conference_hooks import CONFERENCE, check_owner
from channels.phone.flow import callers, music
from channels.phone.flow.callers import Way
from channels.phone.flow.plan import LIMITS, Plan, plan_of
from channels.phone.flow.steps import Step, offers_callback
from channels.phone.flow.steps import Told as Known
from channels.phone.flow.twiml import OWN_QUEUE, Scene, document
from channels.phone.lines import Line
from channels.phone.models import Call
from channels.phone.verbs import hook, join_twiml
from channels.sms.hooks import signed_form
from channels.sms.parse import first_values
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.services import Services, services
from routing import contacts as floor
from tickets.channel_accounts import Account
from tickets.customers.identities import shown_phone
from tickets.models import Queue
from tickets.states import Channel


def routes() -> list[BaseRoute]:
    """Addresses that our documents give Twilio; nobody enters them anywhere."""
    return [
        Route("/hooks/twilio/{key}/flow/{id:int}/{turn:int}", receive_turn, methods=["POST"]),
        Route("/hooks/phone/music/{seconds:int}.wav", play_music, methods=["GET"]),
    ]


def leads(account: Account, values: Mapping[str, str]) -> Plan | None:
    """The plan for a request to the line's voice address, if it is a caller who comes in."""
    inbound = values.get("Direction", "").lower() == "inbound" and "ParentCallSid" not in values
    coming = values.get("CallStatus") in ("ringing", "in-progress") and "DialCallStatus" not in values
    return plan_of(account.settings) if inbound and coming else None


async def welcome(held: Services, account: Account, plan: Plan, external_id: str, *, now: datetime) -> Response:
    """What a new caller hears, after their call is in the ledger."""
    scene = await held.db.write(_arrive, account, plan, external_id, held.settings, now=now)
    return _xml(scene)


async def receive_turn(request: Request) -> Response:
    """A caller pressed a key, waited or spoke; the answer is what they hear next."""
    held = services(request)
    account, form, _ = await signed_form(request, Channel.PHONE)
    plan = plan_of(account.settings) or Plan()
    path = request.path_params
    await held.db.read(check_owner, account, CONFERENCE, path["id"])
    values = first_values(form)
    scene = await held.db.write(_go_on, account, plan, path["id"], path["turn"], values, held.settings, now=utcnow())
    return _xml(scene)


async def play_music(request: Request) -> Response:
    """The music of the queue; Twilio keeps it."""
    seconds = request.path_params["seconds"]
    if not LIMITS["interval"][0] <= seconds <= LIMITS["interval"][1]:
        raise HTTPException(404)
    data = await asyncio.to_thread(music.bells, seconds)
    return Response(data, media_type="audio/x-wav", headers={"cache-control": "public, max-age=604800"})


def _xml(scene: Scene | str) -> Response:
    text = scene if isinstance(scene, str) else str(document(scene))
    return Response(text, media_type="text/xml")


def _arrive(
    tx: Connection, account: Account, plan: Plan, external_id: str, settings: Any, *, now: datetime
) -> Scene | str:
    line = lines.line_of(tx, account, source="twilio", region=settings.region)
    known = select(Call.id).where(Call.channel_account_id == account.id, Call.external_id == external_id)
    call_id = tx.execute(known).scalar_one_or_none()
    if call_id is None:
        # Its report lies in quarantine: the caller is led all the same once somebody repairs what is wrong.
        raise NotFound("There is nothing here.")
    flow = callers.arrive(tx, Way(line, plan), call_id, now=now)
    return _scene(tx, line, plan, flow, settings.base_url, now=now)


def _go_on(
    tx: Connection,
    account: Account,
    plan: Plan,
    call_id: int,
    turn: int,
    values: Mapping[str, str],
    settings: Any,
    *,
    now: datetime,
) -> Scene | str:
    line = lines.line_of(tx, account, source="twilio", region=settings.region)
    flow = callers.go_on(tx, Way(line, plan), call_id, turn, values, now=now)
    return _scene(tx, line, plan, flow, settings.base_url, now=now)


def _scene(tx: Connection, line: Line, plan: Plan, flow: Row[Any], base_url: str, *, now: datetime) -> Scene | str:
    """What the caller hears where they are; in a talk, the conference."""
    account = line.account
    if flow.step == Step.TALKING.value:
        return join_twiml(base_url, account, flow.call_id)
    call = tx.execute(select(Call.number, Call.ticket_id).where(Call.id == flow.call_id)).one()
    waiting = flow.step == Step.WAITING.value and call.ticket_id is not None
    wait = floor.wait_of(tx, call.ticket_id, now=now) if waiting else None
    waited = int((now - flow.waits_since).total_seconds()) if flow.waits_since else 0
    reachable = callers.is_reachable(call.number, line.region)
    known = Known(is_open=lambda _: True, waited_seconds=waited, reachable=reachable)
    return Scene(
        plan=plan,
        spot=callers.spot_of(flow),
        next_url=hook(base_url, account, "flow", flow.call_id, flow.turn),
        recording_url=hook(base_url, account, "voicemail", flow.call_id),
        transcription_url=hook(base_url, account, "transcription", flow.call_id),
        music_url=f"{base_url}/hooks/phone/music/{plan.interval}.wav",
        queues=queue_names(tx, plan, account.queue_id) if flow.step == Step.MENU.value else {},
        position=wait.position if wait else None,
        wait_seconds=wait.estimate_seconds if wait else None,
        offers_callback=waiting and offers_callback(plan, known),
        number=spoken(call.number, line.region),
    )


def queue_names(tx: Connection, plan: Plan, own_id: int) -> dict[int, str]:
    """The names that the menu says; the line's own queue under OWN_QUEUE."""
    ids = [own_id, *(option.queue_id for option in plan.options if option.queue_id is not None)]
    names = {row.id: row.name for row in tx.execute(select(Queue.id, Queue.name).where(Queue.id.in_(ids)))}
    return {**names, OWN_QUEUE: names[own_id]}


def spoken(number: str, region: str) -> str:
    """A number digit by digit, as people of the place say it: `0 9 0 3, 1 2 3, 4 5 6`."""
    groups = shown_phone(number, region).replace("-", " ").split()
    return ", ".join(" ".join(group) for group in groups)
