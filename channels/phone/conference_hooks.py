"""Twilio's edge for calls that run as conferences: what becomes of each leg, of the conference and its recordings."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from channels.guard import guarded
from channels.phone import conference
from channels.phone.flow import recordings
from channels.phone.models import Call, CallLeg
from channels.sms.hooks import signed_form, twiml
from channels.sms.parse import first_values, read_form
from contact_center.core.clock import utcnow
from contact_center.core.errors import NotFound
from contact_center.core.metrics import INBOUND
from contact_center.core.services import services
from tickets import inbox
from tickets.channel_accounts import Account
from tickets.inbox import RawItem
from tickets.states import Channel, JournalState

LEG, CONFERENCE = "twilio-leg", "twilio-conference"
RECORDING, VOICEMAIL, TRANSCRIPTION = "twilio-recording", "twilio-voicemail", "twilio-transcription"
Take = Callable[..., None]
TAKES: Mapping[str, Take] = {
    LEG: conference.take_leg,
    CONFERENCE: conference.take_conference,
    RECORDING: recordings.take_talk,
    VOICEMAIL: recordings.take_voicemail,
    TRANSCRIPTION: recordings.take_transcription,
}
# The last part of each address, before the id of the call or leg.
ADDRESSES = {
    "leg": LEG,
    "conference": CONFERENCE,
    "recording": RECORDING,
    "voicemail": VOICEMAIL,
    "transcription": TRANSCRIPTION,
}


def routes() -> list[BaseRoute]:
    """Addresses that we give Twilio with each leg and conference; nobody enters them anywhere."""
    return [
        *(
            Route(f"/hooks/twilio/{{key}}/{name}/{{id:int}}", partial(_receive, source=source), methods=["POST"])
            for name, source in ADDRESSES.items()
        ),
        Route("/hooks/twilio/{key}/conference/{id:int}/over", receive_over, methods=["POST"]),
    ]


async def receive_over(request: Request) -> Response:
    """The customer's leg left the conference and asks what comes next: nothing."""
    await signed_form(request, Channel.PHONE)
    return twiml("<Hangup/>")


async def _receive(request: Request, *, source: str) -> Response:
    """A leg or a conference moved, or a recording did: stored and taken in one transaction."""
    held = services(request)
    account, form, body = await signed_form(request, Channel.PHONE)
    target = request.path_params["id"]
    await held.db.read(check_owner, account, source, target)
    digest = hashlib.sha256(body).hexdigest()[:32]
    item = RawItem(Channel.PHONE, account.id, f"{source}:{target}:{digest}", raw=body)
    values = first_values(form)
    state = await guarded(held.db, item, _store, item, source, target, values, now=utcnow())
    if state is not None:
        INBOUND.labels(Channel.PHONE.value, state.value).inc()
    return twiml()


def check_owner(tx: Connection, account: Account, source: str, target: int) -> None:
    """NotFound unless the call or leg is one of this account's: another line's signature proves nothing here."""
    statement = select(Call.id).where(Call.channel_account_id == account.id)
    if source == LEG:
        statement = statement.join(CallLeg, CallLeg.call_id == Call.id).where(CallLeg.id == target)
    else:
        statement = statement.where(Call.id == target)
    if tx.execute(statement).first() is None:
        raise NotFound("There is nothing here.")


def _store(
    tx: Connection, item: RawItem, source: str, target: int, values: dict[str, str], *, now: datetime
) -> JournalState:
    """Journal a callback and take it; the same bytes again are a duplicate."""
    journal_id = inbox.store(tx, item, now=now)
    if journal_id is None:
        return JournalState.DUPLICATE
    TAKES[source](tx, target, values, now=now)
    inbox.finish(tx, journal_id, JournalState.ACCEPTED, now=now)
    return JournalState.ACCEPTED


def is_callback(external_id: str) -> bool:
    """Whether a journaled item is one of these callbacks."""
    return external_id.partition(":")[0] in TAKES


def take(tx: Connection, item: Row[Any], now: datetime) -> None:
    """Give a callback that a person took out of quarantine its end state; raises what is wrong with it."""
    source, target, _ = item.external_id.split(":")
    TAKES[source](tx, int(target), first_values(read_form(item.raw or b"")), now=item.received_at)
    inbox.finish(tx, item.id, JournalState.ACCEPTED, now=now)
