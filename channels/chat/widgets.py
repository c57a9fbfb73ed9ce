"""The configured widgets: a channel account's settings, its hours and the estimated wait."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from channels.chat.page import DEFAULT_ACCENT, Hours, Widget
from contact_center.core.errors import NotFound
from contact_center.core.secrets import Vault
from tickets import channel_accounts, hours
from tickets.channel_accounts import Account
from tickets.models import Calendar, Queue
from tickets.states import Channel

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
ASKS = ("never", "optional", "required")


@dataclass(frozen=True, slots=True)
class Open:
    """A widget, the account behind it, and whether its queue is open."""

    account: Account
    widget: Widget
    hours: Hours


def load(tx: Connection, vault: Vault, key: str, *, now: datetime) -> Open:
    """The enabled widget with this key; NotFound tells nothing more."""
    account = channel_accounts.by_key(tx, vault, key)
    if account.channel is not Channel.CHAT:
        raise NotFound("There is nothing here.")
    return Open(account, widget_of(account), hours_of(tx, account.queue_id, now=now))


def widget_of(account: Account) -> Widget:
    """An account's settings, with defaults for what is missing or wrong."""
    settings = account.settings
    accent, ask = str(settings.get("accent", "")), settings.get("ask_email")
    return Widget(
        key=account.key,
        name=str(settings.get("title") or account.name),
        accent=accent.lower() if COLOUR.fullmatch(accent) else DEFAULT_ACCENT,
        greeting=str(settings.get("greeting", "")),
        ask_email=ask if ask in ASKS else "optional",
        origins=tuple(str(origin).rstrip("/") for origin in settings.get("origins", ())),
    )


def hours_of(tx: Connection, queue_id: int, *, now: datetime) -> Hours:
    """Whether the queue's calendar is open; a queue without one always is."""
    definition = tx.execute(
        select(Calendar.definition).join(Queue, Queue.calendar_id == Calendar.id).where(Queue.id == queue_id)
    ).scalar_one_or_none()
    if definition is None:
        return Hours(True)
    calendar = hours.calendar_from(definition)
    if hours.is_open(calendar, now):
        return Hours(True)
    return Hours(False, hours.next_open(calendar, now))
