"""Calendar invitations: read for people, and harmless whatever the file says."""

from datetime import UTC, datetime

import pytest

from channels.email.invitations import Method, read_invitation
from channels.email.parse import parse
from channels.email.parsed import Attachment
from tests.channels.desk import Desk
from tests.channels.email.letters import deliver, mailbox
from tickets.models import Message

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@x\r\nSUMMARY:Xem đèn\\, tầng 2\r\n"
    "LOCATION:12 Hàng Bài\r\nORGANIZER;CN=Anna:mailto:anna@example.test\r\n"
    "DTSTART;TZID=SE Asia Standard Time:20260203T101500\r\nDTEND;TZID=SE Asia Standard Time:20260203T111500\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def file(text: str) -> list[Attachment]:
    return [Attachment("a.pdf", "application/pdf", b"x"), Attachment("invite.ics", "text/calendar", text.encode())]


def test_what_when_where_and_who() -> None:
    found = read_invitation(file(EVENT))

    assert found is not None
    assert (found.method, found.title, found.place) == (Method.REQUEST, "Xem đèn, tầng 2", "12 Hàng Bài")
    assert (found.start, found.end) == (
        datetime(2026, 2, 3, 3, 15, tzinfo=UTC),
        datetime(2026, 2, 3, 4, 15, tzinfo=UTC),
    )
    assert (found.organizer, found.all_day, found.repeats) == ("Anna", False, False)


@pytest.mark.parametrize(
    ("change", "method"),
    [
        (("METHOD:REQUEST", "METHOD:CANCEL"), Method.CANCEL),
        (("METHOD:REQUEST", "METHOD:REPLY"), Method.REPLY),
        (("METHOD:REQUEST\r\n", ""), Method.PUBLISH),
        (("METHOD:REQUEST", "METHOD:COUNTER"), Method.PUBLISH),
        (("UID:1@x", "UID:1@x\r\nSTATUS:CANCELLED"), Method.CANCEL),
    ],
)
def test_what_the_sender_wants_with_it(change: tuple[str, str], method: Method) -> None:
    found = read_invitation(file(EVENT.replace(*change)))

    assert found is not None
    assert found.method is method


def test_a_whole_day_and_a_series() -> None:
    day = EVENT.replace("DTSTART;TZID=SE Asia Standard Time:20260203T101500", "DTSTART;VALUE=DATE:20260203")
    found = read_invitation(file(day.replace("UID:1@x", "UID:1@x\r\nRRULE:FREQ=WEEKLY")))

    assert found is not None
    assert (found.all_day, found.repeats, found.start.date().isoformat()) == (True, True, "2026-02-03")


@pytest.mark.parametrize(
    "text",
    [
        "", "BEGIN:VCALENDAR", "hello", EVENT[:150], EVENT * 200, "BEGIN:VEVENT\n" * 5_000,
        EVENT.replace("20260203T101500", "99999999"), EVENT.replace("BEGIN:VEVENT", "BEGIN:VTODO"), "\0" * 100,
    ],
)  # fmt: skip
def test_a_calendar_that_nobody_can_read_stays_a_file(text: str) -> None:
    assert read_invitation(file(text)) is None


async def test_a_mail_that_is_only_an_invitation_becomes_a_message_that_says_so(sqlite_desk: Desk) -> None:
    account = await mailbox(sqlite_desk)
    head = "From: Anna <anna@example.test>\nTo: support@shop.test\nSubject: Xem\nMessage-ID: <1@a.test>\n"
    raw = (
        f"{head}Content-Type: text/calendar; method=REQUEST; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{EVENT}"
    )

    await deliver(sqlite_desk, account, raw.encode())

    message = (await sqlite_desk.rows(Message))[0]
    assert message.text == "Xem đèn, tầng 2"
    assert message.meta["invitation"]["start"] == "2026-02-03T03:15:00+00:00"
    assert [found.filename for found in parse(raw.encode()).attachments] == ["invite.ics"]
