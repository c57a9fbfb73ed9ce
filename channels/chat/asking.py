"""What a widget asks before a chat beside name and address: a phone number, and what it is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from babel.core import get_global
from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy import Connection, select

from contact_center.core.errors import Invalid
from tickets import hours
from tickets.customers.identities import BadAddress, normalise_phone
from tickets.models import Calendar, Queue

MOST_CHOICES = 8
NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Hours:
    """Open now? If not, when again (if known). The estimated wait of a new chat in seconds, if known."""

    open: bool
    opens_at: datetime | None = None
    wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a chat may be about: its queue and topic, and what customers read by locale."""

    id: int
    queue_id: int
    topic_id: int | None
    names: Mapping[str, str]
    hours: Hours = field(default=Hours(True))

    def name(self, locale: str) -> str:
        """In this language, or else in one that there is."""
        return self.names.get(locale) or next(iter(self.names.values()), "")


def choices_from(stored: Any) -> tuple[Choice, ...]:
    """The choices in a widget's settings; what is wrong or says nothing is left out."""
    found = []
    for one in stored if isinstance(stored, list) else ():
        match one:
            case {"id": int(id_), "queue_id": int(queue_id), "names": dict(names)} if any(names.values()):
                found.append(Choice(id_, queue_id, one.get("topic_id"), {k: v for k, v in names.items() if v}))
    return tuple(found[:MOST_CHOICES])


def offered(tx: Connection, choices: Sequence[Choice], *, now: datetime) -> tuple[Choice, ...]:
    """The choices whose queue is still there, each with its hours now; one statement."""
    if not choices:
        return ()
    rows = tx.execute(
        select(Queue.id, Calendar.definition)
        .outerjoin(Calendar, Calendar.id == Queue.calendar_id)
        .where(Queue.active, Queue.id.in_({one.queue_id for one in choices}))
    )
    known = {row.id: hours_from(row.definition, now=now) for row in rows}
    return tuple(replace(one, hours=known[one.queue_id]) for one in choices if one.queue_id in known)


def hours_from(definition: Mapping[str, Any] | None, *, now: datetime) -> Hours:
    """Whether a calendar is open; without one it always is."""
    if definition is None:
        return Hours(True)
    calendar = hours.calendar_from(definition)
    return Hours(True) if hours.is_open(calendar, now) else Hours(False, hours.next_open(calendar, now))


def chosen(choices: Sequence[Choice], choice_id: int) -> Choice | None:
    """The choice that a browser names."""
    return next((one for one in choices if one.id == choice_id), None)


def regions_of(accept: str, home: str) -> list[str]:
    """Where a number without a country may be from: the visitor's regions by Accept-Language, and ours."""
    tags = [part.partition(";")[0].strip() for part in accept.split(",")]
    named = [tag.rpartition("-")[2].upper() for tag in tags if "-" in tag]
    likely = [_likely(tag.partition("-")[0].lower()) for tag in tags]
    return [one for one in dict.fromkeys([*named, home, *likely]) if one in SUPPORTED_REGIONS]


@cache
def _likely(language: str) -> str:
    return str(get_global("likely_subtags").get(language, "")).rpartition("_")[2]


def phone_of(raw: str, regions: Sequence[str]) -> str:
    """A number as E.164, read as one of the first region that it fits; Invalid if it fits none."""
    for region in regions:
        try:
            return normalise_phone(raw, region)
        except BadAddress:
            continue
    raise Invalid("This is not a phone number that can be reached.", field="phone")
