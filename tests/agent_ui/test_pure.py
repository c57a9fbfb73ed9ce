"""Pure parts: names, spans, sentences of events, ways to answer, moments to snooze to, addresses to go to."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from agent_ui import conversation, filters, sentences
from agent_ui.pages.commands import SNOOZES, snoozed_until
from agent_ui.pages.login import safe_next
from agent_ui.pages.settings import device_name
from agent_ui.pages.ticket import translate
from agent_ui.raster import raster_type, sound_type
from agent_ui.socket import may_join
from channels import delivery
from channels.email import bounce_effects, send_errors
from channels.sms import errors
from contact_center.accounts.permissions import Role
from contact_center.accounts.users import Person
from contact_center.core.errors import Invalid
from contact_center.core.i18n import explain, known

SUNDAY_NIGHT = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def say(message: str, **params: object) -> str:
    return message % params if params else message


def person(role: Role = Role.AGENT, user_id: int = 7) -> Person:
    return Person(user_id, "Anna", "anna@shop.test", role, None, None, {}, 1)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Nguyễn Thị Mai", "NM"),
        ("anna", "AN"),
        ("", "?"),
        ("jane@shop.test", "JT"),
        ("+84 90 123", "#"),
        ("0903 123 456", "#"),
        ("李", "李"),
    ],
)
def test_an_avatar_shows_one_or_two_letters_and_numbers_a_telephone(name: str, letters: str) -> None:
    assert filters.initials(name) == letters


@pytest.mark.parametrize(
    ("seconds", "english", "vietnamese"),
    [
        (0, "0s", "0 giây"),
        (45, "45s", "45 giây"),
        (754, "12m", "12 phút"),
        (-200, "−3m", "−3 phút"),
        (7_300, "2h", "2 giờ"),
        (200_000, "2d", "2 ngày"),
    ],
)
def test_a_span_is_short_and_negative_when_over(seconds: float, english: str, vietnamese: str) -> None:
    assert filters.short_span(seconds, "en") == english
    assert filters.short_span(seconds, "vi") == vietnamese


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
    return SimpleNamespace(id=number, kind=kind, value=value, suppressed_at=moment, flag=None)


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


@pytest.mark.parametrize(
    ("address", "settings", "answers"),
    [
        ("+15005550006", {}, True),
        ("8079", {"region": "VN"}, True),
        ("SHOPVN", {"region": "VN"}, False),
        ("SHOPVN", {"provider": "gateway", "gateway": {"url": "https://sms.test/"}}, False),
        ("SHOPVN", {"provider": "gateway", "gateway": {"in_from": "sender", "in_text": "content"}}, True),
    ],
)
def test_a_sender_that_takes_no_answers_is_told(address: str, settings: dict[str, object], answers: bool) -> None:
    account = conversation.Account(2, "sms", address, settings)
    [via] = conversation.vias(ticket("sms"), [point(1, "phone", "+84903123456")], [account])
    assert via.answers is answers


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
    assert raster_type(b"\x89PNG\r\n\x1a\n" + b"\0" * 64) == "image/png"
    assert raster_type(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>") is None
    assert raster_type(b"") is None


def test_what_can_be_played_is_told_by_its_own_bytes() -> None:
    assert sound_type(b"ID3\x04" + b"\0" * 64) == sound_type(b"\xff\xfb\x90\x00") == "audio/mpeg"
    assert sound_type(b"RIFF\x24\0\0\0WAVEfmt ") == "audio/wav"
    assert sound_type(b"OggS\0") == "audio/ogg"
    for head in (b"", b"\xff", b"<html>", b"RIFF\0\0\0\0WEBP", b"\xff\xfe<\0h\0t\0m\0"):
        assert sound_type(head) is None


def test_a_device_is_named_as_people_say_it() -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"
    assert device_name(agent) == "Chrome · Linux"


def test_why_a_message_failed_is_told_in_the_readers_language() -> None:
    vietnamese, english = translate("vi"), translate("en")
    ours = "The number is unknown to its network."
    assert sentences.why_failed(ours, english) == ours
    assert sentences.why_failed(ours, vietnamese) != ours
    assert sentences.why_failed("550 5.7.1 100% spam", vietnamese) == "bên kia trả lời “550 5.7.1 100% spam”"
    assert sentences.why_failed("", vietnamese) == ""


def test_why_a_mail_came_back_is_told_too() -> None:
    meta = {"name": "mail_bounced", "address": "a@b.c", "reason": "550 no"}
    told = sentences.event(meta, {}, None, translate("en"))
    assert told == "The mail to a@b.c came back: the other side said “550 no”"


def test_a_reason_inside_a_sentence_is_told_in_the_readers_language() -> None:
    error = Invalid(
        "Nothing can be sent to {address}: {reason}.", address="a@b.c", reason="Senders of this kind take no replies."
    )
    assert "Senders" in explain("en", error)
    assert "Senders" not in explain("vi", error)
    assert "a@b.c" in explain("vi", error)


def test_every_way_to_fail_has_its_text_in_both_languages() -> None:
    texts = {error.text for error in [*errors.ERRORS.values(), errors.REJECTED]}
    texts |= {found.text for found in vars(send_errors).values() if isinstance(found, send_errors.MailError)}
    texts |= {delivery.NO_ACCOUNT, delivery.INTERRUPTED, errors.OPTED_OUT, bounce_effects.COMPLAINT}
    assert len(texts) > 40
    assert [text for text in texts if not known(text)] == []
