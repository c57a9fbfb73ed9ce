"""Twilio's voice callbacks and the CTI webhook, as tables of payloads."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.phone.parse import CallReport, parse_cti, parse_twilio
from channels.phone.states import CallState, Direction, Ending, Facts, state_of
from channels.sms.parse import BadForm
from tests.channels.sms.corpus import load

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
CALL = {
    "CallSid": "CA1",
    "AccountSid": "AC1",
    "From": "+84903123456",
    "To": "+15005550006",
    "Direction": "inbound",
    "CallStatus": "ringing",
}


def twilio(**changes: str) -> CallReport:
    return parse_twilio(list({**CALL, **changes}.items()), now=NOW)


def cti(**fields: object) -> CallReport:
    event = {"event": "newCall", "from": "493055571600", "to": "491711234567890", "direction": "in", "callId": "7"}
    return parse_cti(json.dumps({**event, **fields}).encode(), "application/json", now=NOW)


def test_a_ringing_call_of_a_customer() -> None:
    found = twilio()
    assert (found.call_id, found.account_sid, found.direction) == ("CA1", "AC1", Direction.IN)
    assert (found.caller, found.called) == ("+84903123456", "+15005550006")
    assert found.facts == Facts(rang_at=NOW)


@pytest.mark.parametrize(
    ("status", "direction", "ending", "answered"),
    [
        ("completed", "inbound", Ending.HUNG_UP, False),  # our greeting answered: no proof of a person
        ("completed", "outbound-api", Ending.HUNG_UP, True),
        ("busy", "outbound-api", Ending.BUSY, False),
        ("no-answer", "outbound-dial", Ending.NO_ANSWER, False),
        ("failed", "outbound-api", Ending.FAILED, False),
        ("canceled", "inbound", Ending.CANCELED, False),
    ],
)
def test_each_final_status(status: str, direction: str, ending: Ending, answered: bool) -> None:
    facts = twilio(CallStatus=status, Direction=direction, CallDuration="30").facts
    assert (facts.ending, facts.ended_at) == (ending, NOW)
    assert facts.answered_at == (NOW - timedelta(seconds=30) if answered else None)


def test_a_leg_to_an_agent_speaks_for_the_customers_call() -> None:
    leg = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "client:lan"}
    answered = twilio(**leg, CallStatus="in-progress")
    assert (answered.call_id, answered.direction, answered.agents) == ("CA1", Direction.IN, ("lan",))
    assert answered.facts == Facts(answered_at=NOW)
    assert (answered.caller, answered.called) == ("", "")
    for silent in ("initiated", "ringing", "no-answer", "busy"):
        assert twilio(**leg, CallStatus=silent).facts == Facts()
    assert twilio(**leg, CallStatus="completed", CallDuration="60").facts.answered_at == NOW - timedelta(minutes=1)


def test_the_result_of_a_dial_ends_the_call_for_us() -> None:
    missed = twilio(CallStatus="in-progress", DialCallStatus="no-answer").facts
    assert (missed.ending, missed.answered_at) == (Ending.NO_ANSWER, None)
    spoken = twilio(CallStatus="in-progress", DialCallStatus="completed", DialCallDuration="45").facts
    assert (spoken.ending, spoken.answered_at) == (Ending.HUNG_UP, NOW - timedelta(seconds=45))


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("Sun, 22 Nov 2026 09:29:58 +0000", NOW - timedelta(seconds=2)),
        ("Sun, 22 Nov 2026 16:29:58 +0700", NOW - timedelta(seconds=2)),
        ("Sun, 22 Nov 2026 11:00:00 +0000", NOW),  # a clock far ahead is not believed
        ("yesterday", NOW),
        ("", NOW),
    ],
)
def test_the_carriers_clock_counts_if_it_can_be_true(stamp: str, at: datetime) -> None:
    assert twilio(Timestamp=stamp).facts.rang_at == at


@pytest.mark.parametrize("missing", ["CallSid", "AccountSid", "Direction", "CallStatus"])
def test_a_callback_without_its_identity_is_refused_by_name(missing: str) -> None:
    with pytest.raises(BadForm, match=missing):
        parse_twilio([(name, value) for name, value in CALL.items() if name != missing], now=NOW)


def test_a_status_nobody_knows_is_refused() -> None:
    with pytest.raises(BadForm, match="unknown"):
        twilio(CallStatus="daydreaming")


def test_the_three_events_of_an_exchange() -> None:
    story = [cti(user=["An", "Bình"], queue="sales"), cti(event="answer", answeringNumber=42)]
    story.append(cti(event="hangup", cause="normalClearing"))
    assert story[0].agents == ("An", "Bình")
    assert story[0].queue == "sales"
    assert story[1].agents == ("42",)
    told = story[0].facts.merge(story[1].facts)
    assert state_of(told, Direction.IN) is CallState.ANSWERED
    assert state_of(told.merge(story[2].facts), Direction.IN) is CallState.COMPLETED


@pytest.mark.parametrize(
    ("cause", "inward", "outward"),
    [
        ("normalClearing", "missed", "no_answer"),
        ("cancel", "missed", "no_answer"),
        ("noAnswer", "missed", "no_answer"),
        ("NO_ANSWER", "missed", "no_answer"),
        ("busy", "missed", "busy"),
        ("USER_BUSY", "missed", "busy"),
        ("congestion", "missed", "failed"),
        ("notFound", "missed", "failed"),
        ("forwarded", "missed", "no_answer"),
        ("something new", "missed", "no_answer"),
        ("", "missed", "no_answer"),
    ],
)
def test_a_call_that_nobody_answered_ends_by_its_cause(cause: str, inward: str, outward: str) -> None:
    told = cti().facts.merge(cti(event="hangup", cause=cause).facts)
    assert (state_of(told, Direction.IN), state_of(told, Direction.OUT)) == (inward, outward)


def test_forms_say_the_same_as_json() -> None:
    fields = [("event", "newCall"), ("from", "anonymous"), ("to", "0301234"), ("direction", "out"), ("callId", "x7")]
    body = urlencode([*fields, ("user[]", "Lan Anh"), ("user[]", "Minh")]).encode()
    found = parse_cti(body, "application/x-www-form-urlencoded", now=NOW)
    assert (found.call_id, found.direction, found.caller) == ("x7", Direction.OUT, "anonymous")
    assert found.agents == ("Lan Anh", "Minh")
    named = {"user": "Lan Anh"}
    assert cti(**named).agents == ("Lan Anh",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"event": "ping"}, "event"),
        ({"event": ""}, "event"),
        ({"direction": "sideways"}, "direction"),
        ({"callId": ""}, "callId"),
        ({"callId": "x" * 251}, "callId"),
    ],
)
def test_an_event_that_breaks_the_interface_is_refused_by_name(change: dict[str, str], reason: str) -> None:
    with pytest.raises(BadForm, match=reason):
        cti(**change)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_body_that_is_no_event_is_refused_without_another_error(body: bytes) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded", ""):
        with pytest.raises(BadForm):
            parse_cti(body, content_type, now=NOW)


def test_hostile_names_and_numbers_come_through() -> None:
    for text in load("naughty_strings.json"):
        found = cti(**{"from": text, "user": [text], "queue": text})
        assert "\x00" not in found.caller + found.queue + "".join(found.agents)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5))
def test_any_json_value_in_any_field_is_an_event_or_refused(value: object) -> None:
    for name in ("event", "from", "direction", "callId", "user", "cause", "answeringNumber"):
        try:
            cti(**{name: value})
        except BadForm:
            continue
