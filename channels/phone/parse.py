"""Reports about calls: Twilio's voice callbacks and the three-event CTI webhook, as one frozen value (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from channels.phone.states import Direction, Ending, Facts
from channels.sms.parse import BadForm, Form, first_values, read_form, required
from contact_center.core.schema import clean_text

LONGEST_ID = 250  # the CTI interface promises no more
LONGEST_NAME = 200
LATEST = timedelta(minutes=5)  # a carrier's clock may run ahead of ours this much


@dataclass(frozen=True, slots=True)
class CallReport:
    """One report: `facts` to be merged into what is known; numbers and names as the exchange wrote them.

    `agents` are the colleagues' names or extensions that the exchange gives, most telling first.
    """

    call_id: str
    account_sid: str
    direction: Direction
    caller: str
    called: str
    facts: Facts
    agents: tuple[str, ...] = ()
    queue: str = ""
    cause: str = ""


# Twilio's CallStatus in our words: None while the call is still to be answered.
_TWILIO_OPEN = frozenset({"queued", "initiated", "ringing"})
_TWILIO_ANSWERED = frozenset({"in-progress", "answered"})
_TWILIO_ENDED = {
    "completed": Ending.HUNG_UP,
    "busy": Ending.BUSY,
    "no-answer": Ending.NO_ANSWER,
    "failed": Ending.FAILED,
    "canceled": Ending.CANCELED,
}

# The causes of the CTI interface, with those that exchanges pass on from ISDN (Q.850) and FreeSWITCH.
_CTI_CAUSES = {
    "normalclearing": Ending.HUNG_UP,
    "": Ending.HUNG_UP,
    "cancel": Ending.CANCELED,
    "originatorcancel": Ending.CANCELED,
    "noanswer": Ending.NO_ANSWER,
    "nouserresponse": Ending.NO_ANSWER,
    "forwarded": Ending.NO_ANSWER,
    "busy": Ending.BUSY,
    "userbusy": Ending.BUSY,
    "rejected": Ending.BUSY,
    "callrejected": Ending.BUSY,
    "congestion": Ending.FAILED,
    "notfound": Ending.FAILED,
    "unallocatednumber": Ending.FAILED,
}


def parse_twilio(form: Form, *, now: datetime) -> CallReport:
    """A voice request, status callback or Dial result; raises BadForm.

    A child leg (an agent's phone that was rung) speaks for its parent, the customer's call: its answer counts,
    its failure does not, because the next phone may still pick up.
    """
    values = first_values(form)
    parent = values.get("ParentCallSid", "").strip()
    inbound = bool(parent) or required(values, "Direction").lower() in ("inbound", "trunking-terminating")
    dialled = values.get("DialCallStatus", "").strip().lower()
    status = dialled or required(values, "CallStatus").lower()
    at = _moment(values.get("Timestamp", ""), now)
    return CallReport(
        call_id=(parent or required(values, "CallSid"))[:LONGEST_ID],
        account_sid=required(values, "AccountSid"),
        direction=Direction.IN if inbound else Direction.OUT,
        caller="" if parent else clean_text(values.get("From", "").strip()),
        called="" if parent else clean_text(values.get("To", "").strip()),
        facts=_twilio_facts(status, at, _seconds(values), is_leg=bool(parent), is_dial=bool(dialled), inbound=inbound),
        agents=_names([values.get("To", "")]) if parent else (),
        cause=clean_text(values.get("ErrorMessage") or values.get("SipResponseCode") or "")[:LONGEST_NAME],
    )


def _twilio_facts(status: str, at: datetime, seconds: int, *, is_leg: bool, is_dial: bool, inbound: bool) -> Facts:
    if status in _TWILIO_OPEN:
        return Facts() if is_leg else Facts(rang_at=at)
    if status in _TWILIO_ANSWERED and not is_dial:
        return Facts(answered_at=at)
    ending = Ending.HUNG_UP if status == "answered" else _TWILIO_ENDED.get(status)
    if ending is None:
        raise BadForm(f"CallStatus {clean_text(status)[:40]!r} is unknown")
    # "completed" proves that a person answered, except on the customer's own leg: our greeting answers that one.
    spoke = ending is Ending.HUNG_UP and (is_leg or is_dial or not inbound)
    answered_at = at - timedelta(seconds=seconds) if spoke else None
    if is_leg:
        return Facts(answered_at=answered_at)
    return Facts(answered_at=answered_at, ended_at=at, ending=ending)


def parse_cti(body: bytes, content_type: str, *, now: datetime) -> CallReport:
    """`newCall`, `answer` or `hangup` as a form or as JSON; raises BadForm naming what is wrong."""
    values, users = _read_cti(body, content_type)
    event = required(values, "event").lower()
    direction = required(values, "direction").lower()
    if direction not in ("in", "out"):
        raise BadForm(f"direction {direction[:20]!r} is neither in nor out")
    cause = values.get("cause", "").strip()
    match event:
        case "newcall":
            facts = Facts(rang_at=now)
        case "answer":
            facts = Facts(answered_at=now)
        case "hangup":
            # A cause we never heard of still ends the call.
            facts = Facts(ended_at=now, ending=_CTI_CAUSES.get(_letters(cause), Ending.HUNG_UP))
        case _:
            raise BadForm(f"event {event[:20]!r} is none of newCall, answer, hangup")
    call_id = required(values, "callId", "call_id", "callid")
    if len(call_id) > LONGEST_ID:
        raise BadForm(f"callId is longer than {LONGEST_ID} characters")
    return CallReport(
        call_id=call_id,
        account_sid="",
        direction=Direction(direction),
        caller=values.get("from", "").strip(),
        called=values.get("to", "").strip(),
        facts=facts,
        agents=_names([values.get("answeringNumber", ""), *users]),
        queue=values.get("queue", "").strip()[:LONGEST_NAME],
        cause=cause[:LONGEST_NAME],
    )


def _read_cti(body: bytes, content_type: str) -> tuple[dict[str, str], list[str]]:
    """The event's fields as text, and the colleagues it names."""
    if "json" in content_type.lower() or body.lstrip()[:1] == b"{":
        try:
            found = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BadForm("the body is not JSON") from error
        if not isinstance(found, dict):
            raise BadForm("the body is not a JSON object")
        users = found.get("user", found.get("user[]", []))
        listed = users if isinstance(users, list) else [users]
        return _texts(found), [clean_text(str(user)) for user in listed if isinstance(user, str | int)]
    form = read_form(body)
    users = [clean_text(value) for name, value in form if name in ("user[]", "user") or name.startswith("user[")]
    return {name: clean_text(value) for name, value in first_values(form).items()}, users


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    """The plain values of a JSON object; exchanges send numbers as numbers."""
    return {name: clean_text(str(value)) for name, value in found.items() if type(value) in (str, int)}


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


def _names(found: list[str]) -> tuple[str, ...]:
    """Distinct names in order; Twilio writes a browser phone as client:name."""
    cleaned = (clean_text(name).strip().removeprefix("client:")[:LONGEST_NAME] for name in found)
    return tuple(dict.fromkeys(name for name in cleaned if name))


def _moment(text: str, now: datetime) -> datetime:
    """When it happened by the carrier's clock (RFC 2822), or now if that is missing, broken or ahead of ours."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return now
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return at if at <= now + LATEST else now


def _seconds(values: Mapping[str, str]) -> int:
    """The length of the call or dialled leg in seconds."""
    text = values.get("DialCallDuration") or values.get("CallDuration") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
