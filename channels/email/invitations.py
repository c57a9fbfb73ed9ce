"""Calendar invitations (RFC 5545, RFC 6047): what is asked, when and where, for people who never open the file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from icalendar import Calendar
from icalendar.cal.component import Component

from channels.email.charsets import without_controls
from channels.email.parsed import Attachment

_TYPES = frozenset({"text/calendar", "application/ics", "text/x-vcalendar"})
_MAX_BYTES = 200_000
_MAX_TEXT = 300


class Method(StrEnum):
    """What the sender wants with it; anything else is only an event to keep."""

    REQUEST = "request"
    CANCEL = "cancel"
    REPLY = "reply"
    PUBLISH = "publish"


_METHODS = {method.value: method for method in Method}


@dataclass(frozen=True, slots=True)
class Invitation:
    """The first event of a calendar file; a day without a time is noon UTC with `all_day`: that day almost anywhere."""

    method: Method
    title: str
    start: datetime
    end: datetime | None
    all_day: bool
    place: str
    organizer: str
    repeats: bool

    def as_dict(self) -> dict[str, Any]:
        """For the message's facts; moments as ISO 8601 in UTC."""
        return {
            "method": self.method.value,
            "title": self.title,
            "start": self.start.isoformat(),
            "end": self.end.isoformat() if self.end else None,
            "all_day": self.all_day,
            "place": self.place,
            "organizer": self.organizer,
            "repeats": self.repeats,
        }


def read_invitation(files: Iterable[Attachment]) -> Invitation | None:
    """The invitation among the files of a mail; None when there is none that can be read."""
    for file in files:
        if file.content_type in _TYPES and file.size <= _MAX_BYTES:
            found = _read(file.content)
            if found is not None:
                return found
    return None


def _read(content: bytes) -> Invitation | None:
    try:
        calendar = Calendar.from_ical(content)
        event = next(iter(calendar.walk("VEVENT")), None)
        return None if event is None else _of_event(event, str(calendar.get("METHOD", "")).lower())
    except Exception:  # noqa: BLE001 - a calendar that nobody can read stays a file
        return None


def _of_event(event: Component, asked: str) -> Invitation | None:
    begins = getattr(event.get("DTSTART"), "dt", None)
    if not isinstance(begins, date):
        return None
    ends = getattr(event.get("DTEND"), "dt", None)
    cancelled = asked == "cancel" or str(event.get("STATUS", "")).upper() == "CANCELLED"
    return Invitation(
        Method.CANCEL if cancelled else _METHODS.get(asked, Method.PUBLISH),
        _text(event.get("SUMMARY")),
        _moment(begins),
        _moment(ends) if isinstance(ends, date) else None,
        not isinstance(begins, datetime),
        _text(event.get("LOCATION")),
        _organizer(event.get("ORGANIZER")),
        event.get("RRULE") is not None,
    )


def _moment(value: date) -> datetime:
    """Aware UTC; a time without a zone counts as UTC."""
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, 12, tzinfo=UTC)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _organizer(value: Any) -> str:
    named = _text(getattr(value, "params", {}).get("CN"))
    return named or _text(value).removeprefix("mailto:").removeprefix("MAILTO:")


def _text(value: Any) -> str:
    return " ".join(without_controls(str(value or "")).split())[:_MAX_TEXT]
