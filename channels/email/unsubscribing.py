"""The address in List-Unsubscribe: a signed token that says whose mail of which kind it ends, and nothing else."""

from dataclasses import dataclass
from typing import Any

from contact_center.core.errors import NotFound
from contact_center.core.secrets import BadToken, Vault
from tickets.customers.unsubscribes import What

PURPOSE = "unsubscribe"
PATH = "/unsubscribe/"


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link is for, of which kind of mail, in which language."""

    contact_point_id: int
    what: What
    locale: str


def url(vault: Vault, base_url: str, link: Link) -> str:
    """The address behind which the mails end."""
    return f"{base_url}{PATH}{vault.sign(PURPOSE, [link.contact_point_id, link.what.value, link.locale])}"


def opened(vault: Vault, token: str) -> Link:
    """What a token says; NotFound for one that we did not sign. It never ends: mail is kept for years."""
    try:
        found: Any = vault.verify(PURPOSE, token)
        return Link(int(found[0]), What(found[1]), str(found[2]))
    except (BadToken, ValueError, IndexError, TypeError):
        raise NotFound("This link is no longer valid.") from None
