"""An address of a customer as the panel beside a conversation shows it."""

from dataclasses import dataclass

from tickets.customers.number_flags import Mark


@dataclass(frozen=True)
class Contact:
    """One address of a customer; `here` is the one that the conversation is by."""

    kind: str
    address: str
    verified: bool
    point_id: int = 0
    flag: Mark | None = None
    here: bool = False
