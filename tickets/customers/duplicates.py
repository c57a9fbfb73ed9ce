"""Possible duplicates: two customers, the evidence for and against, and a score. It suggests; people decide.

Each kind of evidence counts once. Scores combine as independent hints, 1 − Π(1 − weight), and evidence against
multiplies what is left, so that many weak hints never outweigh a contradiction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import prod

from contact_center.core.text import fold
from tickets.customers.identities import is_mobile
from tickets.customers.names import ROLE_MAILBOXES
from tickets.states import ContactKind

LIKELY = 0.8
POSSIBLE = 0.5

# Providers to whom dots in a mailbox name mean nothing.
DOTLESS_PROVIDERS = frozenset({"gmail.com", "googlemail.com"})
SHORTEST_TELLING_MAILBOX = 6


class Hint(StrEnum):
    """What speaks for or against one person."""

    SAME_MAILBOX = "same_mailbox"  # equal but for a plus tag or Gmail's dots
    MENTIONED_ADDRESS = "mentioned_address"  # one wrote the other's address in a message
    SAME_DIGITS = "same_digits"  # one national number under two countries
    SAME_NAME = "same_name"
    SAME_NAME_REORDERED = "same_name_reordered"
    SAME_LOCAL_PART = "same_local_part"
    SAME_COMPANY = "same_company"
    OTHER_NAME = "other_name"
    OTHER_EXTERNAL_ID = "other_external_id"


WEIGHTS = {
    Hint.SAME_MAILBOX: 0.9,
    Hint.MENTIONED_ADDRESS: 0.7,
    Hint.SAME_DIGITS: 0.6,
    Hint.SAME_NAME: 0.55,
    Hint.SAME_NAME_REORDERED: 0.45,
    Hint.SAME_LOCAL_PART: 0.5,
    Hint.SAME_COMPANY: 0.2,
}
AGAINST = {Hint.OTHER_NAME: 0.5, Hint.OTHER_EXTERNAL_ID: 0.2}


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a customer: normalised addresses, and addresses found in the text of their messages."""

    id: int
    name: str = ""
    company: str = ""
    external_id: str | None = None
    points: tuple[tuple[ContactKind, str], ...] = ()
    mentioned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hint with the words or address that it rests on."""

    hint: Hint
    detail: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A customer who may be the same person as the one asked about."""

    customer_id: int
    score: float
    evidence: tuple[Evidence, ...]

    @property
    def likely(self) -> bool:
        """Whether the score is high enough to show the suggestion without being asked."""
        return self.score >= LIKELY


def suggest(customer: Profile, others: Iterable[Profile]) -> list[Suggestion]:
    """Who of `others` may be the same person, best first; below `POSSIBLE` nobody is named."""
    found = [compare(customer, other) for other in others if other.id != customer.id]
    return sorted((one for one in found if one.score >= POSSIBLE), key=lambda one: (-one.score, one.customer_id))


def compare(one: Profile, other: Profile) -> Suggestion:
    """Weigh two customers; symmetric but for whose id the suggestion carries."""
    evidence = [*_external(one, other), *_names(one, other), *_mailboxes(one, other), *_phones(one, other)]
    shared = _mentions(one, other) or _mentions(other, one)
    if shared:
        evidence.append(Evidence(Hint.MENTIONED_ADDRESS, shared))
    if one.company and fold(one.company) == fold(other.company):
        evidence.append(Evidence(Hint.SAME_COMPANY, one.company))
    hints = {entry.hint for entry in evidence}
    for_it = 1 - prod(1 - WEIGHTS[hint] for hint in hints if hint in WEIGHTS)
    against = prod(AGAINST[hint] for hint in hints if hint in AGAINST)
    return Suggestion(other.id, round(for_it * against, 3), tuple(evidence))


def _external(one: Profile, other: Profile) -> list[Evidence]:
    """An external id is unique, so two ids are two accounts of the shop."""
    if not (one.external_id and other.external_id):
        return []
    return [Evidence(Hint.OTHER_EXTERNAL_ID, f"{one.external_id}, {other.external_id}")]


def _names(one: Profile, other: Profile) -> list[Evidence]:
    """Vietnamese and Western orders differ, and so do marks: compare folded words. One word alone proves nothing."""
    mine, theirs = fold(one.name).split(), fold(other.name).split()
    if not (mine and theirs):
        return []
    if len(mine) > 1 and mine == theirs:
        return [Evidence(Hint.SAME_NAME, one.name)]
    if len(mine) > 1 and sorted(mine) == sorted(theirs):
        return [Evidence(Hint.SAME_NAME_REORDERED, f"{one.name}, {other.name}")]
    if set(mine).isdisjoint(theirs):
        return [Evidence(Hint.OTHER_NAME, f"{one.name}, {other.name}")]
    return []


def _mailboxes(one: Profile, other: Profile) -> list[Evidence]:
    evidence = []
    for mine in _values(one, ContactKind.EMAIL):
        for theirs in _values(other, ContactKind.EMAIL):
            name, domain = mailbox(mine)
            other_name, other_domain = mailbox(theirs)
            if (name, domain) == (other_name, other_domain):
                evidence.append(Evidence(Hint.SAME_MAILBOX, f"{mine}, {theirs}"))
            elif name.replace(".", "") == other_name.replace(".", "") and _tells(mine):
                evidence.append(Evidence(Hint.SAME_LOCAL_PART, f"{mine}, {theirs}"))
    return evidence


def _tells(value: str) -> bool:
    """Whether a mailbox name is so particular that meeting it twice means something."""
    name = value.rpartition("@")[0]
    particular = len(name) >= SHORTEST_TELLING_MAILBOX and any(sign in name for sign in "._-0123456789")
    return particular and name not in ROLE_MAILBOXES


def _phones(one: Profile, other: Profile) -> list[Evidence]:
    evidence = []
    for mine in _values(one, ContactKind.PHONE):
        for theirs in _values(other, ContactKind.PHONE):
            if mine != theirs and mine[-9:] == theirs[-9:] and is_mobile(mine) and is_mobile(theirs):
                evidence.append(Evidence(Hint.SAME_DIGITS, f"{mine}, {theirs}"))
    return evidence


def _mentions(one: Profile, other: Profile) -> str:
    return next((value for _, value in other.points if value in one.mentioned), "")


def _values(profile: Profile, kind: ContactKind) -> Sequence[str]:
    return [value for point, value in profile.points if point is kind]


def mailbox(value: str) -> tuple[str, str]:
    """The mailbox behind a normalised address: without plus tag, and at Gmail without dots."""
    local, _, domain = value.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in DOTLESS_PROVIDERS:
        return local.replace(".", ""), "gmail.com"
    return local, domain
