"""Signed plus-addresses: `support+100.k3x9…@shop.example` leads a reply back to ticket #100, and only there.

The signature covers the account's address and the ticket, so that nobody can walk into another matter by
counting up. It is checked in constant time.
"""

import base64
import hashlib
import hmac
import re

PURPOSE = "email-plus-address"
_SIGNATURE_LENGTH = 16
_TAGGED = re.compile(r"^(?P<local>.+?)\+(?P<number>[1-9][0-9]{0,17})\.(?P<signature>[a-z2-7]{16})$")


def tagged_address(key: bytes, address: str, ticket_id: int) -> str:
    """The address that replies about a ticket should go to; `key` is the vault's for PURPOSE."""
    local, _, domain = address.partition("@")
    return f"{local}+{ticket_id}.{_signature(key, address, ticket_id)}@{domain}"


def ticket_of(key: bytes, address: str, candidates: list[str]) -> int | None:
    """The ticket id that one of `candidates` carries for the account at `address`; None when none is ours."""
    own_local, _, own_domain = address.lower().partition("@")
    for candidate in candidates:
        local, _, domain = candidate.strip().lower().partition("@")
        match = _TAGGED.match(local)
        if match is None or domain != own_domain or match["local"] != own_local:
            continue
        ticket_id = int(match["number"])
        if hmac.compare_digest(match["signature"], _signature(key, address, ticket_id)):
            return ticket_id
    return None


def without_tag(address: str) -> str:
    """A plus-address without its tag: `support+x@a` is `support@a`."""
    local, _, domain = address.partition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _signature(key: bytes, address: str, ticket_id: int) -> str:
    digest = hmac.new(key, f"{address.lower()}|{ticket_id}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:_SIGNATURE_LENGTH].decode().lower()
