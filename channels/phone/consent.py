"""Nobody is recorded without having been told: who calls us is told by the line's plan, whom we call in the talk.

1. `wish` records at once where the other side knows or the line needs no word. Else it wishes for the announcement,
   which only the customer hears, and refuses where they said no.
2. The carrier plays it: the conversation keeps that it was said, and the recording begins (`announced`).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from twilio.twiml.voice_response import VoiceResponse

from channels.phone import lines
from channels.phone.commands import OPEN, Verb, command, commands_of
from channels.phone.conference_hooks import CONFERENCE, check_owner
from channels.phone.flow import words
from channels.phone.flow.models import CallFlow
from channels.phone.flow.plan import Consent, Plan, plan_of
from channels.phone.flow.steps import AGREED
from channels.phone.models import Call
from channels.sms.hooks import signed_form
from contact_center.core.errors import Conflict
from contact_center.core.services import services
from tickets.channel_accounts import Account
from tickets.models import ChannelAccount
from tickets.states import Channel
from tickets.timeline import add_event

REFUSED = "refused"
# Without a plan of its own a line says our words: a recording that nobody was told of is a crime in many countries.
USUAL = Plan()


def routes() -> list[BaseRoute]:
    """The address that the announcement's command gives Twilio."""
    return [Route("/hooks/twilio/{key}/announce/{id:int}", play, methods=["POST"])]


def wish(tx: Connection, call: Row[Any], leg_id: int, *, user_id: int | None = None, now: datetime) -> None:
    """Record a call, after the customer at this leg was told if they were not yet; Conflict where they said no."""
    said = tx.execute(select(CallFlow.consent).where(CallFlow.call_id == call.id)).scalar_one_or_none() or ""
    if said == REFUSED:
        raise Conflict("The customer does not want to be recorded.")
    known = commands_of(tx, call.id)
    if any(one.verb == Verb.ANNOUNCE.value and one.state in OPEN for one in known):
        return
    told = any(one.verb == Verb.ANNOUNCE.value and one.state == "done" for one in known)
    if told or said in AGREED or _plan(tx, call).consent is Consent.NONE:
        if not any(one.verb == Verb.RECORD.value and one.state in OPEN for one in known):
            command(tx, call.id, Verb.RECORD, user_id=user_id, now=now)
    else:
        command(tx, call.id, Verb.ANNOUNCE, leg_id=leg_id, user_id=user_id, now=now)


def on_answered(tx: Connection, call: Row[Any], leg_id: int, *, now: datetime) -> None:
    """Whom we called picked up: recorded by itself where the line records and does not ask."""
    plan = plan_of(_settings(tx, call))
    if plan is not None and plan.record and plan.consent is not Consent.ASK:
        wish(tx, call, leg_id, now=now)


def announced(tx: Connection, call_id: int, *, user_id: int | None, now: datetime) -> None:
    """The customer heard it: the conversation says so, and the recording begins."""
    ticket_id = tx.execute(select(Call.ticket_id).where(Call.id == call_id)).scalar_one()
    if ticket_id is not None:
        add_event(tx, ticket_id, "recording_announced", {"call_id": call_id}, now=now)
    command(tx, call_id, Verb.RECORD, user_id=user_id, now=now)


async def play(request: Request) -> Response:
    """What the customer hears before we record."""
    held = services(request)
    account, _, _ = await signed_form(request, Channel.PHONE)
    await held.db.read(check_owner, account, CONFERENCE, request.path_params["id"])
    locale = await held.db.read(locale_for, account, request.path_params["id"], held.settings.region)
    plan = plan_of(account.settings) or USUAL
    voice, language = words.voice_of(plan, locale)
    answer = VoiceResponse()
    answer.say(words.announcement(plan, locale), voice=voice, language=language)
    return twiml_of(answer)


def twiml_of(answer: VoiceResponse) -> Response:
    """A document of Twilio's own classes as our answer."""
    return Response(str(answer), media_type="text/xml")


def locale_for(tx: Connection, account: Account, call_id: int, region: str) -> str:
    """The language that the caller chose, else the line's."""
    chosen = tx.execute(select(Call.locale).where(Call.id == call_id)).scalar_one()
    return chosen or lines.line_of(tx, account, source="twilio", region=region).locale


def _plan(tx: Connection, call: Row[Any]) -> Plan:
    return plan_of(_settings(tx, call)) or USUAL


def _settings(tx: Connection, call: Row[Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tx.execute(
        select(ChannelAccount.settings).where(ChannelAccount.id == call.channel_account_id)
    ).scalar_one()
    return found
