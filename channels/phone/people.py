"""Whose phone it was: the colleague behind a name, an address or an extension that an exchange gives."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from contact_center.accounts.models import User
from contact_center.core.text import fold


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
