"""Pure parts: names, spans, sentences of events, ways to answer, moments to snooze to, addresses to go to."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from agent_ui import conversation, filters, sentences
from agent_ui.pages.commands import SNOOZES, snoozed_until
from agent_ui.pages.files import raster
from agent_ui.pages.login import safe_next
from agent_ui.pages.settings import device_name
from agent_ui.socket import may_join
from contact_center.accounts.permissions import Role
from contact_center.accounts.users import Person
from contact_center.core.errors import Invalid

SUNDAY_NIGHT = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def say(message: str, **params: object) -> str:
    return message % params if params else message


def person(role: Role = Role.AGENT, user_id: int = 7) -> Person:
    return Person(user_id, "Anna", "anna@shop.test", role, None, None, {}, 1)


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Nguyễn Thị Mai", "NM"), ("anna", "AN"), ("", "?"), ("jane@shop.test", "JT"), ("+84 90 123", "91"), ("李", "李")],
)
def test_an_avatar_shows_one_or_two_letters(name: str, letters: str) -> None:
    assert filters.initials(name) == letters


@pytest.mark.parametrize(
    ("seconds", "text"), [(45, "45s"), (754, "12m"), (-200, "−3m"), (7_300, "2h"), (200_000, "2d")]
)
def test_a_span_is_short_and_negative_when_over(seconds: float, text: str) -> None:
    assert filters.span(seconds) == text


def test_minutes_grow_an_hour_only_when_needed() -> None:
    assert [filters.minutes(s) for s in (5, 65, 3_661)] == ["0:05", "1:05", "1:01:01"]


def test_a_file_size_is_short() -> None:
    assert [filters.filesize(s) for s in (812, 14_200, 2_100_000)] == ["812 B", "14 KB", "2.1 MB"]


def test_an_event_names_who_did_what() -> None:
    changed = {"name": "status_changed", "from": "open", "to": "on_hold", "reason": "waiting for the carrier"}
    assert sentences.event(changed, {}, "Anna", say) == "Status: Open → On hold (waiting for the carrier) · Anna"


def test_an_assignment_names_its_agent_once() -> None:
    taken = {"name": "assigned", "to_user_id": 3, "reason": "taken"}
    assert list(sentences.mentions(taken)) == [("user", 3)]
    assert sentences.event(taken, {("user", 3): "Minh"}, "Minh", say) == "Minh took it"


def test_an_event_without_a_sentence_still_says_its_name() -> None:
    assert sentences.event({"name": "survey_sent"}, {}, None, say) == "Survey sent"


def point(number: int, kind: str, value: str, *, suppressed: bool = False) -> SimpleNamespace:
    moment = SUNDAY_NIGHT if suppressed else None
    return SimpleNamespace(id=number, kind=kind, value=value, suppressed_at=moment)


def ticket(channel: str = "email", status: str = "open", contact_point_id: int = 1) -> SimpleNamespace:
    return SimpleNamespace(
        channel=channel,
        status=status,
        contact_point_id=contact_point_id,
        channel_account_id=1,
        customer="Mai",
        point_kind=None,
        point_value=None,
    )


MAIL = conversation.Account(1, "email", "support@shop.test")
SMS = conversation.Account(2, "sms", "+15005550006")


def test_only_possible_ways_to_answer_are_offered() -> None:
    points = [point(1, "email", "mai@example.com"), point(2, "phone", "+14155550100", suppressed=True)]
    found = conversation.vias(ticket(), points, [MAIL, SMS])
    assert [(via.key, via.recipient, via.sender) for via in found] == [
        ("email:1", "mai@example.com", "support@shop.test")
    ]


def test_the_channel_of_the_conversation_comes_first() -> None:
    points = [point(1, "email", "mai@example.com"), point(2, "phone", "+14155550100")]
    found = conversation.vias(ticket("sms", contact_point_id=2), points, [MAIL, SMS])
    assert [via.channel for via in found] == ["sms", "email"]


def test_a_closed_conversation_cannot_be_answered() -> None:
    assert conversation.vias(ticket(status="closed"), [point(1, "email", "mai@example.com")], [MAIL]) == ()


@pytest.mark.parametrize("key", SNOOZES)
def test_every_snooze_lies_in_the_future(key: str) -> None:
    for hour in range(0, 24 * 8, 5):
        moment = SUNDAY_NIGHT + timedelta(hours=hour)
        assert snoozed_until(key, moment, HANOI) > moment


def test_tomorrow_morning_is_nine_in_the_readers_zone() -> None:
    assert snoozed_until("tomorrow", SUNDAY_NIGHT, HANOI) == datetime(2026, 11, 3, 2, 0, tzinfo=UTC)


def test_an_unknown_snooze_is_refused() -> None:
    with pytest.raises(Invalid):
        snoozed_until("never", SUNDAY_NIGHT, HANOI)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example/x", "/\\evil.example", "javascript:x", "inbox"]
)
def test_a_login_never_leads_to_another_site(wanted: str) -> None:
    assert safe_next(wanted) == ""


def test_a_login_leads_where_the_person_was() -> None:
    assert safe_next("/tickets/123?view=open") == "/tickets/123?view=open"


@pytest.mark.parametrize(
    ("topic", "role", "allowed"),
    [
        ("user:7", Role.AGENT, True),
        ("user:8", Role.AGENT, False),
        ("ticket:12", Role.AGENT, True),
        ("ticket:x", Role.AGENT, False),
        ("list:open:waiting", Role.QA, True),
        ("list:mine:waiting:7", Role.AGENT, True),
        ("list:mine:waiting:8", Role.SUPERVISOR, False),
        ("list:mine:waiting", Role.AGENT, False),
        ("list:secret:waiting", Role.AGENT, False),
        ("board", Role.AGENT, False),
        ("board", Role.SUPERVISOR, True),
        ("visit:abc", Role.ADMIN, False),
        ("access:7", Role.AGENT, False),
    ],
)
def test_a_socket_sees_only_what_its_person_may(topic: str, role: Role, allowed: bool) -> None:
    assert may_join(person(role), topic) is allowed


def test_an_image_is_known_by_its_bytes() -> None:
    assert raster(b"\x89PNG\r\n\x1a\n" + b"\0" * 64) == "image/png"
    assert raster(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>") is None
    assert raster(b"") is None


def test_a_device_is_named_as_people_say_it() -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"
    assert device_name(agent) == "Chrome · Linux"
