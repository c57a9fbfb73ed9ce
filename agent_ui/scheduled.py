"""Replies that wait for their moment, as they stand below the timeline."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy import Row as Record

from agent_ui.views import ScheduledReply
from contact_center.core.i18n import gettext
from tickets.customers.identities import shown_phone
from tickets.scheduled import State
from tickets.states import Channel, ContactKind
from tickets.windows import LENGTH, TEMPLATE

MOMENT = "EEE d MMM, HH:mm"


def as_replies(rows: Sequence[Record[Any]], locale: str) -> tuple[ScheduledReply, ...]:
    """The rows of `tickets.scheduled.open_of` for the template."""
    return tuple(_as_reply(row, locale) for row in rows)


def local(at: Any, zone: str, locale: str) -> str:
    """A moment as the clocks of a zone show it, with the zone's city: "Mon 23 Nov, 09:00 (Ho Chi Minh)"."""
    said = format_datetime(at, MOMENT, tzinfo=ZoneInfo(zone), locale=locale)
    return f"{said} ({zone.rpartition('/')[2].replace('_', ' ')})"


def _as_reply(row: Record[Any], locale: str) -> ScheduledReply:
    return ScheduledReply(
        scheduled_id=row.id,
        author=row.author,
        text=row.text,
        channel=row.channel,
        to=shown_phone(row.to) if row.to_kind == ContactKind.PHONE.value else row.to,
        send_at=row.send_at,
        there=local(row.send_at, row.zone, locale),
        files=tuple(str(file["filename"]) for file in row.files),
        too_late=_is_too_late(row),
        then=str(row.meta.get("then") or ""),
        held=gettext(locale, row.held_because or "") if row.state == State.HELD.value else "",
    )


def _is_too_late(row: Record[Any]) -> bool:
    """Whether WhatsApp's window will have closed by the moment that was chosen."""
    if row.channel != Channel.WHATSAPP.value or TEMPLATE in row.meta:
        return False
    return row.wrote_at is None or row.send_at >= row.wrote_at + LENGTH
