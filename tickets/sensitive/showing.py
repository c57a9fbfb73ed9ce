"""Seeing what was masked: by right, for a reason, and never without a trace."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from contact_center.accounts import audit
from contact_center.core.errors import Invalid, NotFound
from contact_center.core.secrets import BadToken, Vault
from tickets.models import Message
from tickets.sensitive.models import SealedOriginal
from tickets.timeline import add_event

LONGEST_REASON = 200


def show(
    tx: Connection, vault: Vault, message_id: int, *, user_id: int, reason: str, now: datetime
) -> Mapping[str, str]:
    """The texts of a masked message as they came (text, subject, quoted, html); audited, and in the timeline.

    The edge checks the permission. NotFound when the original is not kept any more, Invalid without a reason.
    """
    reason = " ".join(reason.split())[:LONGEST_REASON]
    if not reason:
        raise Invalid("Say why you need to see it. The reason is kept with your name.", field="reason")
    row = tx.execute(
        select(SealedOriginal.sealed, SealedOriginal.found, Message.ticket_id, Message.seq)
        .join(Message, Message.id == SealedOriginal.message_id)
        .where(SealedOriginal.message_id == message_id)
    ).first()
    if row is None:
        raise NotFound("What was hidden here is not kept any more.")
    try:
        original: Mapping[str, str] = vault.unseal(row.sealed)
    except BadToken as error:
        raise NotFound("What was hidden here cannot be opened: the secret key has changed since.") from error
    details = {"reason": reason, "found": row.found, "ticket_id": row.ticket_id}
    audit.record(tx, "sensitive.shown", f"message:{message_id}", now=now, user_id=user_id, details=details)
    add_event(tx, row.ticket_id, "sensitive_shown", {"reason": reason, "seq": row.seq}, now=now, user_id=user_id)
    return original
