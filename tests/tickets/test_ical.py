"""Holiday files: what is a day and what is left out."""

from datetime import date

from tickets.ical import parse_holidays

FILE = """BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260217\r
DTEND;VALUE=DATE:20260220\r
SUMMARY;LANGUAGE=vi:Tết Nguyên đán\\, \r
 mùng 1–3\r
BEGIN:VALARM\r
SUMMARY:not this one\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20240430\r
RRULE:FREQ=YEARLY;COUNT=3\r
SUMMARY:Ngày thống nhất\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART:20260901T090000Z\r
SUMMARY:Team meeting\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260101\r
STATUS:CANCELLED\r
SUMMARY:Called off\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20260105\r
RRULE:FREQ=WEEKLY\r
SUMMARY:Every Monday\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20240229\r
RRULE:FREQ=YEARLY\r
SUMMARY:Leap day\r
END:VEVENT\r
END:VCALENDAR\r
"""


def test_whole_days_count_with_their_length_and_yearly_repetition() -> None:
    holidays = parse_holidays(FILE, 2026, 2028)
    assert [(entry.day, entry.name) for entry in holidays.days] == [
        (date(2026, 2, 17), "Tết Nguyên đán, mùng 1–3"),
        (date(2026, 2, 18), "Tết Nguyên đán, mùng 1–3"),
        (date(2026, 2, 19), "Tết Nguyên đán, mùng 1–3"),
        (date(2026, 4, 30), "Ngày thống nhất"),
        (date(2028, 2, 29), "Leap day"),
    ]


def test_what_is_no_day_is_named_not_guessed() -> None:
    assert parse_holidays(FILE, 2026, 2028).skipped == ("Team meeting", "Called off", "Every Monday")


def test_text_that_is_no_calendar_gives_no_days() -> None:
    assert parse_holidays("hello\nDTSTART:20260101", 2026, 2027).days == ()
    assert parse_holidays("BEGIN:VEVENT\nDTSTART;VALUE=DATE:20269999\nEND:VEVENT", 2026, 2027).days == ()
