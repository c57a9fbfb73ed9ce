"""What to call a customer when nobody told us: the best of what the channels brought."""

import re
import unicodedata

from contact_center.core.text import fold
from tickets.customers.identities import shown_email, shown_phone
from tickets.states import ContactKind

LONGEST_NAME = 120

# Mailboxes of functions, not of people: "Support" is not what a person is called.
ROLE_MAILBOXES = frozenset(
    {"admin", "billing", "contact", "cskh", "hello", "help", "helpdesk", "info", "kinhdoanh", "lienhe", "mail"}
    | {"mailer", "noreply", "no-reply", "office", "postmaster", "root", "sales", "service", "support", "webmaster"}
)
_WORD_BREAK = re.compile(r"[._\-+]+")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def clean_name(raw: str) -> str:
    """A display name on one line, without quotes, invisible signs or an address; "" when nothing is left."""
    visible = "".join(" " if unicodedata.category(sign) in _INVISIBLE else sign for sign in raw)
    text = " ".join(unicodedata.normalize("NFC", visible).split()).strip("\"'<>[]();, ")
    if "@" in text or not any(sign.isalpha() for sign in text):
        return ""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 2 and all(parts) and len(parts[0].split()) == 1:
        text = f"{parts[1]} {parts[0]}"
    return text[:LONGEST_NAME].rstrip()


def display_name(name: str, kind: ContactKind, value: str) -> str:
    """The given name, else one read out of the mailbox, else the address as people write it, else "Visitor 3f2a"."""
    given = clean_name(name)
    if given:
        return given
    match kind:
        case ContactKind.EMAIL:
            return _from_mailbox(value) or shown_email(value)
        case ContactKind.PHONE:
            return shown_phone(value)
        case ContactKind.VISITOR:
            return f"Visitor {value[-4:]}"
        case ContactKind.HANDLE:
            return f"App user {value[-4:]}"


def is_better(candidate: str, current: str, known_as: tuple[str, ...]) -> bool:
    """Whether a name from a new message may replace the stored one: only one that was itself a makeshift.

    `known_as` are the makeshift names of the customer's addresses; what a person has typed is never replaced.
    """
    name = clean_name(candidate)
    return bool(name) and name != current and (not current or fold(current) in {fold(known) for known in known_as})


def _from_mailbox(value: str) -> str:
    """`jane.smith+shop@…` is Jane Smith; one word or digits say too little."""
    local = value.rpartition("@")[0].partition("+")[0]
    words = [word for word in _WORD_BREAK.split(local) if word]
    if local in ROLE_MAILBOXES or len(words) < 2 or not all(word.isalpha() and len(word) > 1 for word in words):
        return ""
    return " ".join(word.capitalize() for word in words)
