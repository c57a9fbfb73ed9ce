"""The badge in a conversation's head that says how the customer's identity was confirmed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_ui.sentences import IDENTITY, noted
from tickets.identity_checks import Method


@dataclass(frozen=True)
class Proof:
    """A check that holds: until when, how (to be translated), by whom ("" for nobody), and its note."""

    until: datetime
    how: str
    by: str
    note: str
    # A website vouches for its customer; no colleague has checked.
    signed_in: bool


def proof_of(row: Any) -> Proof | None:
    """The check in a head's row; None when none holds."""
    if row.verified_until is None:
        return None
    return Proof(
        until=row.verified_until,
        how=IDENTITY.get(row.verified_how, ""),
        by=row.verified_by or "",
        note=noted(row.verified_how, row.verified_note),
        signed_in=row.verified_how == Method.SIGNED_IN.value,
    )
