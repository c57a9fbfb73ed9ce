"""How one HTTP SMS gateway is spoken to: what an administrator entered, read into one frozen value (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from tickets.states import Delivery

PROVIDER = "gateway"


class Body(StrEnum):
    """What the request to the gateway carries; `none` has everything in its address."""

    JSON = "json"
    FORM = "form"
    XML = "xml"
    NONE = "none"


class Proof(StrEnum):
    """How the gateway shows that a callback is its own.

    `token`: it repeats a secret. `hmac`: it signs a text with the secret as the key. `digest`: it hashes a text that
    the secret is a part of, as many gateways in Viet Nam do.
    """

    TOKEN = "token"
    HMAC = "hmac"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway's protocol; every field is text as it was entered, empty where the gateway has no such thing."""

    # The request: templates with {{placeholders}}.
    method: str = "POST"
    url: str = ""
    headers: str = ""
    body_kind: str = Body.JSON
    body: str = ""
    # Its answer: where it says yes (path and values), the message's id, the error's code and text.
    ok_at: str = ""
    ok_values: str = ""
    id_at: str = ""
    code_at: str = ""
    error_at: str = ""
    # An incoming message.
    in_id: str = ""
    in_from: str = ""
    in_text: str = ""
    # A report about one of ours, by the gateway's id or by our {{reference}}.
    receipt_id: str = ""
    receipt_reference: str = ""
    receipt_state: str = ""
    receipt_error: str = ""
    # Lines "what it says = our word".
    states: str = ""
    # Both come to one address at some gateways: the field that tells them apart, and its values for a report.
    kind_at: str = ""
    kind_receipt: str = ""
    # Who may call us.
    proof: str = Proof.TOKEN
    proof_at: str = ""
    proof_text: str = ""
    algorithm: str = "sha256"
    time_at: str = ""
    # What the gateway wants to hear back.
    reply: str = ""

    @property
    def receives(self) -> bool:
        """Whether customers' messages come in through it."""
        return bool(self.in_from and self.in_text)


FIELDS = tuple(field.name for field in fields(Gateway))
WORDS = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
    "failed": Delivery.FAILED,
}
_RANGE = re.compile(r"(\d+)-(\d*)")


def is_gateway(settings: Mapping[str, Any]) -> bool:
    """Whether an SMS account speaks to an HTTP gateway, not to Twilio."""
    return settings.get("provider") == PROVIDER


def of(settings: Mapping[str, Any]) -> Gateway:
    """The gateway of an account's settings."""
    stored = settings.get("gateway") or {}
    return Gateway(**{name: str(stored[name]) for name in FIELDS if name in stored})


def state_of(gateway: Gateway, said: str) -> Delivery | None:
    """Our word for what a report says; the first line that fits decides, None where none does."""
    for pattern, delivery in state_lines(gateway.states):
        if fits(pattern, said):
            return delivery
    return None


def state_lines(text: str) -> list[tuple[str, Delivery]]:
    """The lines of `states`; raises ValueError with the first that is none."""
    found = []
    for line in text.splitlines():
        if not line.strip():
            continue
        pattern, _, word = line.rpartition("=")
        if not pattern.strip() or word.strip() not in WORDS:
            raise ValueError(line.strip())
        found.append((pattern.strip(), WORDS[word.strip()]))
    return found


def fits(pattern: str, said: str) -> bool:
    """Whether a value is the one meant: as it stands, with * for anything, or in a range (1-63, 64-)."""
    bounds = _RANGE.fullmatch(pattern)
    if bounds and said.isascii() and said.isdigit():
        return int(bounds[1]) <= int(said) <= int(bounds[2] or said)
    return fnmatchcase(said.casefold(), pattern.casefold())
