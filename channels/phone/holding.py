"""What a customer on hold hears: music, and before it their place while routing looks for whoever takes the call over.

They are in the conference of the call, so no key is heard and nothing moves: each request reads how things stand.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels.phone import consent, handing_over, legs
from channels.phone.conference_hooks import CONFERENCE, check_owner
from channels.phone.flow.plan import plan_of
from channels.phone.flow.steps import Spot, Step
from channels.phone.flow.twiml import Scene, on_hold
from channels.phone.legs import ALIVE, LegState, Role
from channels.phone.models import Call
from channels.phone.verbs import hook
from channels.sms.hooks import signed_form
from contact_center.core.clock import utcnow
from contact_center.core.services import services
from routing import contacts as floor
from tickets.channel_accounts import Account
from tickets.states import Channel


def routes() -> list[BaseRoute]:
    """The address that a hold gives Twilio with it."""
    return [Route("/hooks/twilio/{key}/hold/{id:int}", play, methods=["POST"])]


async def play(request: Request) -> Response:
    """One round: Twilio asks again when it is over."""
    held = services(request)
    account, _, _ = await signed_form(request, Channel.PHONE)
    call_id = request.path_params["id"]
    await held.db.read(check_owner, account, CONFERENCE, call_id)
    scene = await held.db.read(_scene, account, call_id, held.settings, now=utcnow())
    return consent.twiml_of(on_hold(scene))


def _scene(tx: Connection, account: Account, call_id: int, settings: Any, *, now: datetime) -> Scene:
    plan = plan_of(account.settings) or consent.USUAL
    base_url = settings.base_url
    ticket_id = tx.execute(select(Call.ticket_id).where(Call.id == call_id)).scalar_one()
    is_awaited = handing_over.is_awaited(tx, call_id)
    # None where somebody has accepted: their phone is about to ring.
    wait = floor.wait_of(tx, ticket_id, now=now) if is_awaited and ticket_id is not None else None
    if wait is not None:
        step = Step.WAITING
    elif is_awaited or _rings(tx, call_id):
        step = Step.RINGING
    else:
        step = Step.TALKING
    return Scene(
        plan=plan,
        spot=Spot(step, consent.locale_for(tx, account, call_id, settings.region), account.queue_id),
        next_url=hook(base_url, account, "hold", call_id),
        recording_url="",
        transcription_url="",
        music_url=f"{base_url}/hooks/phone/music/{plan.interval}.wav",
        queues={},
        position=wait.position if wait else None,
        wait_seconds=wait.estimate_seconds if wait else None,
    )


def _rings(tx: Connection, call_id: int) -> bool:
    """Whether the phone of whoever accepted rings, and nobody else of ours is there."""
    ours = [leg for leg in legs.legs_of(tx, call_id) if leg.role in handing_over.OURS and leg.state in ALIVE]
    return bool(ours) and all(leg.role == Role.AGENT.value and leg.state != LegState.JOINED.value for leg in ours)
