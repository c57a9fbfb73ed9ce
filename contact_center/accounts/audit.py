"""The audit log: who did what to what."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from contact_center.accounts.models import AuditEntry
from contact_center.core.schema import clean_json


def record(
    tx: Connection,
    action: str,
    target: str,
    *,
    now: datetime,
    user_id: int | None = None,
    details: Mapping[str, Any] | None = None,
    address: str = "",
) -> None:
    """Add an entry, e.g. action `session.revoked`, target `session:12`."""
    tx.execute(
        insert(AuditEntry),
        {
            "at": now,
            "user_id": user_id,
            "action": action,
            "target": target,
            "details": clean_json(dict(details or {})),
            "address": address,
        },
    )
