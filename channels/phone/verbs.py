"""Each verb of a call as one request to Twilio, and the question whether an earlier request took effect."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.rest import Client
from twilio.twiml.voice_response import Dial, VoiceResponse

from channels.phone.commands import Verb
from channels.phone.legs import Role, must_accept
from contact_center.core.i18n import mark
from tickets.channel_accounts import Account

RING_SECONDS = 25
# The recording that runs, whatever its id.
CURRENT = "Twilio.CURRENT"
NO_CALLER = mark("The customer is no longer on the line.")
NO_LEG = mark("This person is no longer on the line.")
CONFERENCE_EVENTS = "start end join leave mute hold"
LEG_EVENTS = ["initiated", "ringing", "answered", "completed"]
# Twilio's clock and ours may differ by this much when a dialled leg is looked for.
SKEW = timedelta(seconds=5)


class Refused(Exception):
    """It cannot be done; the text says why, for people. `gone`: what it was about is not there any more."""

    def __init__(self, text: str, *, gone: bool = False) -> None:
        super().__init__(text)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Errand:
    """One command with all that its request needs; nothing here reads the database."""

    client: Client
    account: Account
    public_url: str
    command: Row[Any]
    call: Row[Any]
    leg: Row[Any] | None
    caller: Row[Any] | None
    # Carrier's ids of the call's other legs, so that a found one is not taken for this leg's.
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Result:
    """What the carrier told: the dialled leg's id and the conference's."""

    external_id: str = ""
    conference_id: str = ""


def conference_name(call_id: int) -> str:
    """The conference of a call, unique in the carrier's account."""
    return f"call-{call_id}"


def hook(public_url: str, account: Account, *parts: object) -> str:
    """An address of ours that the carrier calls, e.g. `…/hooks/twilio/{key}/leg/7`."""
    tail = "/".join(quote(str(part), safe="") for part in parts)
    return f"{public_url}/hooks/twilio/{quote(account.key, safe='')}/{tail}"


async def carry_out(errand: Errand) -> Result:
    """Make the request; raises Refused, twilio's exceptions, httpx2.HTTPError."""
    return await _DO[Verb(errand.command.verb)](errand)


async def look_up(errand: Errand) -> Result | None:
    """What became of a request whose answer was lost, None if it had no effect; raises the same."""
    return await _LOOK[Verb(errand.command.verb)](errand)


def join_twiml(public_url: str, account: Account, call_id: int) -> str:
    """What the customer's leg hears as CONNECT: it enters the conference, and the call ends when it leaves."""
    return room_twiml(public_url, account, call_id, label=f"caller-{call_id}", ends=True)


def room_twiml(public_url: str, account: Account, call_id: int, *, label: str, ends: bool = False) -> str:
    """What brings a leg into the call's conference under its label; with `ends` the call ends when it leaves."""
    answer = VoiceResponse()
    dial = Dial(action=hook(public_url, account, "conference", call_id, "over"))
    dial.conference(
        conference_name(call_id),
        start_conference_on_enter=True,
        end_conference_on_exit=ends,
        beep="false",
        status_callback=hook(public_url, account, "conference", call_id),
        status_callback_event=CONFERENCE_EVENTS,
        participant_label=label,
    )
    answer.append(dial)
    return str(answer)


async def _connect(errand: Errand) -> Result:
    twiml = join_twiml(errand.public_url, errand.account, errand.call.id)
    await errand.client.calls(_caller(errand)).update_async(twiml=twiml)
    return Result()


async def _connected(errand: Errand) -> Result | None:
    conference = await _conference(errand)
    found = conference and await _participant(errand, conference, _caller(errand))
    return Result(conference_id=conference) if found else None


async def _dial(errand: Errand) -> Result:
    leg = errand.leg
    if leg is None:
        raise Refused(NO_LEG)
    rings: dict[str, Any] = {
        "from_": str(errand.command.args.get("from") or errand.account.address),
        "to": leg.number,
        "timeout": int(errand.command.args.get("timeout") or RING_SECONDS),
        "status_callback": hook(errand.public_url, errand.account, "leg", leg.id),
        "status_callback_event": LEG_EVENTS,
    }
    if must_accept(leg):
        asked = await errand.client.calls.create_async(
            url=hook(errand.public_url, errand.account, "accept", leg.id), **rings
        )
        return Result(str(asked.sid or ""))
    made = await errand.client.conferences(conference_name(errand.call.id)).participants.create_async(
        label=leg.client_key,
        beep="false",
        start_conference_on_enter=True,
        end_conference_on_exit=False,
        early_media=True,
        **rings,
        conference_status_callback=hook(errand.public_url, errand.account, "conference", errand.call.id),
        conference_status_callback_event=CONFERENCE_EVENTS.split(),
    )
    return Result(str(made.call_sid or ""), _sid(made.conference_sid))


async def _dialled(errand: Errand) -> Result | None:
    """By the leg's own callbacks, else among the latest calls to that number."""
    leg = errand.leg
    if leg is None:
        raise Refused(NO_LEG)
    if leg.external_id:
        return Result(leg.external_id)
    begun_at: datetime = errand.command.begun_at
    for call in await errand.client.calls.list_async(to=leg.number, limit=20):
        if call.date_created and call.date_created >= begun_at - SKEW and call.sid not in errand.taken:
            return Result(str(call.sid))
    return None


def _setting(**wanted: bool) -> tuple[Callable[[Errand], Awaitable[Result]], Callable[[Errand], Awaitable[Any]]]:
    """A verb that gives a leg in the conference a property, and its question."""

    async def do(errand: Errand) -> Result:
        conference = await _conference_of_leg(errand)
        await errand.client.conferences(conference).participants(_leg(errand)).update_async(**wanted)
        return Result(conference_id=conference)

    async def ask(errand: Errand) -> Result | None:
        conference = await _conference_of_leg(errand)
        found = await _participant(errand, conference, _leg(errand))
        if found is None:
            raise Refused(NO_LEG, gone=True)
        as_wanted = all(getattr(found, name) == value for name, value in wanted.items())
        return Result(conference_id=conference) if as_wanted else None

    return do, ask


async def _hold(errand: Errand) -> Result:
    """A customer on hold hears our music, and their place while routing looks for somebody; others the carrier's."""
    conference = await _conference_of_leg(errand)
    is_customer = errand.leg is not None and errand.leg.role == Role.CALLER.value
    music = {"hold_url": hook(errand.public_url, errand.account, "hold", errand.call.id)} if is_customer else {}
    await errand.client.conferences(conference).participants(_leg(errand)).update_async(hold=True, **music)
    return Result(conference_id=conference)


async def _drop(errand: Errand) -> Result:
    """Hang up on one leg, whether it is in the conference or still rings; a queued one is cancelled."""
    await errand.client.calls(_leg(errand)).update_async(status="completed")
    return Result()


async def _dropped(errand: Errand) -> Result | None:
    return await _ended(errand, _leg(errand))


async def _hang_up(errand: Errand) -> Result:
    """End the customer's leg; the conference ends with it, and so do the other legs."""
    if errand.caller is None or not errand.caller.external_id:
        conference = await _conference_of_leg(errand)
        await errand.client.conferences(conference).update_async(status="completed")
        return Result()
    await errand.client.calls(errand.caller.external_id).update_async(status="completed")
    return Result()


async def _hung_up(errand: Errand) -> Result | None:
    if errand.caller is None or not errand.caller.external_id:
        return None if await _conference(errand) else Result()
    return await _ended(errand, errand.caller.external_id)


async def _ended(errand: Errand, external_id: str) -> Result | None:
    call = await errand.client.calls(external_id).fetch_async()
    return None if call.status in ("queued", "initiated", "ringing", "in-progress") else Result()


async def _announce(errand: Errand) -> Result:
    """Only this leg hears it; Twilio asks us for the words."""
    conference = await _conference_of_leg(errand)
    url = hook(errand.public_url, errand.account, "announce", errand.call.id)
    await errand.client.conferences(conference).participants(_leg(errand)).update_async(announce_url=url)
    return Result(conference_id=conference)


async def _announced(errand: Errand) -> Result | None:
    """Nobody can tell: it is said once more, which does no harm."""
    return None


async def _record(errand: Errand) -> Result:
    made = await errand.client.calls(_caller(errand)).recordings.create_async(
        recording_channels="dual",
        recording_status_callback=hook(errand.public_url, errand.account, "recording", errand.call.id),
        recording_status_callback_event=["in-progress", "completed", "absent"],
    )
    return Result(str(made.sid))


async def _recorded(errand: Errand) -> Result | None:
    for recording in await errand.client.calls(_caller(errand)).recordings.list_async(limit=20):
        if recording.status in ("in-progress", "paused"):
            return Result(str(recording.sid))
    return None


def _recording(status: str) -> Callable[[Errand], Awaitable[Result]]:
    """Setting a recording to a status it has already changes nothing, so the request is its own question."""

    async def do(errand: Errand) -> Result:
        silent = {"pause_behavior": "silence"} if status == "paused" else {}
        made = await errand.client.calls(_caller(errand)).recordings(CURRENT).update_async(status=status, **silent)
        return Result(str(made.sid))

    return do


async def _conference(errand: Errand) -> str:
    """The id of the call's conference while it runs, else nothing."""
    if errand.call.conference_id:
        return str(errand.call.conference_id)
    found = await errand.client.conferences.list_async(
        friendly_name=conference_name(errand.call.id), status="in-progress", limit=1
    )
    return str(found[0].sid) if found else ""


async def _conference_of_leg(errand: Errand) -> str:
    found = await _conference(errand)
    if not found:
        raise Refused(NO_LEG, gone=True)
    return found


async def _participant(errand: Errand, conference: str, external_id: str) -> Any:
    try:
        return await errand.client.conferences(conference).participants(external_id).fetch_async()
    except (TwilioRestException, TwilioServiceException) as error:
        if error.status == 404:
            return None
        raise


def _caller(errand: Errand) -> str:
    if errand.caller is None or not errand.caller.external_id:
        raise Refused(NO_CALLER, gone=True)
    return str(errand.caller.external_id)


def _leg(errand: Errand) -> str:
    if errand.leg is None or not errand.leg.external_id:
        raise Refused(NO_LEG, gone=True)
    return str(errand.leg.external_id)


def _sid(value: Any) -> str:
    """A conference is spoken of by its name until somebody is in it; only its own id is worth keeping."""
    return str(value) if value and str(value).startswith("CF") else ""


_, _HELD = _setting(hold=True)
_UNHOLD, _UNHELD = _setting(hold=False)
_MUTE, _MUTED = _setting(muted=True)
_UNMUTE, _UNMUTED = _setting(muted=False)
_PAUSE, _RESUME = _recording("paused"), _recording("in-progress")

_DO: Mapping[Verb, Callable[[Errand], Awaitable[Result]]] = {
    Verb.CONNECT: _connect,
    Verb.DIAL: _dial,
    Verb.HOLD: _hold,
    Verb.UNHOLD: _UNHOLD,
    Verb.MUTE: _MUTE,
    Verb.UNMUTE: _UNMUTE,
    Verb.DROP: _drop,
    Verb.HANGUP: _hang_up,
    Verb.ANNOUNCE: _announce,
    Verb.RECORD: _record,
    Verb.PAUSE_RECORDING: _PAUSE,
    Verb.RESUME_RECORDING: _RESUME,
}
_LOOK: Mapping[Verb, Callable[[Errand], Awaitable[Result | None]]] = {
    Verb.CONNECT: _connected,
    Verb.DIAL: _dialled,
    Verb.HOLD: _HELD,
    Verb.UNHOLD: _UNHELD,
    Verb.MUTE: _MUTED,
    Verb.UNMUTE: _UNMUTED,
    Verb.DROP: _dropped,
    Verb.HANGUP: _hung_up,
    Verb.ANNOUNCE: _announced,
    Verb.RECORD: _recorded,
    Verb.PAUSE_RECORDING: _PAUSE,
    Verb.RESUME_RECORDING: _RESUME,
}
