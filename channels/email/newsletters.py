"""Mail that goes to many: signs that only a program puts there, and nothing that a customer's own mail may carry.

A sign alone proves little: forms of web shops say `Precedence: bulk`, providers number every mail for their statistics
(Feedback-ID), and a support address behind a mailing list of our own puts list fields on every customer's mail. So a
mail counts only where its sender names a way out (RFC 2369) and one thing more says that it went to a list.
"""

import re

from channels.email.headers import Headers
from channels.email.parsed import Mailbox

_MORE = (
    "list-id",
    "list-unsubscribe-post",
    "feedback-id",
    "x-campaign-id",
    "x-campaignid",
    "x-mc-user",
    "x-csa-complaints",
)
_BULK = frozenset({"bulk", "list", "junk"})
_WAY_OUT = re.compile(r"<?\s*(?:https?://|mailto:)\S", re.IGNORECASE)
_LIST_ID = re.compile(r"<([^<>\s]{1,200})>\s*$")


def newsletter_of(head: Headers, sender: Mailbox, reply_to: tuple[Mailbox, ...]) -> str:
    """The name of the list that a mail went to (or its sender's domain); empty for what a person may have written."""
    if not _WAY_OUT.search(head.text("list-unsubscribe")):
        return ""
    if "in-reply-to" in head or "references" in head:
        return ""
    # Whoever may write to the list is a person of it.
    if "mailto:" in head.text("list-post").lower():
        return ""
    # A shop or platform that passes on what somebody wrote has the answers sent to them.
    if any(_owner(box.address) != _owner(sender.address) for box in reply_to if "@" in box.address):
        return ""
    if head.text("precedence").lower().strip() not in _BULK and not any(name in head for name in _MORE):
        return ""
    named = _LIST_ID.search(head.text("list-id"))
    return (named[1] if named else sender.address.rpartition("@")[2]).lower()


def is_own_list(name: str, addresses: tuple[str, ...]) -> bool:
    """Whether a list is one of ours: behind it stand our customers."""
    domains = {address.lower().rpartition("@")[2] for address in addresses}
    return any(name == domain or name.endswith(f".{domain}") for domain in domains if domain)


def _owner(address: str) -> str:
    """Whose domain it is, roughly: news@mail.shop.test and hello@shop.test are of one house."""
    labels = address.lower().rpartition("@")[2].split(".")
    short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if short else -2 :])
