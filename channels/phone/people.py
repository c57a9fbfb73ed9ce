"""Whose phone it was: the colleague behind a name, an address or an extension that an exchange gives."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from contact_center.accounts.models import User
from contact_center.core.text import fold
from tickets.customers.identities import normalise_phone

CLIENT = re.compile(r"client:[A-Za-z0-9_.@+-]{1,100}")
# The preference that holds the number a person is rung at.
PHONE = "phone"


def phone_of(tx: Connection, user_id: int) -> str:
    """The number (E.164) at which this colleague is rung, empty if they entered none."""
    wishes = tx.execute(select(User.preferences).where(User.id == user_id)).scalar_one_or_none() or {}
    return str(wishes.get(PHONE) or "")


def read_phone(typed: str, region: str) -> str:
    """What a person is rung at: E.164, or `client:name` for a Twilio client; raises BadAddress."""
    return typed if CLIENT.fullmatch(typed) else normalise_phone(typed, region)


def find_user(tx: Connection, names: Sequence[str], settings: Mapping[str, Any]) -> int | None:
    """The first name that belongs to exactly one active user: by extension, e-mail address, or full name."""
    if not names:
        return None
    extensions = settings.get("extensions") or {}
    rows = tx.execute(select(User.id, User.email, User.name).where(User.active)).all()
    for name in names:
        wanted = fold(str(extensions.get(name, name)).strip())
        found = [row.id for row in rows if wanted in (fold(row.email), fold(row.name))]
        if len(found) == 1:
            user_id: int = found[0]
            return user_id
    return None
