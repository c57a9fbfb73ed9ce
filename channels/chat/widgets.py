"""The configured widgets: a channel account's settings, its hours and the estimated wait."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from channels.chat import asking
from channels.chat.asking import Hours
from channels.chat.identity import Keys, keys_of
from channels.chat.page import DEFAULT_ACCENT, FORM_LIMIT, LOCALES, Widget
from contact_center.core.errors import NotFound
from contact_center.core.secrets import Vault
from tickets import channel_accounts
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
    keys: Keys


def load(tx: Connection, vault: Vault, key: str, *, now: datetime) -> Open:
    """The enabled widget with this key; NotFound tells nothing more."""
    account = channel_accounts.by_key(tx, vault, key)
    if account.channel is not Channel.CHAT:
        raise NotFound("There is nothing here.")
    keys = keys_of(account.secrets, now=now)
    widget = widget_of(account)
    widget = replace(widget, choices=asking.offered(tx, widget.choices, now=now))
    return Open(account, widget, hours_of(tx, account.queue_id, now=now), keys)


def widget_of(account: Account) -> Widget:
    """An account's settings, with defaults for what is missing or wrong."""
    return widget_from(account.key, account.name, account.settings)


def widget_from(key: str, name: str, settings: Mapping[str, Any]) -> Widget:
    """The same from settings that nobody has saved yet."""
    accent = str(settings.get("accent", ""))
    ask_name, ask_email, ask_phone = (settings.get(f"ask_{one}") for one in ("name", "email", "phone"))
    # Before there were two languages, an account had one greeting for both.
    old = settings.get("greeting") or ""
    own = settings.get("texts") or {}
    limit = settings.get("form_limit")
    return Widget(
        key=key,
        name=str(settings.get("title") or name),
        accent=accent.lower() if COLOUR.fullmatch(accent) else DEFAULT_ACCENT,
        ask_name=ask_name if ask_name in ASKS else "required",
        ask_email=ask_email if ask_email in ASKS else "optional",
        ask_phone=ask_phone if ask_phone in ASKS else "never",
        choices=asking.choices_from(settings.get("choices")),
        side="left" if settings.get("side") == "left" else "right",
        consent_url=str(settings.get("consent_url") or ""),
        texts={locale: {"greeting": old, **own.get(locale, {})} for locale in LOCALES},
        form_on=settings.get("form_on") is not False,
        form_limit=limit if isinstance(limit, int) and limit > 0 else FORM_LIMIT,
        origins=tuple(str(origin).rstrip("/") for origin in settings.get("origins", ())),
    )


def hours_of(tx: Connection, queue_id: int, *, now: datetime) -> Hours:
    """Whether the queue's calendar is open; a queue without one always is."""
    definition = tx.execute(
        select(Calendar.definition).join(Queue, Queue.calendar_id == Calendar.id).where(Queue.id == queue_id)
    ).scalar_one_or_none()
    return asking.hours_from(definition, now=now)
