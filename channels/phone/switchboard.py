"""The switchboard: the worker's loop that carries the commands of calls out, in order per call, through Twilio's SDK.

A command is marked before its request leaves. What provably never reached the carrier is tried again; whatever else
has no clear answer (a timeout, a 5xx, a worker that died) is uncertain: the carrier is asked what became of it, and
only what had no effect and does no harm twice is repeated. A number is never dialled again on its own.
"""

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx2
import structlog
from sqlalchemy import Connection, Row, select
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from channels.phone import commands, consent, legs
from channels.phone.commands import CommandState, Verb
from channels.phone.legs import LegState
from channels.phone.models import Call, CallLeg
from channels.phone.verbs import Errand, Refused, Result, carry_out, look_up
from channels.sms.client import OpenHttp, open_client, open_http
from contact_center.core.clock import utcnow
from contact_center.core.i18n import mark
from contact_center.core.services import Services
from tickets import channel_accounts
from tickets.timeline import add_event

log = structlog.get_logger()

NOT_SET_UP = mark("The phone line has no credentials. An administrator must enter them.")
NO_CONNECTION = mark("The carrier could not be reached.")
NO_ANSWER = mark("The carrier did not answer; nobody knows whether it was done.")
NOT_DONE = mark("The carrier did not do it. Try again.")
# Somebody waits on the line: soon or not at all.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5, 10, 20))
NEVER_LEFT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
# What the SDK itself says before Twilio's own words.
PREFIX = re.compile(r"^Unable to \w+ record: ")
# Twilio's error for a call that has ended.
NOT_IN_PROGRESS = 21220
# What the timeline says of a command that was done.
RECORDED = {
    Verb.RECORD: "recording_began",
    Verb.PAUSE_RECORDING: "recording_paused",
    Verb.RESUME_RECORDING: "recording_resumed",
}
# Doing them a second time changes nothing, once it is known that the first time had no effect.
REPEATABLE = frozenset(set(Verb) - {Verb.DIAL})


class Switchboard:
    """The loop's step: the next command of every call that has one."""

    def __init__(self, held: Services, http: OpenHttp = open_http) -> None:
        self.held = held
        self.open_http = http

    async def run_once(self) -> bool:
        """Carry out what is due, calls beside each other; True when there may be more."""
        rows = await self.held.db.write(commands.claim, utcnow())
        await asyncio.gather(*(self._one(row) for row in rows))
        return bool(rows)

    async def _one(self, row: Row[Any]) -> None:
        try:
            await self._carry(row)
        except Exception:
            # One call's trouble is not another's: its lease runs out and it is looked up.
            log.exception("switchboard.failed", command_id=row.id, verb=row.verb)

    async def _carry(self, row: Row[Any]) -> None:
        db = self.held.db
        parts = await db.read(_parts, row)
        account = await db.read(channel_accounts.by_id, self.held.vault, parts.call.channel_account_id)
        secrets = account.secrets
        if not (secrets.get("account_sid") and secrets.get("auth_token")):
            await db.write(_fail, row, NOT_SET_UP, now=utcnow())
            return
        async with self.open_http() as http:
            client = open_client(
                http,
                account_sid=str(secrets["account_sid"]),
                auth_token=str(secrets["auth_token"]),
                base_url=self.held.settings.twilio_api_url,
            )
            errand = Errand(client, account, self.held.settings.base_url, row, *parts)
            await self._settle(errand, row)

    async def _settle(self, errand: Errand, row: Row[Any]) -> None:
        db = self.held.db
        try:
            result = await carry_out(errand) if row.begun_at is None else await self._again(errand)
        except Refused as error:
            await db.write(_gone if error.gone else _fail, row, str(error), now=utcnow())
        except NEVER_LEFT:
            # A question that never left leaves the doubt as it was.
            await db.write(_later if row.begun_at is None else _doubt, row, NO_CONNECTION, now=utcnow())
        except (TwilioRestException, TwilioServiceException) as error:
            await self._refused(row, error)
        except (httpx2.HTTPError, TwilioException, ValueError):
            # Also a 2xx that is not Twilio's JSON: a proxy in between may have swallowed the answer.
            await db.write(_doubt, row, NO_ANSWER, now=utcnow())
        else:
            await db.write(_done, row, result, now=utcnow())

    async def _again(self, errand: Errand) -> Result:
        """What became of a request in doubt; done anew where it had no effect and a second time does no harm."""
        found = await look_up(errand)
        if found is not None:
            return found
        if Verb(errand.command.verb) not in REPEATABLE:
            raise Refused(NOT_DONE)
        return await carry_out(errand)

    async def _refused(self, row: Row[Any], error: TwilioRestException | TwilioServiceException) -> None:
        text = str(getattr(error, "msg", None) or getattr(error, "detail", None) or "")
        said = f"{error.code or error.status} {PREFIX.sub('', text)}".strip()
        if error.status >= 500:
            await self.held.db.write(_doubt, row, NO_ANSWER, now=utcnow())
        elif error.status == 429:
            await self.held.db.write(_later, row, said, now=utcnow())
        else:
            gone = error.status == 404 or error.code == NOT_IN_PROGRESS
            await self.held.db.write(_gone if gone else _fail, row, said, now=utcnow())


class Parts(NamedTuple):
    """What the errand of a command is about, in the order of its fields."""

    call: Row[Any]
    leg: Row[Any] | None
    caller: Row[Any] | None
    taken: frozenset[str]


def _parts(tx: Connection, row: Row[Any]) -> Parts:
    call = tx.execute(select(Call.__table__).where(Call.id == row.call_id)).one()
    leg = next((one for one in legs.legs_of(tx, row.call_id) if one.id == row.leg_id), None)
    taken: frozenset[str | None] = frozenset()
    if leg is not None and row.verb == Verb.DIAL.value and row.begun_at is not None:
        same = select(CallLeg.external_id).where(CallLeg.number == leg.number, CallLeg.external_id.is_not(None))
        taken = frozenset(tx.execute(same).scalars())
    return Parts(call, leg, legs.caller_of(tx, row.call_id), frozenset(one for one in taken if one))


def _done(tx: Connection, row: Row[Any], result: Result, *, now: datetime) -> None:
    """It took effect: legs and call say so too, unless a callback said it before."""
    commands.settle(tx, row.id, CommandState.DONE, now=now)
    if result.conference_id:
        legs.know_conference(tx, row.call_id, result.conference_id)
    _tell_recording(tx, row, now=now)
    if row.leg_id is None:
        return
    match Verb(row.verb):
        case Verb.DIAL:
            legs.move_leg(tx, row.leg_id, LegState.DIALING, external_id=result.external_id, now=now)
        case Verb.ANNOUNCE:
            consent.announced(tx, row.call_id, user_id=row.wanted_by, now=now)
        case Verb.HOLD:
            legs.mark_leg(tx, row.leg_id, held=True, now=now)
        case Verb.UNHOLD:
            legs.mark_leg(tx, row.leg_id, held=False, now=now)
        case Verb.MUTE:
            legs.mark_leg(tx, row.leg_id, muted=True, now=now)
        case Verb.UNMUTE:
            legs.mark_leg(tx, row.leg_id, muted=False, now=now)


def _tell_recording(tx: Connection, row: Row[Any], *, now: datetime) -> None:
    """The conversation shows from when to when was recorded, and who paused it."""
    name = RECORDED.get(Verb(row.verb))
    ticket_id = tx.execute(select(Call.ticket_id).where(Call.id == row.call_id)).scalar_one() if name else None
    if name and ticket_id is not None:
        add_event(tx, ticket_id, name, {"call_id": row.call_id}, now=now, user_id=row.wanted_by)


def _gone(tx: Connection, row: Row[Any], error: str, *, now: datetime) -> None:
    """What it was about is not there any more: that is what DROP and HANGUP wanted."""
    wanted = row.verb in (Verb.DROP.value, Verb.HANGUP.value)
    if not wanted:
        _fail(tx, row, error, now=now)
        return
    commands.settle(tx, row.id, CommandState.DONE, now=now)
    if row.leg_id is not None:
        legs.move_leg(tx, row.leg_id, LegState.LEFT, now=now)


def _fail(tx: Connection, row: Row[Any], error: str, *, now: datetime) -> None:
    commands.settle(tx, row.id, CommandState.FAILED, error=error, now=now)
    if row.leg_id is not None and row.verb == Verb.DIAL.value:
        legs.move_leg(tx, row.leg_id, LegState.FAILED, reason=error, now=now)


def _later(tx: Connection, row: Row[Any], error: str, *, now: datetime) -> None:
    if row.attempts >= len(PAUSES):
        _fail(tx, row, error, now=now)
    else:
        commands.postpone(tx, row.id, error=error, again_at=now + PAUSES[row.attempts])


def _doubt(tx: Connection, row: Row[Any], error: str, *, now: datetime) -> None:
    if row.attempts >= len(PAUSES):
        _fail(tx, row, error, now=now)
    else:
        commands.doubt(tx, row.id, error=error, again_at=now + PAUSES[row.attempts], now=now)
